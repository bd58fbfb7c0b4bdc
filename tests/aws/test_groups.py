"""What parameter groups and subnet groups hold, and which requests on them are refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pytest

from drdrill.aws.errors import AwsError, NotImplementedInMirrorError
from drdrill.aws.rds.parameter_groups import ParameterGroup, ParameterGroups, Setting
from drdrill.aws.rds.parameter_requests import read_reset, read_settings
from drdrill.aws.rds.subnet_groups import SubnetGroup, SubnetGroups
from drdrill.aws.rds.tags import read_tags
from tests.aws.places import VPC, FewSubnets

if TYPE_CHECKING:
    from drdrill.aws.ports import Fleet

REGION = "eu-west-1"


@dataclass
class Zones:
    """A fleet of which only the zones are asked."""

    zones: tuple[str, ...] = ("a", "b", "c")


def _group() -> ParameterGroup:
    return ParameterGroup("ours", "postgres18", "ours", REGION)


def _asked(*settings: tuple[str, str, str]) -> dict[str, Any]:
    return {
        "Parameters": [
            {"ParameterName": name, "ParameterValue": value, "ApplyMethod": method}
            for name, value, method in settings
        ]
    }


def test_what_a_group_holds() -> None:
    """A group knows its values, and what was to change at once after a version."""
    group = _group()
    announced: list[int] = []
    group.change(
        {"work_mem": Setting("5000", at_reboot=False), "max_connections": Setting("90", at_reboot=True)},
        lambda: announced.append(group.version),
    )
    assert announced == [0]  # said before anybody can see it
    assert group.values() == {"work_mem": "5000", "max_connections": "90"}
    assert group.changed_since(0) == {"work_mem": "5000"}
    group.change({"work_mem": Setting(None, at_reboot=False)}, lambda: None)
    assert group.values() == {"max_connections": "90"}
    assert group.changed_since(1) == {"work_mem": None}
    assert group.changed_since(2) == {}


def test_settling() -> None:
    """What is said of a version is not said any more when there is a newer one."""
    group, told = _group(), []
    group.settle(0, lambda: told.append("of the first"))
    group.change({}, lambda: None)
    group.settle(0, lambda: told.append("of the first, too late"))
    assert told == ["of the first"]


def test_the_default_group() -> None:
    """Every region has the engine's default group, which an instance without a group of its own has."""
    groups = ParameterGroups(REGION, "18.1")
    assert groups.find("").name == groups.find("Default.Postgres18").name == "default.postgres18"
    with pytest.raises(AwsError, match="not found: ours") as caught:
        groups.find("ours")
    assert (caught.value.code, caught.value.status) == ("DBParameterGroupNotFound", 404)


def test_good_settings() -> None:
    """A request's values are taken by their lower-case names, with the way in which each is applied."""
    asked = _asked(("Work_Mem", "5000", "immediate"), ("max_connections", "90", "pending-reboot"))
    assert read_settings(asked, _group()) == {
        "work_mem": Setting("5000", at_reboot=False),
        "max_connections": Setting("90", at_reboot=True),
    }


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        (("nonsense", "1", "immediate"), "Could not find parameter with name: nonsense"),
        (("fsync", "off", "immediate"), "The parameter fsync cannot be modified"),
        (
            ("work_mem", "4MB", "immediate"),
            "Invalid parameter value: 4MB for: work_mem allowed values are: 64-",
        ),
        (("work_mem", "63", "immediate"), "allowed values are: 64-"),
        (("log_statement", "loudly", "immediate"), "Available values: none, ddl, mod, all"),
        (("work_mem", "5000", "whenever"), "Invalid apply method"),
        (("shared_buffers", "5000", "immediate"), "cannot use immediate apply method for static parameter"),
        (("search_path", "a\nport = 1", "immediate"), "Invalid parameter value for: search_path"),
    ],
)
def test_wrong_settings(setting: tuple[str, str, str], words: str) -> None:
    """What RDS or PostgreSQL would not take is refused in their words."""
    with pytest.raises(AwsError, match=words):
        read_settings(_asked(setting), _group())


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        (("rds.force_ssl", "1", "immediate"), "rds.force_ssl"),
        (("wal_sender_timeout", "1000", "immediate"), "wal_sender_timeout"),
        (("shared_buffers", "{DBInstanceClassMemory/32768}", "pending-reboot"), "A formula"),
    ],
)
def test_what_the_mirror_cannot_set(setting: tuple[str, str, str], named: str) -> None:
    """What RDS lets its users set, and the mirror does not, is refused by name."""
    with pytest.raises(NotImplementedInMirrorError, match=named):
        read_settings(_asked(setting), _group())


def test_too_many_or_none() -> None:
    """A request is of one to twenty parameters."""
    with pytest.raises(AwsError, match="maximum of 20"):
        read_settings(_asked(*[("work_mem", "5000", "immediate")] * 21), _group())
    with pytest.raises(AwsError, match="must be provided"):
        read_settings({"Parameters": []}, _group())


def test_resets() -> None:
    """A reset takes back what is named, or all of it, the static ones at the next reboot."""
    group = _group()
    group.change(
        {"work_mem": Setting("5000", at_reboot=True), "max_connections": Setting("90", at_reboot=True)},
        lambda: None,
    )
    named = {"Parameters": [{"ParameterName": "work_mem", "ApplyMethod": "immediate"}]}
    assert read_reset(named, group) == {"work_mem": Setting(None, at_reboot=False)}
    everything = {
        "work_mem": Setting(None, at_reboot=False),
        "max_connections": Setting(None, at_reboot=True),
    }
    assert read_reset({"ResetAllParameters": True}, group) == read_reset({}, group) == everything
    with pytest.raises(AwsError, match="must not be specified"):
        read_reset({**named, "ResetAllParameters": True}, group)


def test_places_of_subnets() -> None:
    """Subnets lie where EC2 says; one that is not there, and those of several VPCs, are refused in RDS's words."""
    groups = SubnetGroups(cast("Fleet", Zones()), FewSubnets())
    placed = groups.place(("subnet-00000003", "subnet-00000001"))
    group = SubnetGroup("two", "two", "eu-west-1", placed)
    assert (group.zones, group.vpc) == (("a", "c"), VPC)
    assert groups.zones_for(None) == ("a", "b", "c")
    for wrong in (("subnet-00000001", "subnet-00000009"), ("subnet-00000001", "subnet-000000ff")):
        with pytest.raises(AwsError) as caught:
            groups.place(wrong)
        assert caught.value.code == "InvalidSubnet"


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ([{"Key": ""}], "Invalid tag key"),
        ([{"Key": "aws:name"}], "Invalid tag key: aws:name"),
        ([{"Key": "k" * 129}], "Invalid tag key"),
        ([{"Key": "k", "Value": "v" * 257}], "Invalid tag value"),
        ([{"Key": "k"}, {"Key": "k"}], "Duplicate tag key: k"),
        ([{"Key": f"k{number}"} for number in range(51)], "at most 50 tags"),
    ],
)
def test_wrong_tags(tags: list[dict[str, str]], words: str) -> None:
    """Tags that no resource can have are refused."""
    with pytest.raises(AwsError, match=words):
        read_tags({"Tags": tags})
