"""`CopyDBSnapshot`: in the region, or from another one, under a key of the region that the copy is made in."""

from __future__ import annotations

import logging
import shutil
import threading
from typing import TYPE_CHECKING, Any

from drdrill.aws.errors import AwsError, NotImplementedInMirrorError
from drdrill.aws.rds.keys import name_key
from drdrill.aws.rds.snapshots import (
    SnapshotKind,
    SnapshotRecord,
    SnapshotStatus,
    describe_snapshot,
    new_folder,
    not_found,
    read_identifier,
    tell_snapshot,
)
from drdrill.aws.rds.tags import read_tags
from drdrill.core.errors import DrdrillError
from drdrill.dataplane.postgresql_backup import verify_backup

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.protocol import Parameters
    from drdrill.aws.rds.region import RdsRegion

_logger = logging.getLogger(__name__)
# A pre-signed URL is read in AWS GovCloud alone (API reference, CopyDBSnapshot): SDKs send it, other regions ignore it.
_KNOWN = frozenset({
    "SourceDBSnapshotIdentifier", "TargetDBSnapshotIdentifier", "KmsKeyId", "Tags", "CopyTags", "PreSignedUrl",
    "SourceRegion",
})  # fmt: skip


class SnapshotCopyOperations:
    """The operation that makes snapshots of a region of other ones."""

    def __init__(self, region: RdsRegion) -> None:
        self._region = region

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return {"CopyDBSnapshot": self.copy_db_snapshot}

    def copy_db_snapshot(self, parameters: Parameters) -> Mapping[str, Any]:
        """Start to copy a snapshot; it is `available` when the copy was read from end to end."""
        for name in sorted(parameters.keys() - _KNOWN):
            raise NotImplementedInMirrorError(f"The parameter {name} of rds:CopyDBSnapshot")
        region = self._region
        identifier = read_identifier(parameters["TargetDBSnapshotIdentifier"], "TargetDBSnapshotIdentifier")
        source = self._find_source(parameters["SourceDBSnapshotIdentifier"])
        if source.status is not SnapshotStatus.AVAILABLE:
            text = f"Cannot copy the snapshot because it is not currently in the available state: {source.status}."
            raise AwsError("InvalidDBSnapshotState", text)
        key = self._choose_key(source, parameters.get("KmsKeyId"))
        region.snapshots.refuse_taken(identifier)
        if not source.folder.hold():
            raise not_found(source.identifier)
        tags = read_tags(parameters)
        if parameters.get("CopyTags", False) and not tags:
            tags = source.tags
        copy = SnapshotRecord(
            identifier=identifier,
            region=region.name,
            kind=SnapshotKind.MANUAL,
            instance=source.instance,
            folder=new_folder(region),
            created_at=region.clock.utc(),
            original_created_at=source.original_created_at,
            kms_key=key,
            status=SnapshotStatus.CREATING,
            source_arn=source.arn,
            tags=tags,
        )
        try:
            region.snapshots.add(copy)
        except AwsError:
            source.folder.let_go()
            raise
        threading.Thread(
            target=self._copy, args=(source, copy), name=f"copy-{identifier}", daemon=True
        ).start()
        return {"DBSnapshot": describe_snapshot(copy)}

    def _find_source(self, name: str) -> SnapshotRecord:
        """Return a snapshot of this region by identifier or ARN, one of another region by ARN."""
        if not name.startswith("arn:"):
            return self._region.snapshots.find(name)
        elsewhere = self._region.reach(name.split(":")[3]) if name.count(":") > 5 else None  # noqa: PLR2004 (an ARN's parts)
        if elsewhere is None:
            raise not_found(name)
        return elsewhere.snapshots.find(name)

    def _choose_key(self, source: SnapshotRecord, key: str | None) -> str | None:
        """Return the key of the copy; an encrypted one that leaves its region needs one that is there."""
        if key:
            return name_key(key, self._region)
        if source.kms_key and source.region != self._region.name:
            text = "Must specify new KMS key for cross region encrypted snapshot copy."
            raise AwsError("InvalidParameterValue", text)
        return source.kms_key

    def _copy(self, source: SnapshotRecord, copy: SnapshotRecord) -> None:
        region, across = self._region, source.region != self._region.name
        where = f"from region {source.region}" if across else f"in region {region.name}"
        tell_snapshot(
            region,
            copy,
            "RDS-EVENT-0059" if across else "RDS-EVENT-0196",
            f"Started copy of snapshot {source.identifier} {where}",
            "notification",
        )
        try:
            shutil.copytree(source.data, copy.data)
            verify_backup(copy.data)
        except (DrdrillError, OSError) as error:
            _logger.warning("the snapshot %s was not copied: %s", copy.identifier, error)
            region.snapshots.change(copy.identifier, status=SnapshotStatus.FAILED)
            text = f"Copy of snapshot {source.identifier} failed: {error}"
            tell_snapshot(region, copy, "MIRROR-SNAPSHOT-FAILED", text, "failure")
            return
        finally:
            source.folder.let_go()
        region.snapshots.change(
            copy.identifier, status=SnapshotStatus.AVAILABLE, finished_at=source.finished_at
        )
        tell_snapshot(
            region,
            copy,
            "RDS-EVENT-0060" if across else "RDS-EVENT-0197",
            f"Finished copy of snapshot {source.identifier} {where}",
            "notification",
        )
