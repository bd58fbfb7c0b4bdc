"""Monitoring's view of both regions: what is an outage, what is none, and what keeps a failover back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from failover._telling import StoppedError
from failover._waiters import await_seen
from failover.detect_outage import Seen, observe, read_checks, read_seen
from tests.failover.fake_clients import FakeClient

GOOD, BAD = "Success: HTTP Status Code 200, OK.", "Failure: The endpoint did not answer in time."
CHECKS = {"primary": "primary-check", "recovery": "recovery-check"}


@dataclass
class Route53(FakeClient):
    """Two health checks, and how many of three checkers see each healthy."""

    healthy: dict[str, int] = field(default_factory=lambda: {"primary": 3, "recovery": 3})
    tagged: tuple[str, ...] = ("primary", "recovery", "something else")

    def list_health_checks(self, **_: object) -> dict[str, Any]:
        """Answer as Route 53 does."""
        return {"HealthChecks": [{"Id": f"{name}-check"} for name in self.tagged]}

    def list_tags_for_resource(self, ResourceType: str, ResourceId: str) -> dict[str, Any]:  # noqa: N803
        """Answer as Route 53 does."""
        assert ResourceType == "healthcheck"
        return {"ResourceTagSet": {"Tags": [{"Key": "Name", "Value": ResourceId.removesuffix("-check")}]}}

    def get_health_check_status(self, HealthCheckId: str) -> dict[str, Any]:  # noqa: N803
        """Answer as Route 53 does."""
        good = self.healthy[HealthCheckId.removesuffix("-check")]
        statuses = [GOOD] * good + [BAD] * (3 - good)
        return {"HealthCheckObservations": [{"StatusReport": {"Status": one}} for one in statuses]}


def test_checks_are_found_by_their_tag() -> None:
    """Other checks of the account are none of a region."""
    assert read_checks(Route53()) == CHECKS


def test_a_check_that_is_not_there() -> None:
    """Without monitoring it says so, and what to do."""
    with pytest.raises(StoppedError, match=r"tagged Name=recovery(.|\n)*What to do"):
        read_checks(Route53(tagged=("primary",)))


def test_what_checkers_saw() -> None:
    """How many see it healthy, and what the others saw, each once."""
    seen = read_seen(Route53(healthy={"primary": 1, "recovery": 3}), "primary-check")
    assert seen == Seen(healthy=1, checkers=3, failures=(BAD,))


@pytest.mark.parametrize(
    ("healthy", "checkers", "is_healthy", "is_unhealthy"),
    [
        (3, 3, True, False),
        (2, 3, True, False),
        (1, 3, False, True),
        (1, 2, False, False),
        (0, 0, False, False),
    ],
)
def test_the_majority_says_it(healthy: int, checkers: int, is_healthy: bool, is_unhealthy: bool) -> None:
    """Half of the checkers are no majority, and of what nobody looked at neither is said."""
    seen = Seen(healthy, checkers, ())
    assert (seen.is_healthy, seen.is_unhealthy) == (is_healthy, is_unhealthy)


@pytest.mark.parametrize(
    ("primary", "recovery", "says"),
    [
        (0, 3, []),
        (1, 2, []),
        (3, 3, ["do not see the primary region unhealthy", "needs `--planned`"]),
        (3, 0, ["do not see the primary region unhealthy", "do not see the recovery region healthy"]),
        (0, 1, ["do not see the recovery region healthy"]),
    ],
)
def test_what_keeps_a_failover_back(primary: int, recovery: int, says: list[str]) -> None:
    """Only a lost primary region and a healthy recovery region are a reason to fail over."""
    missing = observe(Route53(healthy={"primary": primary, "recovery": recovery}), CHECKS)
    assert len(missing) == len(says)
    assert all(expected in one for one, expected in zip(missing, says, strict=True))


def test_every_look_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """The commander sees what the checkers see, in their words."""
    observe(Route53(healthy={"primary": 1, "recovery": 3}), CHECKS)
    told = capsys.readouterr().out.splitlines()
    assert told == [
        f"primary: healthy for 1 of 3 checkers: {BAD}",
        "recovery: healthy for 3 of 3 checkers",
    ]


def test_two_healthy_regions_are_refused_in_the_end() -> None:
    """It waits for the outage, and says at last why it does not go on."""
    route53 = Route53()
    with pytest.raises(StoppedError, match="nothing to fail over from"):
        await_seen(lambda: observe(route53, CHECKS), advice="Look.", delay=0, attempts=2)
