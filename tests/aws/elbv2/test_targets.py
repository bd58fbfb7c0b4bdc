"""Targets: as healthy as the nodes see them, in which zones they are used, and how they drain."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from drdrill.aws.elbv2.proxying import name_upstream
from drdrill.dataplane.envoy import EndpointHealth, Failure, Seen
from tests.aws.cloud import ZONES, FakeLauncher
from tests.aws.elbv2.world import Balancing

TARGETS = ("10.20.0.50", "10.20.1.50", "10.20.2.50")
FIRST = TARGETS[0]


@pytest.fixture
def balancing() -> Balancing:
    """Return a region of its own."""
    return Balancing()


def _endpoints(balancing: Balancing, zone: str, group: str) -> list[str]:
    return [
        endpoint.address
        for upstream in balancing.nodes.made[zone].configuration.upstreams
        if upstream.name == name_upstream(group)
        for endpoint in upstream.endpoints
    ]


def test_a_new_target_is_initial_until_every_node_has_seen_it(balancing: Balancing) -> None:
    """A target is being registered, then checked for the first time, then healthy, as the slowest node has it."""
    _, group = balancing.serve(*TARGETS)
    assert balancing.health(group)[FIRST] == ("initial", "Elb.RegistrationInProgress")
    balancing.look()
    balancing.nodes.made[ZONES[1]].sees[FIRST] = EndpointHealth(Seen.UNCHECKED)
    balancing.look()
    assert balancing.health(group)[FIRST] == ("initial", "Elb.InitialHealthChecking")
    balancing.nodes.made[ZONES[1]].sees.clear()
    balancing.look()
    assert balancing.health(group)[FIRST] == ("healthy", None)


def test_what_was_seen_before_a_registration_does_not_count(balancing: Balancing) -> None:
    """A target that is registered again is not healthy because it was."""
    _, group = balancing.serve(*TARGETS)
    balancing.look()
    balancing.elb.modify_target_group_attributes(
        TargetGroupArn=group, Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "0"}]
    )
    balancing.elb.deregister_targets(TargetGroupArn=group, Targets=[{"Id": FIRST}])
    balancing.register(group, FIRST)
    assert balancing.health(group)[FIRST] == ("initial", "Elb.RegistrationInProgress")


@pytest.mark.parametrize(
    ("seen", "reason", "words"),
    [
        (
            EndpointHealth(Seen.UNHEALTHY, Failure.STATUS, 503),
            "Target.ResponseCodeMismatch",
            "Health checks failed with these codes: [503]",
        ),
        (EndpointHealth(Seen.UNHEALTHY, Failure.TIMEOUT), "Target.Timeout", "Request timed out"),
        (
            EndpointHealth(Seen.UNHEALTHY, Failure.CONNECTION),
            "Target.FailedHealthChecks",
            "Health checks failed",
        ),
    ],
)
def test_reasons(balancing: Balancing, seen: EndpointHealth, reason: str, words: str) -> None:
    """One node that sees a target fail is enough for it to be unhealthy, and the reason is AWS's."""
    _, group = balancing.serve(*TARGETS)
    balancing.look()
    balancing.nodes.made[ZONES[2]].sees[FIRST] = seen
    balancing.look()
    assert balancing.health(group)[FIRST] == ("unhealthy", reason)
    (told,) = balancing.elb.describe_target_health(TargetGroupArn=group, Targets=[{"Id": FIRST}])[
        "TargetHealthDescriptions"
    ]
    assert told["TargetHealth"]["Description"] == words
    assert balancing.health(group)[TARGETS[1]] == ("healthy", None)


def test_a_silent_node_says_nothing_about_targets(balancing: Balancing) -> None:
    """A target's health is what the nodes say that are heard from; when none is, nobody knows it."""
    _, group = balancing.serve(*TARGETS)
    balancing.look()
    balancing.nodes.made[ZONES[0]].heard = False
    balancing.look()
    assert balancing.health(group)[FIRST] == ("healthy", None)
    for node in balancing.nodes.made.values():
        node.heard = False
    balancing.look()
    assert balancing.health(group)[FIRST] == ("unavailable", "Elb.InternalError")


def test_cross_zone(balancing: Balancing) -> None:
    """A node has the targets of all enabled zones; with cross-zone off those of its own."""
    _, group = balancing.serve(*TARGETS)
    balancing.elb.register_targets(  # outside the VPC
        TargetGroupArn=group, Targets=[{"Id": "10.20.200.7", "AvailabilityZone": "all"}]
    )
    balancing.look()
    assert _endpoints(balancing, ZONES[0], group) == [*TARGETS, "10.20.200.7"]
    balancing.elb.modify_target_group_attributes(
        TargetGroupArn=group, Attributes=[{"Key": "load_balancing.cross_zone.enabled", "Value": "false"}]
    )
    balancing.look()
    assert _endpoints(balancing, ZONES[0], group) == [FIRST, "10.20.200.7"]


def test_a_network_load_balancer_keeps_to_its_zones(balancing: Balancing) -> None:
    """Cross-zone load balancing of a Network Load Balancer is off until it is turned on."""
    arn = balancing.balancer("net", Type="network")["LoadBalancerArn"]
    group = balancing.group("tcp", Protocol="TCP", Port=5432)
    balancing.listener(arn, group, Protocol="TCP", Port=5432)
    balancing.register(group, *TARGETS)
    balancing.look()
    assert _endpoints(balancing, ZONES[1], group) == [TARGETS[1]]
    wanted = [{"Key": "load_balancing.cross_zone.enabled", "Value": "true"}]
    balancing.elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=wanted)
    balancing.look()
    assert _endpoints(balancing, ZONES[1], group) == list(TARGETS)


def test_a_zone_without_healthy_targets_leaves_the_dns(balancing: Balancing) -> None:
    """With cross-zone off a zone whose targets are all unhealthy is in no answer; when all zones are, all are."""
    made, group = balancing.serve(*TARGETS)
    balancing.elb.modify_target_group_attributes(
        TargetGroupArn=group, Attributes=[{"Key": "load_balancing.cross_zone.enabled", "Value": "false"}]
    )
    balancing.look()
    failed = EndpointHealth(Seen.UNHEALTHY, Failure.CONNECTION)
    balancing.nodes.made[ZONES[0]].sees[FIRST] = failed
    balancing.look()
    assert balancing.names.published[made["DNSName"]] == ("10.20.1.5", "10.20.2.5")
    for zone, target in zip(ZONES, TARGETS, strict=True):
        balancing.nodes.made[zone].sees[target] = failed
    balancing.look()
    assert len(balancing.names.published[made["DNSName"]]) == 3
    assert balancing.names.healthy[made["DNSName"]] is False


def test_a_target_in_a_zone_that_is_not_enabled(balancing: Balancing) -> None:
    """It is not used, and no node has it."""
    _, group = balancing.serve(*TARGETS, subnets=balancing.subnets[:2])
    balancing.look()
    assert balancing.health(group)[TARGETS[2]] == ("unused", "Target.NotInUse")
    assert _endpoints(balancing, ZONES[0], group) == list(TARGETS[:2])


def test_a_target_drains(balancing: Balancing) -> None:
    """One that is deregistered gets nothing new at once, drains for the delay, and then is not there."""
    _, group = balancing.serve(*TARGETS)
    balancing.look()
    balancing.elb.deregister_targets(TargetGroupArn=group, Targets=[{"Id": FIRST}])
    balancing.look()
    assert balancing.health(group)[FIRST] == ("draining", "Target.DeregistrationInProgress")
    assert _endpoints(balancing, ZONES[0], group) == list(TARGETS[1:])
    balancing.look(297)
    assert FIRST in balancing.health(group)
    balancing.look(3)
    assert FIRST not in balancing.health(group)
    (asked,) = balancing.elb.describe_target_health(TargetGroupArn=group, Targets=[{"Id": FIRST}])[
        "TargetHealthDescriptions"
    ]
    assert asked["TargetHealth"]["Reason"] == "Target.NotRegistered"


def test_a_draining_target_may_come_back(balancing: Balancing) -> None:
    """One that is registered while it drains takes requests again."""
    _, group = balancing.serve(*TARGETS)
    balancing.elb.deregister_targets(TargetGroupArn=group, Targets=[{"Id": FIRST}])
    balancing.register(group, FIRST)
    balancing.look()
    assert balancing.health(group)[FIRST] == ("healthy", None)


def test_instances(balancing: Balancing) -> None:
    """An instance is a target by its id, where its machine is; one that is terminated is not used."""
    launcher = FakeLauncher()
    balancing.cloud.make_group(launcher)
    identifier, machine = next(iter(launcher.machines.items()))
    balancer, group = balancing.balancer(), balancing.group(TargetType="instance")
    balancing.listener(balancer["LoadBalancerArn"], group)
    balancing.register(group, identifier)
    balancing.look()
    assert _endpoints(balancing, machine.zone, group) == [machine.address]
    assert balancing.health(group)[identifier] == ("healthy", None)
    balancing.cloud.ec2_region.terminate(identifier)
    balancing.look()
    assert balancing.health(group)[identifier] == ("unused", "Target.InvalidState")
    assert _endpoints(balancing, machine.zone, group) == []


@pytest.mark.parametrize(
    ("target_type", "target", "code"),
    [
        ("instance", {"Id": "i-0123456789abcdef0"}, "InvalidTarget"),
        ("ip", {"Id": "8.8.8.8"}, "InvalidTarget"),
        ("ip", {"Id": "web-1"}, "ValidationError"),
        ("ip", {"Id": "10.20.200.7"}, "ValidationError"),
    ],
)
def test_wrong_targets(balancing: Balancing, target_type: str, target: dict[str, object], code: str) -> None:
    """A target that cannot be one is refused, with all that were named beside it."""
    group = balancing.group(TargetType=target_type)
    with pytest.raises(ClientError) as caught:
        balancing.elb.register_targets(TargetGroupArn=group, Targets=[target])
    assert caught.value.response["Error"]["Code"] == code
    assert balancing.health(group) == {}


def test_deregister_what_is_not_registered(balancing: Balancing) -> None:
    """It is an error."""
    group = balancing.group()
    with pytest.raises(ClientError) as caught:
        balancing.elb.deregister_targets(TargetGroupArn=group, Targets=[{"Id": FIRST}])
    assert caught.value.response["Error"]["Code"] == "InvalidTarget"
