"""Requests for read replicas: what is inherited, what AWS refuses, and what the mirror cannot do."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest

from drdrill.aws.errors import AwsError
from drdrill.aws.rds.model import InstanceRecord, RdsSettings, Status
from drdrill.aws.rds.region import RdsRegion
from drdrill.aws.rds.replica_request import check_replica, describe_new, read_source
from drdrill.aws.rds.replicas import ReplicaOperations
from drdrill.core.clock import SystemClock
from tests.aws.places import AllGroups, AllKeys, FewSubnets
from tests.aws.sdk import NOBODY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from drdrill.aws.ports import Fleet, Names
    from drdrill.aws.rds.reconciler import Reconciler

HOME, AWAY = "eu-west-1", "eu-central-1"
KEY = f"arn:aws:kms:{HOME}:000000000000:key/11111111-2222-3333-4444-555555555555"
SOURCE = InstanceRecord(
    identifier="orders", resource_id="db-1", region=HOME, instance_class="db.r6g.large", allocated_storage=100,
    engine_version="18.1", master_username="somebody", database="shop", multi_az=True, publicly_accessible=True,
    deletion_protection=True, endpoint="e", status=Status.AVAILABLE, zone="eu-west-1a", secondary_zone="eu-west-1b",
    backup_retention_days=7, tags=(("team", "shop"),), subnet_group=None,
)  # fmt: skip
ASKED = {"DBInstanceIdentifier": "Reader", "SourceDBInstanceIdentifier": SOURCE.arn}


@dataclass
class Machines:
    """A fleet of no machines."""

    region: str
    zones: tuple[str, ...]


@dataclass
class Instance:
    """A reconciler without servers: notes what it was asked for."""

    record: InstanceRecord
    asked: list[str] = field(default_factory=list)

    def request(
        self,
        action: str,
        *,
        allowed: tuple[Status, ...],
        change: Callable[[InstanceRecord], InstanceRecord],
    ) -> bool:
        """Note an action, if the status allows it."""
        if self.record.status not in allowed:
            return False
        self.record = replace(change(self.record), status=Status.MODIFYING)
        self.asked.append(action)
        return True


@pytest.fixture
def regions(tmp_path: Path) -> dict[str, RdsRegion]:
    """Return two regions that know each other."""
    settings = RdsSettings(timedelta(seconds=2), fencing=True, asynchronous_delay=None, disk_bytes=1)
    regions = {
        name: RdsRegion(
            cast("Fleet", Machines(name, tuple(f"{name}{letter}" for letter in "abc"))),
            cast("Names", None),
            settings,
            SystemClock(),
            tmp_path,
            subnets=FewSubnets(),
            keys=AllKeys(name),
            security_groups=AllGroups(),
        )
        for name in (HOME, AWAY)
    }
    for region in regions.values():
        region.elsewhere = regions
    return regions


def _describe(
    regions: dict[str, RdsRegion], where: str, source: InstanceRecord, **changes: Any
) -> InstanceRecord:
    parameters = {**ASKED, **changes}
    check_replica(parameters, source, regions[where])
    return describe_new(parameters, source, regions[where])


def test_what_is_inherited(regions: dict[str, RdsRegion]) -> None:
    """A replica is as its source, in a zone without a server of it, without its tags, backups and protection."""
    record = _describe(regions, HOME, SOURCE)
    same = ("instance_class", "allocated_storage", "engine_version", "master_username", "database")
    assert [getattr(record, name) for name in same] == [getattr(SOURCE, name) for name in same]
    assert (record.identifier, record.zone, record.source_arn) == ("reader", "eu-west-1c", SOURCE.arn)
    assert not record.zone_named
    assert _describe(regions, HOME, SOURCE, AvailabilityZone="eu-west-1a").zone_named
    assert (record.multi_az, record.backup_retention_days, record.tags) == (False, 0, ())
    assert record.deletion_protection is False
    assert record.status is Status.CREATING


def test_what_is_said(regions: dict[str, RdsRegion]) -> None:
    """What a request says goes before what is inherited."""
    wanted = {
        "DBInstanceClass": "db.t4g.micro",
        "AvailabilityZone": "eu-central-1b",
        "PubliclyAccessible": False,
        "DeletionProtection": True,
        "Tags": [{"Key": "a", "Value": "b"}],
    }
    record = _describe(regions, AWAY, SOURCE, **wanted)
    assert (record.region, record.zone, record.instance_class) == (AWAY, "eu-central-1b", "db.t4g.micro")
    assert (record.publicly_accessible, record.deletion_protection) == (False, True)
    assert record.tags == (("a", "b"),)


@pytest.mark.parametrize(
    ("source", "changes", "code"),
    [
        ({"status": Status.REBOOTING}, {}, "InvalidDBInstanceState"),
        ({"backup_retention_days": 0}, {}, "InvalidDBInstanceState"),
        ({"replica_arns": ("x",) * 15}, {}, "InstanceQuotaExceeded"),
        ({"source_arn": "another"}, {}, "NotImplemented"),
        ({}, {"DBInstanceIdentifier": "-"}, "InvalidParameterValue"),
        ({}, {"DBInstanceClass": "huge"}, "InvalidParameterValue"),
        ({}, {"AvailabilityZone": "eu-west-1a"}, "InvalidParameterValue"),
        ({}, {"MultiAZ": True}, "NotImplemented"),
        ({}, {"ReplicaMode": "mounted"}, "NotImplemented"),
        ({}, {"MultiAZ": False, "Port": 5433}, "NotImplemented"),
        ({}, {"KmsKeyId": "alias/x"}, "InvalidParameterCombination"),
        ({"kms_key": KEY}, {}, "InvalidParameterCombination"),
        ({"kms_key": KEY}, {"KmsKeyId": KEY}, "KMSKeyNotAccessibleFault"),
        ({}, {"DBParameterGroupName": "nobodys"}, "DBParameterGroupNotFound"),
        ({}, {"DBSubnetGroupName": "nobodys"}, "DBSubnetGroupNotFoundFault"),
    ],
)
def test_what_is_refused(
    regions: dict[str, RdsRegion], source: dict[str, Any], changes: dict[str, Any], code: str
) -> None:
    """What no replica can be is refused with AWS's code, what the mirror cannot do by name."""
    with pytest.raises(AwsError) as caught:
        _describe(regions, AWAY, replace(SOURCE, **source), **changes)
    assert caught.value.code == code


def test_keys(regions: dict[str, RdsRegion]) -> None:
    """An encrypted source's replica has its key, or in another region the one that is named there."""
    encrypted = replace(SOURCE, kms_key=KEY)
    assert _describe(regions, HOME, encrypted).kms_key == KEY
    other = KEY.replace(HOME, AWAY)
    assert _describe(regions, AWAY, encrypted, KmsKeyId=other).kms_key == other
    with pytest.raises(AwsError) as caught:
        _describe(regions, HOME, encrypted, KmsKeyId=KEY.replace("1111", "9999"))
    assert caught.value.code == "InvalidParameterCombination"


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({}, "MissingParameter"),
        ({"SourceDBClusterIdentifier": "cluster"}, "NotImplemented"),
        ({"SourceDBInstanceIdentifier": "arn:aws:s3:::bucket"}, "InvalidParameterValue"),
        ({"SourceDBInstanceIdentifier": SOURCE.arn, "SourceRegion": AWAY}, "InvalidParameterValue"),
        ({"SourceDBInstanceIdentifier": SOURCE.arn, "PreSignedUrl": "x"}, "InvalidParameterValue"),
        ({"SourceDBInstanceIdentifier": SOURCE.arn, "PreSignedUrl": "https://[x"}, "InvalidParameterValue"),
    ],
)
def test_sources_that_cannot_be(asked: dict[str, str], code: str) -> None:
    """A request has to name one instance, and what it says besides has to agree with that."""
    with pytest.raises(AwsError) as caught:
        read_source(asked, AWAY)
    assert caught.value.code == code


@pytest.mark.parametrize(("region", "agrees"), [(HOME, True), (AWAY, False)])
def test_what_an_sdk_signs_for_the_source(region: str, agrees: bool) -> None:
    """`SourceRegion` reaches the service as a presigned request for that region: it has to be the source's."""
    sent: list[dict[str, Any]] = []
    client = boto3.Session(NOBODY, NOBODY, region_name=AWAY).client("rds")

    def catch(params: dict[str, Any], **_: object) -> tuple[Any, dict[str, Any]]:
        sent.append(params["body"])
        return type("Answer", (), {"status_code": 200})(), {}

    client.meta.events.register("before-call.rds.CreateDBInstanceReadReplica", catch)
    client.create_db_instance_read_replica(**ASKED, SourceRegion=region)
    (body,) = sent
    assert "X-Amz-Credential" in body["PreSignedUrl"]
    if agrees:
        assert read_source(body, AWAY).region == HOME
    else:
        with pytest.raises(AwsError, match="source region"):
            read_source(body, AWAY)


@pytest.mark.parametrize(
    ("record", "parameters", "code"),
    [
        ({}, {}, "InvalidDBInstanceState"),
        ({"source_arn": "x", "status": Status.REBOOTING}, {}, "InvalidDBInstanceState"),
        ({"source_arn": "x"}, {"BackupRetentionPeriod": 36}, "InvalidParameterValue"),
        ({"source_arn": "x"}, {"PreferredBackupWindow": "04:00-04:30"}, "NotImplemented"),
        ({"identifier": "another"}, {}, "DBInstanceNotFound"),
    ],
)
def test_promotions_that_cannot_be(
    regions: dict[str, RdsRegion], record: dict[str, Any], parameters: dict[str, Any], code: str
) -> None:
    """What is no available replica is not promoted, and nothing happens to it."""
    instance = Instance(replace(SOURCE, **record))
    regions[HOME].add(instance.record.identifier, lambda: cast("Reconciler", instance))
    with pytest.raises(AwsError) as caught:
        ReplicaOperations(regions[HOME]).promote_read_replica(
            {"DBInstanceIdentifier": "orders", **parameters}
        )
    assert caught.value.code == code
    assert instance.asked == []


@pytest.mark.parametrize(("parameters", "days"), [({}, 1), ({"BackupRetentionPeriod": 0}, 0)])
def test_a_promotion(regions: dict[str, RdsRegion], parameters: dict[str, Any], days: int) -> None:
    """A promotion is begun with the retention that is asked for, or AWS's default of a day."""
    instance = Instance(replace(SOURCE, source_arn=SOURCE.arn + "s", backup_retention_days=0))
    regions[HOME].add("orders", lambda: cast("Reconciler", instance))
    answer = ReplicaOperations(regions[HOME]).promote_read_replica(
        {"DBInstanceIdentifier": "orders", **parameters}
    )
    assert answer["DBInstance"]["DBInstanceStatus"] == "modifying"
    assert answer["DBInstance"]["BackupRetentionPeriod"] == days
    assert instance.asked == ["promote"]
