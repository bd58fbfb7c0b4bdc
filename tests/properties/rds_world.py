"""Two regions of RDS behind a gate: instances that stand for their statuses, and no server behind any of them.

An instance that a call makes is a real one, finds no machine, and fails.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self, cast
from urllib.parse import urlencode

from botocore.parsers import create_parser

from drdrill.aws.protocol import load_model
from drdrill.aws.rds.api import RdsService
from drdrill.aws.rds.backups_log import ArchivedLog
from drdrill.aws.rds.model import InstanceRecord, PendingChanges, RdsSettings, Status
from drdrill.aws.rds.parameter_groups import ParameterGroup
from drdrill.aws.rds.reconciler import Reconciler
from drdrill.aws.rds.region import RdsRegion
from drdrill.aws.rds.snapshots import SnapshotKind, SnapshotStatus, begin_snapshot
from drdrill.aws.rds.subnet_groups import SubnetGroup
from drdrill.core.clock import SystemClock
from drdrill.core.errors import EnvironmentFailedError
from drdrill.core.waiting import wait_until
from drdrill.mirror.backup_store import FolderStore
from tests.aws.places import AllGroups, AllKeys, FewSubnets
from tests.aws.sdk import Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from drdrill.aws.ports import Fleet, Names
    from drdrill.aws.rds.snapshots import SnapshotRecord

HOME, AWAY = "eu-west-1", "eu-central-1"
ARN = "arn:aws:rds:{}:000000000000:{}:{}"
RECORD = InstanceRecord(
    identifier="orders", resource_id="db-ORDERS", region=HOME, instance_class="db.r6g.large", allocated_storage=100,
    engine_version="18.1", master_username="somebody", database="shop", multi_az=True, publicly_accessible=True,
    deletion_protection=False, endpoint="e", status=Status.AVAILABLE, zone="eu-west-1a", secondary_zone="eu-west-1b",
    backup_retention_days=7, created_at=datetime(2026, 11, 1, tzinfo=UTC), parameter_group="tuned",
)  # fmt: skip


@dataclass
class Machines:
    """A fleet that has no machine left."""

    region: str
    backups: FolderStore

    @property
    def zones(self) -> tuple[str, ...]:
        """Return three zones."""
        return tuple(f"{self.region}{letter}" for letter in "abc")

    def create_host(self, name: str, zone: str, *, disk_bytes: int) -> object:
        """Refuse."""
        raise EnvironmentFailedError(f"no machine for {name} in {zone} with {disk_bytes} bytes.")


class NoNames:
    """A DNS without names."""

    def publish(self, name: str, addresses: tuple[str, ...], *, ttl_seconds: int) -> None:
        """Do nothing."""

    def withdraw(self, name: str) -> None:
        """Do nothing."""


@dataclass
class Backups:
    """Takes a snapshot if the instance is available, and never comes to its end."""

    of: Standing
    retain_automated: bool = False

    def take(
        self, snapshot: SnapshotRecord, *, meanwhile: Status, then: Callable[[], object] = lambda: None
    ) -> bool:
        """Begin."""
        del snapshot, then
        return self.of.change(lambda record: replace(record, status=meanwhile), allowed=(Status.AVAILABLE,))


@dataclass
class Standing:
    """A reconciler that does nothing of what it is asked for: its status says what is to be done."""

    record: InstanceRecord
    can_fail_over: bool = True
    backups: Backups = field(init=False)

    def __post_init__(self) -> None:
        self.backups = Backups(self)

    def change(
        self, change: Callable[[InstanceRecord], InstanceRecord], *, allowed: tuple[Status, ...]
    ) -> bool:
        """Change the record if its status allows it."""
        if self.record.status in allowed:
            self.record = change(self.record)
            return True
        return False

    def request(
        self,
        action: str,
        *,
        allowed: tuple[Status, ...],
        change: Callable[[InstanceRecord], InstanceRecord] = lambda record: record,
    ) -> bool:
        """Change the record and its status if that allows it."""
        status = {
            "fail over": Status.REBOOTING, "reboot": Status.REBOOTING, "delete": Status.DELETING,
            "rename": Status.RENAMING, "reset credentials": Status.RESETTING_CREDENTIALS,
            "stop": Status.STOPPING, "start": Status.STARTING,
        }.get(action, Status.MODIFYING)  # fmt: skip
        return self.change(lambda record: replace(change(record), status=status), allowed=allowed)

    def note_parameters(self) -> None:
        """Do nothing."""

    @property
    def instance(self) -> Self:
        """Return what a replica follows."""
        return self


@dataclass(frozen=True)
class World:
    """Two regions behind a gate; `standing` are the instances that no call has made."""

    regions: Mapping[str, RdsRegion]
    standing: tuple[Standing, ...]
    wire: Wire

    @classmethod
    def make(cls, folder: Path, statuses: list[Status], snapshots: list[SnapshotStatus]) -> Self:
        """Return a world whose instances and snapshots have these statuses."""
        rds = RdsSettings(timedelta(seconds=2), fencing=True, asynchronous_delay=None, disk_bytes=1)
        regions = {
            name: RdsRegion(
                cast("Fleet", Machines(name, FolderStore(folder / name))),
                cast("Names", NoNames()), rds, SystemClock(), folder,
                subnets=FewSubnets(tuple(f"{name}{letter}" for letter in "abc")), keys=AllKeys(name),
                security_groups=AllGroups(),
            )
            for name in (HOME, AWAY)
        }  # fmt: skip
        home = regions[HOME]
        for region in regions.values():
            region.elsewhere = regions
        family = home.parameter_groups.family
        home.parameter_groups.add(ParameterGroup("tuned", family, "tuned", HOME))
        home.parameter_groups.add(ParameterGroup("unused", family, "unused", HOME))
        placed = home.subnet_groups.place(("subnet-00000001", "subnet-00000002"))
        home.subnet_groups.add(SubnetGroup("two", "two", HOME, placed))
        source = replace(RECORD, engine_version=home.engine_version, subnet_group="two")
        records = (
            replace(source, replica_arns=(ARN.format(HOME, "db", "reader"),), endpoint="o"),
            replace(
                source, identifier="reader", resource_id="db-READER", multi_az=False, secondary_zone=None,
                source_arn=source.arn, backup_retention_days=0, endpoint="r",
            ),
            replace(source, identifier="small", resource_id="db-SMALL", multi_az=False, secondary_zone=None,
                    backup_retention_days=0, deletion_protection=True, parameter_group="default.postgres18"),
            replace(source, identifier="plain", resource_id="db-PLAIN", multi_az=False, subnet_group=None,
                    kms_key=f"arn:aws:kms:{HOME}:000000000000:key/11111111-2222-3333-4444-555555555555",
                    pending=PendingChanges(instance_class="db.r6g.xlarge")),
        )  # fmt: skip
        standing = tuple(
            Standing(replace(one, status=status)) for one, status in zip(records, statuses, strict=True)
        )
        for one in standing:
            home.add(one.record.identifier, lambda one=one: cast("Reconciler", one))  # type: ignore[misc]
        for number, status in enumerate(snapshots):
            record = begin_snapshot(
                home, standing[number % len(standing)].record, f"snap-{number}", SnapshotKind.MANUAL
            )
            home.snapshots.change(record.identifier, status=status, finished_at=record.created_at)
        automated = begin_snapshot(home, standing[0].record, "rds:orders-day", SnapshotKind.AUTOMATED)
        log = ArchivedLog(home, standing[0].record)
        home.logs_archived.add(log)
        if snapshots[0] is SnapshotStatus.AVAILABLE:
            home.snapshots.change(
                automated.identifier, status=SnapshotStatus.AVAILABLE, finished_at=automated.created_at
            )
            log.note(automated.created_at + timedelta(hours=1), standing[0].record)
        services = {(name, "rds"): RdsService(region) for name, region in regions.items()}
        return cls(regions, standing, Wire(services))

    def read(self) -> object:
        """Return all that a call may change at once; what becomes of instances that calls made is another thing."""
        return [
            (
                [one.record for one in self.standing],
                sorted(region.snapshots.all(), key=lambda one: one.identifier),
                sorted((group.name, str(group.settings()), group.tags) for group in region.parameter_groups.all()),
                region.subnet_groups.all(),
                [repr(log) for log in region.logs_archived.all() if log.instance.resource_id == "db-ORDERS"],
            )
            for region in self.regions.values()
        ]  # fmt: skip

    def read_names(self) -> set[tuple[str, str]]:
        """Return region and name of every instance."""
        return {
            (name, one.record.identifier)
            for name, region in self.regions.items()
            for one in region.instances()
        }

    def call(self, region: str, body: Mapping[str, str]) -> tuple[int, Mapping[str, Any]]:
        """Send a call's form and return the HTTP status and what an SDK makes of the answer."""
        scope = f"Credential=nobody/20261128/{region}/rds/aws4_request, SignedHeaders=host, Signature=0"
        environ = {
            "REQUEST_METHOD": "POST", "PATH_INFO": "/", "QUERY_STRING": "", "HTTP_HOST": f"rds.{region}.amazonaws.com",
            "CONTENT_TYPE": "application/x-www-form-urlencoded", "HTTP_AUTHORIZATION": f"AWS4-HMAC-SHA256 {scope}",
        }  # fmt: skip
        status, headers, document = self.wire.call(environ, urlencode(body).encode())
        number = int(status.split()[0])
        response = {"status_code": number, "headers": headers, "body": document}
        shape = load_model("rds").operation_model(body["Action"]).output_shape
        parsed: Mapping[str, Any] = create_parser("query").parse(response, shape)
        return number, parsed

    def close(self) -> None:
        """End the threads of the instances that calls made."""
        made = [
            one
            for region in self.regions.values()
            for one in region.instances()
            if isinstance(one, Reconciler)
        ]
        for one in made:
            wait_until(
                lambda one=one: one.request("delete", allowed=(Status.FAILED,)) or one.record.status is Status.DELETING,  # type: ignore[misc]
                what=f"the end of {one.record}", within=timedelta(seconds=20), every=timedelta(milliseconds=1),
            )  # fmt: skip
