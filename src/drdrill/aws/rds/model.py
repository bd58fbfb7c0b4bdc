"""What RDS knows of an instance, and its events: values, replaced as a whole when something changes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from drdrill.dataplane.link import LinkCondition

if TYPE_CHECKING:
    from datetime import datetime

    from drdrill.core.clock import Clock


class Status(StrEnum):
    """The statuses that the mirror uses, in AWS's words (RDS User Guide, "DB instance status").

    ::

        creating ──▶ available ◀──▶ rebooting ──▶ failed
                      ▲     └──▶ deleting ──▶ (gone)
                      └──▶ backing-up, modifying, renaming, resetting-master-credentials, stopping (`restart`)

    `available` is said only while the primary accepts writes and its endpoint answers with its address; the same is
    true while it is `backing-up`.
    """

    CREATING = "creating"
    AVAILABLE = "available"
    BACKING_UP = "backing-up"
    REBOOTING = "rebooting"
    STORAGE_FULL = "storage-full"
    INCOMPATIBLE_PARAMETERS = "incompatible-parameters"
    INCOMPATIBLE_RESTORE = "incompatible-restore"
    STOPPING = "stopping"
    STOPPED = "stopped"
    STARTING = "starting"
    MODIFYING = "modifying"
    RENAMING = "renaming"
    RESETTING_CREDENTIALS = "resetting-master-credentials"
    DELETING = "deleting"
    FAILED = "failed"


class Replication(StrEnum):
    """How a read replica follows its source, in AWS's words (API reference, `DBInstanceStatusInfo`)."""

    REPLICATING = "replicating"
    ERROR = "error"
    TERMINATED = "terminated"


@dataclass(frozen=True, slots=True)
class RdsSettings:
    """How the emulated control plane behaves: what a customer of AWS cannot see or set."""

    failure_detection: timedelta
    fencing: bool
    asynchronous_delay: timedelta | None  # None: synchronous, as AWS does it
    disk_bytes: int
    log_upload: timedelta = timedelta(
        minutes=5
    )  # RDS User Guide, "Restoring a DB instance to a specified time"
    inter_region_link: LinkCondition = field(default_factory=LinkCondition)


@dataclass(frozen=True, slots=True)
class PendingChanges:
    """What was asked of an instance and is not true of it yet: each is what it is to be, None where nothing changes."""

    instance_class: str | None = None
    allocated_storage: int | None = None
    multi_az: bool | None = None
    backup_retention_days: int | None = None
    identifier: str | None = None
    password: str | None = field(default=None, repr=False)
    due: frozenset[str] = frozenset()  # the names of those that do not wait for the maintenance window

    def names(self) -> frozenset[str]:
        """Return the names of what is to change."""
        values = {one.name for one in fields(self) if getattr(self, one.name) is not None}
        return frozenset(values - {"due"})

    @property
    def status(self) -> Status:
        """What an instance says while that which is due is made true."""
        if "identifier" in self.due:
            return Status.RENAMING
        return Status.RESETTING_CREDENTIALS if self.due == {"password"} else Status.MODIFYING

    def without(self, *names: str) -> PendingChanges:
        """Return what is left when these have come true, or are not wanted any more."""
        return replace(self, due=self.due - set(names), **dict.fromkeys(names))


@dataclass(frozen=True, slots=True)
class InstanceRecord:
    """A DB instance as the API describes it."""

    identifier: str
    resource_id: str
    region: str
    instance_class: str
    allocated_storage: int
    engine_version: str
    master_username: str
    database: str | None  # made besides `postgres`, which every instance has
    multi_az: bool
    publicly_accessible: bool
    deletion_protection: bool
    endpoint: str
    created_at: datetime | None = None
    status: Status = Status.CREATING
    zone: str | None = None
    zone_named: bool = False  # it was asked for in that zone, and is made in no other one
    secondary_zone: str | None = None
    tags: tuple[tuple[str, str], ...] = field(default=())
    backup_retention_days: int = 0
    latest_restorable: datetime | None = None  # until when its log is among its backups
    kms_key: str | None = (
        None  # the ARN of the key that it is encrypted with, as AWS names it; None: not encrypted
    )
    maintenance_window: str = "sun:05:00-sun:05:30"
    auto_minor_version_upgrade: bool = True  # the mirror has one minor version: there is none to upgrade to
    parameter_group: str = ""
    parameter_status: str = "in-sync"  # applying, pending-reboot, in-sync
    subnet_group: str | None = None
    security_groups: tuple[str, ...] = ()
    pending: PendingChanges = field(default_factory=PendingChanges)
    source_arn: str | None = None  # of a read replica: what it follows, or followed until that was deleted
    replication: Replication | None = None  # of a read replica
    replication_message: str = ""
    replica_arns: tuple[str, ...] = ()

    @property
    def arn(self) -> str:
        """The Amazon Resource Name."""
        return f"arn:aws:rds:{self.region}:{ACCOUNT}:db:{self.identifier}"


ACCOUNT = "000000000000"  # the mirror's account: not a possible one of anybody


def name_endpoint(identifier: str, region: str) -> str:
    """Return the DNS name of an instance's endpoint: the account and region have one word of it, as in AWS."""
    account_hash = hashlib.sha256(region.encode()).hexdigest()[:12]
    return f"{identifier}.{account_hash}.{region}.rds.amazonaws.com"


PROMOTED = "MIRROR-REPLICA-PROMOTED"
ROLE_CHANGES = frozenset(
    {"RDS-EVENT-0049", PROMOTED}
)  # the events of an instance whose primary is another one now


@dataclass(frozen=True, slots=True)
class EventRecord:
    """An RDS event. `code`, which the API does not show, is AWS's id of its kind (RDS-EVENT-…) or ours (MIRROR-…)."""

    at: datetime
    at_ns: int
    identifier: str
    arn: str
    code: str
    message: str
    categories: tuple[str, ...]
    source_type: str = "db-instance"
    resource_id: str = ""  # of an instance: it outlasts a renaming

    @classmethod
    def of(
        cls, record: InstanceRecord, code: str, message: str, category: str, *, clock: Clock
    ) -> EventRecord:
        """Return an event of an instance that happens now."""
        return cls(
            at=clock.utc(),
            at_ns=clock.now_ns(),
            identifier=record.identifier,
            arn=record.arn,
            code=code,
            message=message,
            categories=(category,),
            resource_id=record.resource_id,
        )

    @property
    def key(self) -> str:
        """What events are ordered by."""
        return f"{self.at_ns:020d}"
