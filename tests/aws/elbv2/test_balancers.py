"""Load balancers: their life, their nodes, their name, and what AWS refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from tests.aws.cloud import ZONES
from tests.aws.elbv2.world import Balancing

if TYPE_CHECKING:
    from collections.abc import Mapping

ALL = ("10.20.0.5", "10.20.1.5", "10.20.2.5")
TARGETS = ("10.20.0.50", "10.20.1.50", "10.20.2.50")


@pytest.fixture
def balancing() -> Balancing:
    """Return a region of its own."""
    return Balancing()


def _state(balancing: Balancing) -> str:
    (one,) = balancing.elb.describe_load_balancers(Names=["shop"])["LoadBalancers"]
    return str(one["State"]["Code"])


def _code(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Code"])


def test_it_is_active_when_every_node_answers(balancing: Balancing) -> None:
    """A load balancer is being provisioned until the last of its nodes is heard from."""
    balancing.nodes.full = {ZONES[2]}
    made = balancing.balancer()
    assert made["State"]["Code"] == "provisioning"
    balancing.look()
    assert _state(balancing) == "provisioning"
    assert balancing.names.published[made["DNSName"]] == ALL[:2]
    balancing.nodes.full.clear()
    balancing.look()
    assert _state(balancing) == "active"
    assert balancing.names.published[made["DNSName"]] == ALL
    assert balancing.names.ttl_seconds == 60


def test_it_is_described_as_aws_does(balancing: Balancing) -> None:
    """Names, zones and the region's own hosted zone are AWS's."""
    made = balancing.balancer()
    assert made["DNSName"].endswith(".eu-west-1.elb.amazonaws.com")
    assert made["CanonicalHostedZoneId"] == "Z32O12XQLNTSW2"
    assert [one["ZoneName"] for one in made["AvailabilityZones"]] == list(ZONES)
    assert made["LoadBalancerArn"].startswith(
        "arn:aws:elasticloadbalancing:eu-west-1:000000000000:loadbalancer/app/shop/"
    )
    network = balancing.balancer("net", Type="network", Scheme="internal")
    assert network["DNSName"].endswith(".elb.eu-west-1.amazonaws.com")
    assert network["CanonicalHostedZoneId"] == "Z2IFOLAFXWLO4F"


def test_a_silent_node_leaves_the_dns_and_comes_back(balancing: Balancing) -> None:
    """A node that is silent for half a minute is in no answer, until it is heard from again."""
    made, _ = balancing.serve(*TARGETS)
    balancing.look()
    balancing.nodes.made[ZONES[0]].heard = False
    balancing.look(29)
    assert balancing.names.published[made["DNSName"]] == ALL
    balancing.look(2)
    assert balancing.names.published[made["DNSName"]] == ALL[1:]
    balancing.nodes.made[ZONES[0]].heard = True
    balancing.look()
    assert balancing.names.published[made["DNSName"]] == ALL


def test_all_nodes_silent_fails_open(balancing: Balancing) -> None:
    """When nobody is heard from all addresses are told, and aliases hear that it is not healthy."""
    made, _ = balancing.serve(*TARGETS)
    balancing.look()
    balancing.look()
    assert balancing.names.healthy[made["DNSName"]] is True
    for node in balancing.nodes.made.values():
        node.fails = True
    balancing.look(31)
    assert balancing.names.published[made["DNSName"]] == ALL
    assert balancing.names.healthy[made["DNSName"]] is False


def test_set_subnets(balancing: Balancing) -> None:
    """Zones that are disabled lose their node; zones that are enabled get one."""
    made = balancing.balancer(Subnets=balancing.subnets[:2])
    balancing.look()
    said = balancing.elb.set_subnets(LoadBalancerArn=made["LoadBalancerArn"], Subnets=balancing.subnets[1:])
    assert [one["ZoneName"] for one in said["AvailabilityZones"]] == list(ZONES[1:])
    balancing.look()
    assert balancing.nodes.made[ZONES[0]].released
    assert balancing.names.published[made["DNSName"]] == ALL[1:]


def test_delete(balancing: Balancing) -> None:
    """One that is deleted loses name, nodes and listeners; to delete it again is harmless."""
    made, group = balancing.serve(*TARGETS)
    balancing.look()
    for _ in range(2):
        balancing.elb.delete_load_balancer(LoadBalancerArn=made["LoadBalancerArn"])
    (thread,) = balancing.threads
    thread()
    assert all(node.released for node in balancing.nodes.made.values())
    assert balancing.names.published == {}
    assert balancing.health(group)["10.20.0.50"] == ("unused", "Target.NotInUse")
    balancing.elb.delete_target_group(TargetGroupArn=group)


def test_deletion_protection(balancing: Balancing) -> None:
    """One that is protected is not deleted."""
    arn = balancing.balancer()["LoadBalancerArn"]
    wanted = [{"Key": "deletion_protection.enabled", "Value": "true"}]
    balancing.elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=wanted)
    with pytest.raises(ClientError) as caught:
        balancing.elb.delete_load_balancer(LoadBalancerArn=arn)
    assert _code(caught) == "OperationNotPermitted"


def test_the_same_again_is_the_same(balancing: Balancing) -> None:
    """To create what is there with the same settings returns it; with others it is refused."""
    first = balancing.balancer()
    assert balancing.balancer()["LoadBalancerArn"] == first["LoadBalancerArn"]
    with pytest.raises(ClientError) as caught:
        balancing.balancer(Subnets=balancing.subnets[:2])
    assert _code(caught) == "DuplicateLoadBalancerName"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"Subnets": ["subnet-1", "subnet-2"]}, "SubnetNotFound"),
        ({"Subnets": []}, "ValidationError"),
        ({"Name": "internal-shop"}, "ValidationError"),
        ({"Name": "shop_1"}, "ValidationError"),
        ({"Scheme": "public"}, "InvalidScheme"),
        ({"SecurityGroups": ["sg-1", "sg-0"]}, "InvalidSecurityGroup"),
        ({"Type": "gateway"}, "NotImplemented"),
        ({"IpAddressType": "dualstack"}, "NotImplemented"),
        ({"Tags": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]}, "DuplicateTagKeys"),
    ],
)
def test_wrong_balancers(balancing: Balancing, changed: Mapping[str, object], code: str) -> None:
    """What cannot be is refused with AWS's code, and nothing is made."""
    wanted = {"Name": "shop", "Subnets": balancing.subnets, **changed}
    with pytest.raises(ClientError) as caught:
        balancing.elb.create_load_balancer(**wanted)
    assert _code(caught) == code
    assert balancing.elb.describe_load_balancers()["LoadBalancers"] == []


def test_security_groups(balancing: Balancing) -> None:
    """Security groups that there are can be given to a load balancer, and no others.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_SetSecurityGroups.html
    """
    arn = balancing.balancer(SecurityGroups=["sg-1", "sg-1"])["LoadBalancerArn"]
    with pytest.raises(ClientError) as caught:
        balancing.elb.set_security_groups(LoadBalancerArn=arn, SecurityGroups=["sg-0"])
    assert _code(caught) == "InvalidSecurityGroup"
    (told,) = balancing.elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]
    assert told["SecurityGroups"] == ["sg-1"]
    balancing.elb.set_security_groups(LoadBalancerArn=arn, SecurityGroups=["sg-2"])
    (told,) = balancing.elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]
    assert told["SecurityGroups"] == ["sg-2"]


def test_one_zone_is_too_few(balancing: Balancing) -> None:
    """An Application Load Balancer stands in two zones at least; a Network Load Balancer may stand in one."""
    with pytest.raises(ClientError) as caught:
        balancing.balancer(Subnets=balancing.subnets[:1])
    assert _code(caught) == "ValidationError"
    balancing.balancer(Type="network", Subnets=balancing.subnets[:1])


def test_attributes(balancing: Balancing) -> None:
    """Attributes have AWS's defaults; those that would be without effect are refused by name."""
    arn = balancing.balancer()["LoadBalancerArn"]
    told = balancing.elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    assert {"Key": "idle_timeout.timeout_seconds", "Value": "60"} in told
    for key, value, code in (
        ("access_logs.s3.enabled", "true", "NotImplemented"),
        ("idle_timeout.timeout_seconds", "0", "InvalidConfigurationRequest"),
        ("colour", "red", "InvalidConfigurationRequest"),
    ):
        with pytest.raises(ClientError) as caught:
            balancing.elb.modify_load_balancer_attributes(
                LoadBalancerArn=arn, Attributes=[{"Key": key, "Value": value}]
            )
        assert _code(caught) == code


def test_tags_and_pages(balancing: Balancing) -> None:
    """Tags are kept by resource; lists come in pages."""
    arns = [
        balancing.balancer(name, Tags=[{"Key": "n", "Value": name}])["LoadBalancerArn"] for name in ("a", "b")
    ]
    balancing.elb.add_tags(ResourceArns=arns[:1], Tags=[{"Key": "team", "Value": "x"}])
    balancing.elb.remove_tags(ResourceArns=arns[:1], TagKeys=["n"])
    told = balancing.elb.describe_tags(ResourceArns=arns)["TagDescriptions"]
    assert [one["Tags"] for one in told] == [
        [{"Key": "team", "Value": "x"}],
        [{"Key": "n", "Value": "b"}],
    ]
    pages = balancing.elb.get_paginator("describe_load_balancers").paginate(PaginationConfig={"PageSize": 1})
    assert [one["LoadBalancerName"] for page in pages for one in page["LoadBalancers"]] == ["a", "b"]


@pytest.mark.parametrize(
    ("call", "arguments", "code"),
    [
        ("describe_load_balancers", {"Names": ["none"]}, "LoadBalancerNotFound"),
        ("describe_load_balancers", {"LoadBalancerArns": ["arn"]}, "ValidationError"),
        ("describe_target_groups", {"Names": ["none"]}, "TargetGroupNotFound"),
        ("describe_tags", {"ResourceArns": ["arn:aws:elasticloadbalancing:x:y:other/z"]}, "ValidationError"),
        ("describe_listeners", {}, "ValidationError"),
        ("describe_ssl_policies", {}, "NotImplemented"),
    ],
)
def test_wrong_calls(balancing: Balancing, call: str, arguments: Mapping[str, object], code: str) -> None:
    """A wrong call is AWS's own error; what is not implemented is refused by name."""
    with pytest.raises(ClientError) as caught:
        getattr(balancing.elb, call)(**arguments)
    assert _code(caught) == code
    assert balancing.wire.failures == []
