"""A service's control plane is taken away and given back, and no other one with it."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from drdrill.aws.gate import Gate
from drdrill.core.errors import UsageError
from drdrill.mirror.control_planes import ControlPlanes
from tests.aws.sdk import SmallService, Wire

REGION, OTHER = "eu-west-1", "eu-central-1"
ONCE = Config(retries={"total_max_attempts": 1})


class _GuardedWire(Wire):
    """A wire whose gate has the control planes before it."""

    def guard(self) -> ControlPlanes:
        """Put them there."""
        self.planes = ControlPlanes(
            Gate(self.services, self.failures.append),
            lambda region, service: (region, service) in self.services,
        )
        return self.planes

    def gate(self) -> Any:
        """Return what requests meet."""
        return self.planes


@pytest.fixture
def wire() -> _GuardedWire:
    """Return an API in two regions."""
    service = SmallService({"DescribeDBInstances": lambda _: {"DBInstances": []}})
    made = _GuardedWire({(region, "rds"): service for region in (REGION, OTHER)})
    made.guard()
    return made


@pytest.mark.parametrize(("how", "code"), [("refused", "ServiceUnavailable"), ("throttled", "Throttling")])
def test_calls_fail_while_it_is_away(wire: _GuardedWire, how: str, code: str) -> None:
    """Calls in that region get AWS's error, those in another one are answered, and all are when it is back."""
    here, there = (wire.client("rds", region, ONCE) for region in (REGION, OTHER))
    away = wire.planes.break_control_plane("rds", REGION, how)
    assert away == {"away": [{"region": REGION, "service": "rds", "how": how}]}
    with pytest.raises(ClientError) as refused:
        here.describe_db_instances()
    assert refused.value.response["Error"]["Code"] == code
    assert there.describe_db_instances()["DBInstances"] == []
    for _ in range(2):
        assert wire.planes.restore_control_plane("rds", REGION) == {"away": []}
    assert here.describe_db_instances()["DBInstances"] == []


def test_a_silent_one_holds_calls(wire: _GuardedWire) -> None:
    """A call that nobody answers is answered once the control plane is back."""
    wire.planes.break_control_plane("rds", REGION, "silent")
    answers: list[Any] = []
    client = wire.client("rds", REGION, ONCE)
    asking = threading.Thread(target=lambda: answers.append(client.describe_db_instances()["DBInstances"]))
    asking.start()
    asking.join(0.2)
    assert (asking.is_alive(), answers) == (True, [])
    wire.planes.restore_control_plane("rds", REGION)
    asking.join(10)
    assert answers == [[]]


def test_what_cannot_be_broken(wire: _GuardedWire) -> None:
    """A service that is not there, or a way that there is not, is said, or a drill would break nothing."""
    with pytest.raises(UsageError, match="there is no `rdss` in eu-west-1"):
        wire.planes.break_control_plane("rdss", REGION)
    with pytest.raises(UsageError, match="it can be refused, throttled, silent"):
        wire.planes.break_control_plane("rds", REGION, "gone")
