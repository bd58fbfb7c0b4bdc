"""Route 53's health checks as boto3 sees them: what checkers see becomes a status, and a status moves answers."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.aws.route53_world import ZONE, Route53World, record

_FAR = "192.0.2.2"


@pytest.fixture
def world() -> Route53World:
    """Return Route 53 over checkers that see what a test says."""
    return Route53World()


def _make_pair(world: Route53World, check: str) -> str:
    """Make a failover pair whose primary stands and falls with a check; return its name."""
    zone, name = world.make_zone(), f"api.{ZONE}"
    world.change(
        zone,
        ("CREATE", record(name, SetIdentifier="p", Failover="PRIMARY", HealthCheckId=check)),
        ("CREATE", record(name, "A", _FAR, SetIdentifier="s", Failover="SECONDARY")),
    )
    return name


@pytest.mark.parametrize(("well", "healthy"), [(8, True), (2, True), (1, False), (0, False)])
def test_more_than_18_percent(world: Route53World, well: int, *, healthy: bool) -> None:
    """An endpoint is healthy while more than 18 % of the checkers find it so: two of eight, not one.

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html
    """
    check = world.make_check()
    name = _make_pair(world, check)
    world.checkers.see(check, good=False)
    world.checkers.see(check, good=True, by=well)
    assert world.names.values(name) == (["192.0.2.1"] if healthy else [_FAR])


def test_a_new_check_is_healthy(world: Route53World) -> None:
    """Until enough is known a new check counts as healthy, and an inverted one as unhealthy.

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html
    """
    assert world.names.values(_make_pair(world, world.make_check())) == ["192.0.2.1"]
    other = Route53World()
    assert other.names.values(_make_pair(other, other.make_check(Inverted=True))) == [_FAR]


def test_a_disabled_check_is_healthy(world: Route53World) -> None:
    """A disabled check is looked at by nobody and counts as healthy, or as unhealthy where it is inverted, too.

    https://docs.aws.amazon.com/Route53/latest/APIReference/API_HealthCheckConfig.html
    """
    check = world.make_check()
    name = _make_pair(world, check)
    world.checkers.see(check, good=False)
    assert world.names.values(name) == [_FAR]
    world.client.update_health_check(HealthCheckId=check, Disabled=True)
    assert (world.names.values(name), check in world.checkers.watched) == (["192.0.2.1"], False)
    world.client.update_health_check(HealthCheckId=check, Inverted=True)
    assert world.names.values(name) == [_FAR]


def test_a_calculated_check_counts_its_children(world: Route53World) -> None:
    """A calculated check is healthy while as many children are as its threshold says.

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-creating-values.html
    """
    children = [world.make_check(reference=str(number)) for number in range(3)]
    check = world.client.create_health_check(
        CallerReference="all",
        HealthCheckConfig={"Type": "CALCULATED", "ChildHealthChecks": children, "HealthThreshold": 2},
    )["HealthCheck"]["Id"]
    name = _make_pair(world, check)
    seen = []
    for child in children[:2]:
        world.checkers.see(child, good=False)
        seen.append(world.names.values(name)[0])
    world.client.update_health_check(HealthCheckId=check, HealthThreshold=1)
    seen.append(world.names.values(name)[0])
    assert seen == ["192.0.2.1", _FAR, "192.0.2.1"]
    with pytest.raises(ClientError) as refused:
        world.client.delete_health_check(HealthCheckId=children[0])
    assert refused.value.response["Error"]["Code"] == "HealthCheckInUse"


def test_what_checkers_saw(world: Route53World) -> None:
    """The status names each checker that looked, its region and address; failure reasons stay when it is well again.

    https://docs.aws.amazon.com/Route53/latest/APIReference/API_GetHealthCheckStatus.html
    """
    check = world.make_check(Regions=["us-east-1", "eu-west-1", "sa-east-1"])
    assert world.client.get_health_check_status(HealthCheckId=check)["HealthCheckObservations"] == []
    world.checkers.see(check, good=False)
    world.checkers.see(check, good=True)
    seen = world.client.get_health_check_status(HealthCheckId=check)["HealthCheckObservations"]
    assert [one["Region"] for one in seen] == ["us-east-1", "eu-west-1", "sa-east-1"]
    assert {one["StatusReport"]["Status"] for one in seen} == {"Success: HTTP Status Code 200, OK."}
    bad = world.client.get_health_check_last_failure_reason(HealthCheckId=check)["HealthCheckObservations"]
    assert {one["StatusReport"]["Status"] for one in bad} == {
        "Failure: HTTP Status Code 503, Service Unavailable."
    }


def test_a_lost_checker_counts_no_longer(world: Route53World) -> None:
    """A checker that is gone is not counted: its last opinion would hold for ever."""
    check = world.make_check()
    name = _make_pair(world, check)
    world.checkers.see(check, good=False)
    world.checkers.see(check, good=True, by=2)
    for checker in world.checkers.watched[check][1][:2]:
        world.plane.board.lose(checker.name)
    assert world.names.values(name) == [_FAR]


def test_one_in_a_lost_checkers_place(world: Route53World) -> None:
    """A checker in the place of a lost one counts when it has looked, and not as one that found the endpoint well."""
    check = world.make_check(Regions=["us-east-1", "eu-west-1", "sa-east-1"])
    name = _make_pair(world, check)
    world.checkers.see(check, good=False)
    lost = world.checkers.watched[check][1][0]
    world.plane.board.lose(lost.name)
    world.plane.board.expect(lost, [check, "deleted meanwhile"])
    assert world.names.values(name) == [_FAR]
    world.checkers.see(check, good=True, by=1)
    assert world.names.values(name) == ["192.0.2.1"]
    assert len(world.client.get_health_check_status(HealthCheckId=check)["HealthCheckObservations"]) == 3


def test_a_deleted_check(world: Route53World) -> None:
    """A check that is deleted is looked at no longer, and the records that it held count as healthy."""
    check = world.make_check()
    name = _make_pair(world, check)
    world.checkers.see(check, good=False)
    world.client.delete_health_check(HealthCheckId=check)
    assert (world.names.values(name), world.checkers.watched) == (["192.0.2.1"], {})
    with pytest.raises(world.client.exceptions.NoSuchHealthCheck):
        world.client.get_health_check(HealthCheckId=check)


def test_a_check_is_made_once(world: Route53World) -> None:
    """The same request once more is answered with the same check; another one of its reference is refused.

    https://docs.aws.amazon.com/Route53/latest/APIReference/API_CreateHealthCheck.html
    """
    assert world.make_check() == world.make_check()
    with pytest.raises(world.client.exceptions.HealthCheckAlreadyExists):
        world.make_check(Port=81)
    assert world.client.get_health_check_count()["HealthCheckCount"] == 1


def test_a_check_that_nobody_can_look_at(world: Route53World) -> None:
    """A check without checkers is not there: asked for again it is made anew; an update that fails changes nothing."""
    world.checkers.missing = True
    for _ in range(2):
        with pytest.raises(ClientError, match="no machine for a checker"):
            world.make_check()
    assert world.client.get_health_check_count()["HealthCheckCount"] == 0
    world.checkers.missing = False
    check = world.make_check()
    assert check in world.checkers.watched
    world.checkers.missing = True
    with pytest.raises(ClientError, match="no machine for a checker"):
        world.client.update_health_check(HealthCheckId=check, FailureThreshold=5)
    kept = world.client.get_health_check(HealthCheckId=check)["HealthCheck"]
    assert (kept["HealthCheckVersion"], check in world.checkers.watched) == (1, True)


def test_a_check_is_changed_by_version(world: Route53World) -> None:
    """An update names the version that it changes, or is refused; what it does not name stays, what it resets goes.

    https://docs.aws.amazon.com/Route53/latest/APIReference/API_UpdateHealthCheck.html
    """
    check = world.make_check(ResourcePath="/health")
    changed = world.client.update_health_check(
        HealthCheckId=check, HealthCheckVersion=1, FailureThreshold=5, ResetElements=["ResourcePath"]
    )["HealthCheck"]
    assert (changed["HealthCheckVersion"], changed["HealthCheckConfig"]["FailureThreshold"]) == (2, 5)
    assert "ResourcePath" not in changed["HealthCheckConfig"]
    assert world.checkers.watched[check][0].failure_threshold == 5
    with pytest.raises(world.client.exceptions.HealthCheckVersionMismatch):
        world.client.update_health_check(HealthCheckId=check, HealthCheckVersion=1, FailureThreshold=1)


@pytest.mark.parametrize(
    ("config", "code", "words"),
    [
        ({"Type": "TCP"}, "InvalidInput", "Port must be"),
        ({"Type": "HTTP", "FullyQualifiedDomainName": ""}, "InvalidInput", "either IPAddress or Fully"),
        ({"FullyQualifiedDomainName": "origin..example.com"}, "InvalidInput", "not a valid domain name"),
        ({"FullyQualifiedDomainName": f"{'x' * 64}.example.com"}, "InvalidInput", "not a valid domain name"),
        ({"IPAddress": "10.20.0.10"}, "InvalidInput", "local, private, non-routable"),
        ({"RequestInterval": 20}, "InvalidInput", "RequestInterval must be one of 10, 30"),
        ({"FailureThreshold": 11}, "InvalidInput", "FailureThreshold must be from 1 to 10"),
        ({"Regions": ["us-east-1", "us-west-1", "eu-central-1"]}, "InvalidInput", "at least 3 regions"),
        ({"SearchString": "x"}, "InvalidInput", "SearchString cannot be specified"),
        ({"Type": "HTTP_STR_MATCH"}, "InvalidInput", "SearchString must be specified"),
        ({"Type": "CLOUDWATCH_METRIC"}, "NotImplemented", "CLOUDWATCH_METRIC"),
        ({"Type": "CALCULATED", "FullyQualifiedDomainName": "", "HealthThreshold": 1, "ChildHealthChecks": ["x"]},
         "InvalidInput", "child health check x does not exist"),
    ],
)  # fmt: skip
def test_checks_that_cannot_be(world: Route53World, config: dict[str, Any], code: str, words: str) -> None:
    """What no health check can be is refused in AWS's codes, and nobody looks.

    https://docs.aws.amazon.com/Route53/latest/APIReference/API_HealthCheckConfig.html
    """
    with pytest.raises(ClientError, match=words) as refused:
        world.make_check(**config)
    assert refused.value.response["Error"]["Code"] == code
    assert world.checkers.watched == {}
