"""What RDS's operations refuse and list, on instances that no server stands behind."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from drdrill.aws.errors import AwsError
from drdrill.aws.rds.instances import InstanceOperations
from drdrill.aws.rds.model import EventRecord, InstanceRecord, RdsSettings, Status
from drdrill.aws.rds.region import RdsRegion
from drdrill.core.clock import SystemClock
from tests.aws.places import AllGroups, AllKeys, FewSubnets

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.aws.ports import Fleet, Names
    from drdrill.aws.rds.reconciler import Reconciler

RECORD = InstanceRecord(
    identifier="payments", resource_id="db-1", region="eu-west-1", instance_class="db.r6g.large",
    allocated_storage=20, engine_version="18.1", master_username="somebody", database=None, multi_az=True,
    publicly_accessible=False, deletion_protection=False, endpoint="e", status=Status.AVAILABLE,
)  # fmt: skip
FORCED = {"DBInstanceIdentifier": "payments", "ForceFailover": True}


@dataclass
class Instance:
    """A reconciler without servers: notes what it was asked for."""

    record: InstanceRecord = RECORD
    can_fail_over: bool = True
    asked: list[str] = field(default_factory=list)

    def request(self, action: str, *, allowed: tuple[Status, ...]) -> bool:
        """Note an action, if the status allows it."""
        if self.record.status not in allowed:
            return False
        self.asked.append(action)
        return True


@dataclass
class Region:
    """A fleet of no machines."""

    region: str = "eu-west-1"


def _region(tmp_path: Path) -> RdsRegion:
    settings = RdsSettings(timedelta(seconds=2), fencing=True, asynchronous_delay=None, disk_bytes=1)
    return RdsRegion(
        cast("Fleet", Region()),
        cast("Names", None),
        settings,
        SystemClock(),
        tmp_path,
        subnets=FewSubnets(),
        keys=AllKeys(),
        security_groups=AllGroups(),
    )


def _service(tmp_path: Path, *instances: Instance) -> InstanceOperations:
    region = _region(tmp_path)
    for one in instances:
        region.add(one.record.identifier, lambda one=one: cast("Reconciler", one))  # type: ignore[misc]
    return InstanceOperations(region)


@pytest.mark.parametrize(
    ("instance", "code"),
    [
        (Instance(replace(RECORD, multi_az=False)), "InvalidParameterCombination"),
        (Instance(can_fail_over=False), "InvalidDBInstanceState"),
        (Instance(replace(RECORD, status=Status.REBOOTING)), "InvalidDBInstanceState"),
        (Instance(replace(RECORD, status=Status.CREATING)), "InvalidDBInstanceState"),
        (Instance(replace(RECORD, identifier="orders")), "DBInstanceNotFound"),
    ],
)
def test_a_failover_that_cannot_be(tmp_path: Path, instance: Instance, code: str) -> None:
    """A forced failover needs an available Multi-AZ instance whose standby has all rows; nothing happens otherwise."""
    with pytest.raises(AwsError) as caught:
        _service(tmp_path, instance).reboot_db_instance(FORCED)
    assert caught.value.code == code
    assert instance.asked == []


def test_a_failover_that_can_be(tmp_path: Path) -> None:
    """A forced failover of a protected instance is begun, whatever the case of its name."""
    instance = Instance()
    _service(tmp_path, instance).reboot_db_instance({**FORCED, "DBInstanceIdentifier": "Payments"})
    assert instance.asked == ["fail over"]


@pytest.mark.parametrize(
    ("asked", "listed"),
    [
        ({}, ["orders", "payments"]),
        ({"DBInstanceIdentifier": "PAYMENTS"}, ["payments"]),
        ({"DBInstanceIdentifier": RECORD.arn}, ["payments"]),
        ({"Filters": [{"Name": "db-instance-id", "Values": ["orders"]}]}, ["orders"]),
    ],
)
def test_listing(tmp_path: Path, asked: dict[str, Any], listed: list[str]) -> None:
    """Instances are listed in order: all, one by name or ARN, or those that pass a filter."""
    service = _service(tmp_path, Instance(), Instance(replace(RECORD, identifier="orders")))
    answer = service.describe_db_instances(asked)
    assert [one["DBInstanceIdentifier"] for one in answer["DBInstances"]] == listed
    assert "Marker" not in answer


def test_listing_what_is_not_there(tmp_path: Path) -> None:
    """A name that no instance has is not found, by name or ARN."""
    for wanted in ("nobody", RECORD.arn.replace("payments", "nobody")):
        with pytest.raises(AwsError) as caught:
            _service(tmp_path, Instance()).describe_db_instances({"DBInstanceIdentifier": wanted})
        assert caught.value.code == "DBInstanceNotFound"


def test_a_role_change_is_known_when_its_event_is_kept_no_more(tmp_path: Path) -> None:
    """A long drill's other events push a failover off the list, and how often the primary changed only grows."""
    region = _region(tmp_path)
    told = [
        EventRecord.of(RECORD, code, "", "", clock=region.clock)
        for code in ("RDS-EVENT-0049", "RDS-EVENT-0006")
    ]
    for event in (told[0], *told[1:] * 2000):
        region.keep_event(event)
    assert told[0] not in region.events()
    assert region.role_changes(RECORD.resource_id) == (told[0],)
    region.keep_event(EventRecord.of(RECORD, "RDS-EVENT-0003", "", "", clock=region.clock))
    assert region.role_changes(RECORD.resource_id) == ()
