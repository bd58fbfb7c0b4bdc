"""An old primary that is back in the middle of a failover: fenced once more, and never taken for fenced."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ConnectTimeoutError

from failover._fencing import GROUP, fence_again, fence_returned
from failover._old_primary import Finding, Writes
from tests.failover.test_fence_primary import Rds

if TYPE_CHECKING:
    from collections.abc import Callable

DATABASE = "payments"


def _seen(*writes: Writes) -> Callable[[], list[Finding]]:
    """Return a look that sees the old primary so, one time after the other, and the last one for ever."""
    left = list(writes)
    return lambda: [Finding(DATABASE, "old.rds", left.pop(0) if len(left) > 1 else left[0], "as scripted")]


@pytest.mark.parametrize("writes", [Writes.TAKEN, Writes.UNKNOWN])
def test_one_that_is_back_is_fenced_once_more(writes: Writes) -> None:
    """It did not answer when it was fenced, and may take writes now: what refuses them afterwards is safe."""
    fenced: list[str] = []
    (found,) = fence_again(_seen(writes, Writes.REFUSED), fenced.append)
    assert fenced == [DATABASE]
    assert found.safe


@pytest.mark.parametrize("writes", [Writes.REFUSED, Writes.UNREACHABLE])
def test_one_that_is_safe_is_left_alone(writes: Writes) -> None:
    """Nobody restarts what takes no writes, or is not there."""
    fenced: list[str] = []
    fence_again(_seen(writes), fenced.append)
    assert fenced == []


def test_one_that_is_never_fenced_is_found_as_it_is() -> None:
    """It is tried a few times, as a region may be away again before it is done; then somebody has to be told."""
    fenced: list[str] = []
    (found,) = fence_again(_seen(Writes.TAKEN), fenced.append)
    assert fenced == [DATABASE] * 3
    assert found.writes is Writes.TAKEN


def test_without_anybody_to_fence_it() -> None:
    """It is looked at once, and found as it is."""
    (found,) = fence_again(_seen(Writes.TAKEN, Writes.REFUSED), None)
    assert found.writes is Writes.TAKEN


def test_it_is_fenced_when_it_has_started() -> None:
    """A database that has its power back is waited for, then made read-only and restarted."""
    rds = Rds()
    assert fence_returned(rds, DATABASE)
    assert rds.changes[0].startswith("wait")
    assert rds.groups[DATABASE] == GROUP
    assert rds.changes.index("modify payments") < rds.changes.index("reboot payments")


def test_a_region_that_is_away_again(capsys: pytest.CaptureFixture[str]) -> None:
    """That it could not be fenced is said, and is no failure here: the next look counts."""
    silence = ConnectTimeoutError(endpoint_url="https://rds.example.com")
    fence_returned(Rds(fails={DATABASE: silence}), DATABASE)
    assert "not reachable: it could not be fenced" in capsys.readouterr().out
