"""Backups that restore and lack rows: what makes one of a snapshot, what mends it, and what looks into it.

The snapshot is started on a machine of its own, a statement takes rows out of it, and a new base backup of that takes
its place under its name: whole, by every check of its bytes, and without the rows. The bytes as they were stay beside
it, and healing puts them back. Looking is done from files alone, on the operators' host, by PostgreSQL's single-user
mode on a copy.
"""

from __future__ import annotations

import re
import shutil
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psycopg import sql

from drdrill.aws.rds.snapshots import SnapshotKind, SnapshotStatus
from drdrill.core.errors import UsageError
from drdrill.dataplane.postgresql import PostgresServer
from drdrill.dataplane.postgresql_backup import verify_backup
from drdrill.dataplane.postgresql_programs import find_binaries
from drdrill.mirror.bad_statements import count_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.rds.reconciler import Reconciler
    from drdrill.aws.rds.region import RdsRegion
    from drdrill.aws.rds.snapshots import SnapshotRecord
    from drdrill.core.clock import Clock
    from drdrill.mirror.network import Network

    Answer = Mapping[str, Any]

KINDS = frozenset({"backup_damage"})
_WHOLE, _DAMAGED = "whole", "damaged"
_SAMPLE = 20
_LOOK_WITHIN = timedelta(seconds=60)  # measured 0.7 s
_OBSERVER = "PostgreSQL's single-user mode on a copy of the backup, on the operators' host"
# Into a copy, for PostgreSQL ends the recovery of what it opens; the answer is a line like `1: count = "20"`.
_LOOK = (
    'copy=$(mktemp -d) && trap \'rm -rf "$copy"\' EXIT && cp --archive "$0/." "$copy" && '
    'rm -f "$copy/standby.signal" "$copy/recovery.signal" && printf "%s\\n" "$3" | '
    'unshare --user --map-user=1000 --map-group=1000 "$1/postgres" --single -D "$copy" '
    '-c archive_mode=off -c synchronous_standby_names= "$2"'
)
_COUNT = re.compile(r'count = "(\d+)"')


class DamagedBackups:
    """The operations, by name in `table`; called from threads of the control server. `find` returns an instance's."""

    def __init__(
        self,
        network: Network,
        rds: Mapping[str, RdsRegion],
        clock: Clock,
        *,
        find: Callable[[str], Reconciler],
    ) -> None:
        self._network = network
        self._rds = rds
        self._clock = clock
        self._find = find

    def table(self) -> Mapping[str, Callable[..., Answer]]:
        """Return the operations by name."""
        return {
            "damage_backup": self.damage_backup,
            "mend_backups": self.mend_backups,
            "look_into_backup": self.look_into_backup,
        }

    def damage_backup(self, resource: str, statement: str, doomed: str) -> Answer:
        """Take rows out of the newest snapshot that somebody made of a database. Raises `UsageError` without one."""
        record = self._find(resource).record
        region = self._rds[record.region]
        snapshots = [one for one in self._snapshots_of(resource) if one.status is SnapshotStatus.AVAILABLE]
        if not snapshots:
            raise UsageError(f"there is no snapshot of {resource} that somebody made.")
        snapshot = max(snapshots, key=lambda one: one.created_at)
        database, home = record.database or "postgres", snapshot.folder.path
        host = region.fleet.create_host(
            "backup-damage", region.fleet.zones[0], disk_bytes=region.settings.disk_bytes
        )
        try:
            server = PostgresServer(host, log=region.logs / "postgresql-backup-damage.log")
            server.start_from(snapshot.data)
            with closing(server.connect(database)) as connection:
                connection.execute(sql.SQL("set role {}").format(sql.Identifier(record.master_username)))
                keys = sorted(int(row[0]) for row in connection.execute(doomed.encode()))
                if not keys:
                    raise UsageError(f"the statement would take no row out of {snapshot.identifier}.")
                connection.execute(statement.encode())
            server.back_up(home / _DAMAGED)
        finally:
            region.fleet.release(host)
        verify_backup(home / _DAMAGED)
        before_ns = self._clock.now_ns()
        snapshot.data.rename(home / _WHOLE)
        (home / _DAMAGED).rename(snapshot.data)
        after_ns = self._clock.now_ns()
        return {
            "resource": snapshot.identifier,
            "before_ns": before_ns,
            "after_ns": after_ns,
            "details": {
                "rows": len(keys),
                "sample": keys[:_SAMPLE],
                "doomed": doomed,
                "database": database,
                "instance": resource,
                "backup": str(snapshot.data),
            },
        }

    def mend_backups(self, resource: str) -> Answer:
        """Put back what was taken out of any snapshot of a database."""
        mended = []
        for snapshot in self._snapshots_of(resource):
            whole = snapshot.folder.path / _WHOLE
            shutil.rmtree(snapshot.folder.path / _DAMAGED, ignore_errors=True)
            if whole.exists():
                shutil.rmtree(snapshot.data, ignore_errors=True)
                whole.rename(snapshot.data)
                mended.append(snapshot.identifier)
        return {"mended": mended}

    def look_into_backup(self, backup: str, database: str, query: str) -> Answer:
        """Ask a backup's files, on the operators' host, how many rows a query counts."""
        operator = self._network.find_host("operator")
        command = ["sh", "-c", _LOOK, backup, str(find_binaries()), database, query]
        said = operator.run(command, within=_LOOK_WITHIN)
        found = _COUNT.search(said)
        return {"rows": int(found[1]) if found else None, "said": said.strip().splitlines()[-1:]}

    def _snapshots_of(self, resource: str) -> list[SnapshotRecord]:
        record = self._find(resource).record
        return [
            one
            for one in self._rds[record.region].snapshots.all()
            if one.kind is SnapshotKind.MANUAL and one.instance.resource_id == record.resource_id
        ]


def observe_lack(ask: Callable[..., Answer], details: Answer) -> dict[str, Any]:
    """Look whether a sample of the rows is missing in the backup: `effective` when none of it is found."""
    found = _look(ask, details)
    return {"effective": found["rows"] == 0, "observer": _OBSERVER, **found}


def observe_whole(ask: Callable[..., Answer], details: Answer) -> dict[str, Any]:
    """Look whether the sample is in the backup: `healed` when all of it is, or nobody knows what was taken out."""
    if "sample" not in details:  # nothing stays damaged: healing puts back whatever it finds beside a backup
        return {"healed": True, "observer": _OBSERVER}
    if not Path(details["backup"]).exists():
        return {"healed": True, "observer": _OBSERVER, "said": "the backup is deleted"}
    found = _look(ask, details)
    return {"healed": found["rows"] == len(details["sample"]), "observer": _OBSERVER, **found}


def _look(ask: Callable[..., Answer], details: Answer) -> Answer:
    query = count_rows(details["doomed"], details["sample"])
    return ask("look_into_backup", backup=details["backup"], database=details["database"], query=query)
