"""The storage of an instance's primary: the instance is `storage-full` while nothing more fits on its disk.

AWS does not fail over for that (RDS User Guide, "DB instance status": `storage-full` is a critical status, to be
resolved by more storage): the standby's volume is as large.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from drdrill.aws.rds.model import Status

if TYPE_CHECKING:
    from drdrill.aws.rds.instance import Instance

_FULL_BYTES = 1 << 20  # free; PostgreSQL makes a table longer by up to 64 pages of 8 KiB at once
_SPACE_BYTES = 16 << 20  # free; so that the status does not flutter: a segment of the log


class StorageWatch:
    """Says `storage-full` and `available` of an instance. Called from the reconciler's thread alone."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    def look(self) -> None:
        """Look once; raises psycopg's error when there is space again, but it does not serve."""
        instance, primary = self._instance, self._instance.primary
        if primary is None or not primary.host.powered:
            return
        about = os.statvfs(primary.host.disk)
        free_bytes = about.f_bavail * about.f_frsize
        if free_bytes < _FULL_BYTES:
            if instance.set_if((Status.AVAILABLE,), Status.STORAGE_FULL):
                text = "Allocated storage has been exhausted. Allocate additional storage to resolve."
                instance.tell("RDS-EVENT-0007", text, "low storage")
        elif instance.record.status is Status.STORAGE_FULL and free_bytes >= _SPACE_BYTES:
            instance.prove(primary)
            instance.set_if((Status.STORAGE_FULL,), Status.AVAILABLE)
