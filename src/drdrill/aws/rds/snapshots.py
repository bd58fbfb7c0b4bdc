"""The DB snapshots of one region: what each is of, where its bytes are, and whether they are whole."""

from __future__ import annotations

import re
import secrets
import threading
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from drdrill.aws.errors import AwsError
from drdrill.aws.rds.backups_folder import SharedFolder
from drdrill.aws.rds.model import ACCOUNT, EventRecord
from drdrill.dataplane.postgresql_programs import PORT

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from drdrill.aws.rds.model import InstanceRecord
    from drdrill.aws.rds.region import RdsRegion

_IDENTIFIER = re.compile(r"[a-zA-Z](?!.*--)[a-zA-Z0-9-]{0,254}(?<!-)")
_RANDOM_BYTES = 6


class SnapshotKind(StrEnum):
    """Who took a snapshot, in AWS's words."""

    MANUAL = "manual"
    AUTOMATED = "automated"


class SnapshotStatus(StrEnum):
    """How far it is, in AWS's words; `available` only when all of its bytes were read and compared."""

    CREATING = "creating"
    AVAILABLE = "available"
    FAILED = "failed"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class SnapshotRecord:
    """A DB snapshot as the API describes it."""

    identifier: str
    region: str
    kind: SnapshotKind
    instance: InstanceRecord  # as it was
    folder: SharedFolder = field(repr=False)
    created_at: datetime
    original_created_at: datetime
    kms_key: str | None
    status: SnapshotStatus = SnapshotStatus.CREATING
    finished_at: datetime | None = None  # from when on a recovery from it can end
    source_arn: str | None = None  # of a copy
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def arn(self) -> str:
        """The Amazon Resource Name."""
        return f"arn:aws:rds:{self.region}:{ACCOUNT}:snapshot:{self.identifier}"

    @property
    def data(self) -> Path:
        """The base backup."""
        return self.folder.path / "data"


class Snapshots:
    """All snapshots of a region by identifier. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: dict[str, SnapshotRecord] = {}

    def all(self) -> tuple[SnapshotRecord, ...]:
        """Return all snapshots."""
        with self._lock:
            return tuple(self._records.values())

    def find(self, name: str) -> SnapshotRecord:
        """Return a snapshot by identifier or ARN; raises AWS's DBSnapshotNotFound."""
        wanted = name.lower()
        with self._lock:
            found = self._records.get(wanted) or next(
                (one for one in self._records.values() if one.arn == wanted), None
            )
        if found is None:
            raise not_found(name)
        return found

    def refuse_taken(self, identifier: str) -> None:
        """Raise AWS's DBSnapshotAlreadyExists when there is a snapshot of this name."""
        with self._lock:
            self._refuse_taken(identifier)

    def add(self, record: SnapshotRecord) -> None:
        """Enter a new snapshot; raises AWS's DBSnapshotAlreadyExists, and discards its folder then."""
        with self._lock:
            try:
                self._refuse_taken(record.identifier)
            except AwsError:
                record.folder.discard()
                raise
            self._records[record.identifier] = record

    def _refuse_taken(self, identifier: str) -> None:
        if identifier in self._records:
            text = f"Cannot create the snapshot because a snapshot with the identifier {identifier} already exists."
            raise AwsError("DBSnapshotAlreadyExists", text)

    def change(self, identifier: str, **changes: Any) -> SnapshotRecord:
        """Change a snapshot's record and return it as it is now; raises AWS's DBSnapshotNotFound."""
        with self._lock:
            found = self._records.get(identifier)
            if found is None:
                raise not_found(identifier)
            self._records[identifier] = changed = replace(found, **changes)
        return changed

    def withdraw(self, identifier: str) -> None:
        """Take a snapshot off the list that was entered and is not going to be taken."""
        with self._lock:
            self._records.pop(identifier).folder.discard()

    def remove(self, identifier: str) -> SnapshotRecord:
        """Take a snapshot that is not being made off the list, and its bytes away; raises AWS's errors."""
        with self._lock:
            found = self._records.get(identifier)
            if found is None:
                raise not_found(identifier)
            if found.status is SnapshotStatus.CREATING:
                text = f"Cannot delete the snapshot because it is not currently in the available state: {found.status}."
                raise AwsError("InvalidDBSnapshotState", text)
            del self._records[identifier]
        found.folder.discard()
        return replace(found, status=SnapshotStatus.DELETED)


def not_found(name: str) -> AwsError:
    """Return AWS's error for a snapshot that is not there."""
    return AwsError("DBSnapshotNotFound", f"DBSnapshot {name} not found.", status=404)


def read_identifier(name: str, parameter: str) -> str:
    """Return the identifier that a new manual snapshot has by a parameter; raises AWS's InvalidParameterValue."""
    if not _IDENTIFIER.fullmatch(name):
        text = (
            f"The parameter {parameter} is not a valid identifier. Identifiers must begin with a letter; must contain "
            "only ASCII letters, digits, and hyphens; and must not end with a hyphen or have two hyphens in a row."
        )
        raise AwsError("InvalidParameterValue", text)
    return name.lower()


def new_folder(region: RdsRegion) -> SharedFolder:
    """Make the folder of a new snapshot; not by its name: that may be given again while the old one is still read."""
    return SharedFolder(region.fleet.backups, f"snapshot-{secrets.token_hex(_RANDOM_BYTES)}")


def begin_snapshot(
    region: RdsRegion,
    instance: InstanceRecord,
    identifier: str,
    kind: SnapshotKind,
    *,
    tags: tuple[tuple[str, str], ...] = (),
) -> SnapshotRecord:
    """Enter a snapshot of an instance that is to be taken now; raises AWS's DBSnapshotAlreadyExists."""
    region.snapshots.refuse_taken(identifier)
    now = region.clock.utc()
    record = SnapshotRecord(
        identifier=identifier,
        region=region.name,
        kind=kind,
        instance=instance,
        folder=new_folder(region),
        created_at=now,
        original_created_at=now,
        kms_key=instance.kms_key,
        tags=tags,
    )
    region.snapshots.add(record)
    return record


def tell_snapshot(
    region: RdsRegion, snapshot: SnapshotRecord, code: str, message: str, category: str
) -> None:
    """Publish an event of a snapshot."""
    region.keep_event(
        EventRecord(
            at=region.clock.utc(),
            at_ns=region.clock.now_ns(),
            identifier=snapshot.identifier,
            arn=snapshot.arn,
            code=code,
            message=message,
            categories=(category,),
            source_type="db-snapshot",
        )
    )


def describe_snapshot(record: SnapshotRecord) -> dict[str, Any]:
    """Return a `DBSnapshot` of the API."""
    instance = record.instance
    return {
        "DBSnapshotIdentifier": record.identifier,
        "DBSnapshotArn": record.arn,
        "DBInstanceIdentifier": instance.identifier,
        "DbiResourceId": instance.resource_id,
        "InstanceCreateTime": instance.created_at,
        "AvailabilityZone": instance.zone,
        "SnapshotCreateTime": record.created_at,
        "OriginalSnapshotCreateTime": record.original_created_at,
        "SnapshotType": record.kind.value,
        "Status": record.status.value,
        "PercentProgress": 100 if record.status is SnapshotStatus.AVAILABLE else 0,
        "Engine": "postgres",
        "EngineVersion": instance.engine_version,
        "LicenseModel": "postgresql-license",
        "AllocatedStorage": instance.allocated_storage,
        "StorageType": "gp3",
        "Port": PORT,
        "MasterUsername": instance.master_username,
        "BackupRetentionPeriod": instance.backup_retention_days,
        "Encrypted": record.kms_key is not None,
        "KmsKeyId": record.kms_key,
        "IAMDatabaseAuthenticationEnabled": False,
        "SourceRegion": _region_of(record.source_arn),
        "SourceDBSnapshotIdentifier": record.source_arn,
        "SnapshotTarget": "region",
        "TagList": [{"Key": key, "Value": value} for key, value in record.tags],
    }


def _region_of(arn: str | None) -> str | None:
    return arn.split(":")[3] if arn else None
