"""Monitoring's view of both regions: what is an outage, what is none, and what keeps a failover back."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from drdrill.plan.runbook_checking import load_runbook
from failover._synthetic import Answer
from failover._telling import SaidNoError, StoppedError, run
from failover.detect_outage import (
    Seen,
    await_loss,
    look_ourselves,
    main,
    observe,
    read_checks,
    read_seen,
)
from tests.failover.fake_clients import FakeClient

GOOD, BAD = "Success: HTTP Status Code 200, OK.", "Failure: The endpoint did not answer in time."
if TYPE_CHECKING:
    from collections.abc import Mapping

RUNBOOKS = sorted((Path(__file__).parents[2] / "failover").glob("runbook*.yaml"))
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


def _seen(route53: Route53) -> dict[str, Seen]:
    return {role: read_seen(route53, check) for role, check in CHECKS.items()}


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
    missing = observe(_seen(Route53(healthy={"primary": primary, "recovery": recovery})))
    assert len(missing) == len(says)
    assert all(expected in one for one, expected in zip(missing, says, strict=True))


def test_every_look_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """The commander sees what the checkers see, in their words."""
    observe(_seen(Route53(healthy={"primary": 1, "recovery": 3})))
    told = capsys.readouterr().out.splitlines()
    assert told == [
        f"primary: healthy for 1 of 3 checkers: {BAD}",
        "recovery: healthy for 3 of 3 checkers",
    ]


def test_two_healthy_regions_are_refused_in_the_end() -> None:
    """It waits for the outage, and says no at last, by its own status; that the other region is dark is no answer."""
    route53 = Route53()
    with pytest.raises(SystemExit) as ended:
        run(lambda: await_loss(lambda: observe(_seen(route53)), delay=0, attempts=2))
    assert ended.value.code == SaidNoError.status
    assert {load_runbook(one).steps["detection"].says_no for one in RUNBOOKS} == {SaidNoError.status}
    dark = Route53(healthy={"primary": 0, "recovery": 0})
    with pytest.raises(StoppedError, match="do not see the recovery region healthy") as stopped:
        await_loss(lambda: observe(_seen(dark)), delay=0, attempts=2)
    assert not isinstance(stopped.value, SaidNoError)


@dataclass
class Edge:
    """A region's load balancer, and what it answers with, one look after the other; 0: it does not."""

    answers: list[int]

    def request(
        self, method: str, path: str, *, headers: Mapping[str, str], body: bytes | None = None
    ) -> Answer:
        """Answer the next look."""
        assert (method, path, dict(headers), body) == ("GET", "/readyz", {}, None)
        status = self.answers.pop(0)
        if not status:
            raise TimeoutError("timed out")
        return Answer(status, b"{}")


@pytest.mark.parametrize(
    ("primary", "recovery", "lost"),
    [
        ([0, 0, 0], [200, 200, 200], True),
        ([503, 0, 200], [200, 503, 200], True),
        ([200, 0, 200], [200, 200, 200], False),
        ([0, 0, 0], [200, 0, 503], False),
        ([0, 0, 0], [404, 301, 404], False),
    ],
)
def test_our_own_looks(primary: list[int], recovery: list[int], lost: bool) -> None:
    """Three of each region, nobody of AWS asked: most of them say whether it is lost, and one alone says nothing."""
    edges = {"primary": Edge(primary), "recovery": Edge(recovery)}
    missing = observe(look_ourselves(edges, delay=0), "looks from here")
    assert (missing == []) is lost
    assert (primary, recovery) == ([], [])


def test_what_our_own_looks_saw_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """In the words of who did not answer, each once."""
    edges = {"primary": Edge([0, 503, 0]), "recovery": Edge([200] * 3)}
    observe(look_ourselves(edges, delay=0), "looks from here")
    assert capsys.readouterr().out.splitlines() == [
        "primary: healthy for 0 of 3 looks from here: Failure: timed out.; Failure: HTTP 503: {}",
        "recovery: healthy for 3 of 3 looks from here",
    ]


@pytest.mark.parametrize(("options", "asks"), [([], True), (["--ourselves"], False)])
def test_route_53_is_asked_by_one_of_the_ways(
    options: list[str], asks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looking ourselves makes no client of AWS at all."""
    clients: list[str] = []

    def reach(service: str) -> Route53:
        clients.append(service)
        return Route53(healthy={"primary": 0, "recovery": 3})

    monkeypatch.setattr("failover.detect_outage.reach", reach)
    lost = {"primary": Seen(0, 3, ()), "recovery": Seen(3, 3, ())}
    monkeypatch.setattr("failover.detect_outage.look_ourselves", lambda _: lost)
    monkeypatch.setattr("sys.argv", ["detect_outage", "--look", *options])
    main()
    assert clients == (["route53"] if asks else [])
