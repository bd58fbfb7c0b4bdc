"""What a lane does with a change whose upstream does not answer, or fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drdrill.aws.errors import AwsError
from drdrill.aws.s3 import Movers

if TYPE_CHECKING:
    from drdrill.aws.upstream import Call
    from tests.aws.s3.world import Pair


@pytest.mark.parametrize(("status", "asked"), [(500, 5), (503, 5), (501, 1)])
def test_an_upstream_that_fails(pair: Pair, status: int, asked: int) -> None:
    """An object at which the upstream fails is tried again a few times and FAILED; one that it cannot do, at once."""
    pair.put("one")
    (change,) = pair.world.replicator.take_arrived()
    failed = []

    def fail(call: Call) -> int:
        if call.method == "GET" and "/one" in call.target:
            failed.append(call)
            return status
        return 0

    pair.world.upstream.fails = fail
    Movers(pair.world.replicator, pair.world.clock)._carry(change)
    assert len(failed) == asked
    assert pair.status("one") == "FAILED"
    assert pair.world.replicator.idle


def test_an_upstream_that_is_silent_for_long(pair: Pair) -> None:
    """An object is carried whenever the upstream answers again, however often it did not."""
    pair.put("one")
    (change,) = pair.world.replicator.take_arrived()
    unheard = iter(range(50))

    def fail(_: Call) -> int:
        if next(unheard, None) is not None:
            raise AwsError("ServiceUnavailable", "silence", status=503)
        return 0

    pair.world.upstream.fails = fail
    Movers(pair.world.replicator, pair.world.clock)._carry(change)
    assert pair.status("one") == "COMPLETED"
    assert pair.replicas() == {"one"}
