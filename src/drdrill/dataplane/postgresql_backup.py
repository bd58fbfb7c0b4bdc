"""PostgreSQL's means of backup: the archive of its log, closing a segment on purpose, proving a base backup whole.

The archive is a folder outside of every host, so that it outlives their power and their disks. Primary and standby
both archive (`archive_mode = always`): a segment that the standby has is not archived again after its promotion, and
one that the primary took with it would be a hole in the log. Whoever comes second compares instead of copying.
"""

from __future__ import annotations

import secrets
import shlex
import subprocess
from datetime import timedelta
from typing import TYPE_CHECKING

from drdrill.core.errors import EnvironmentFailedError
from drdrill.dataplane.postgresql_programs import find_binaries

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    import psycopg

_VERIFY_WITHIN = timedelta(minutes=5)  # measured 0.1 s for an empty cluster
_MARK = 2  # the heartbeat table's row that closes a segment
_NO_ARCHIVE = "true"  # with an empty command PostgreSQL would keep every segment until there is one


def archive_command(folder: Path | None, host: str) -> str:
    """Return the `archive_command` of a host's server, run by `sh` on that host; None: nothing is archived.

    Copied beside and renamed, so that what has a segment's name is the whole segment. A segment that was closed before
    it was full ends in zeros, which take no space (`--sparse`).
    """
    if folder is None:
        return _NO_ARCHIVE
    target, part = _name(folder, "%f"), _name(folder, f".%f.{host}")
    return f"test -e {target} && exec cmp -s %p {target}; cp --sparse=always %p {part} && mv {part} {target}"


def recovery_settings(archive: Path, until: datetime) -> dict[str, str]:
    """Return the settings under which a server replays an archive up to a time, and is a primary then."""
    segment = _name(archive, "%f")
    return {
        "restore_command": f"test -e {segment} && exec cp {segment} %p",
        "recovery_target_time": until.isoformat(),
        "recovery_target_action": "promote",
    }


def _name(folder: Path, file: str) -> str:
    return shlex.quote(str(folder).replace("%", "%%")) + f"/{file}"


def close_segment(connection: psycopg.Connection) -> tuple[datetime, str]:
    """Close the log's open segment; return a time and the name of the segment up to which everything until then is.

    What was acknowledged before that time is in this segment or an earlier one. So is a commit after it, at which a
    recovery to that time stops: PostgreSQL refuses a target that its log never reaches.
    """
    row = connection.execute("select clock_timestamp()").fetchone()
    connection.execute(
        "insert into heartbeat values (%s, %s) on conflict (id) do update set token = excluded.token",
        (_MARK, secrets.token_hex(8)),
    )
    closed = connection.execute("select pg_walfile_name(pg_switch_wal() - 1)").fetchone()
    assert row is not None and closed is not None  # noqa: S101, PT018  (queries of one row)
    return row[0], str(closed[0])


def verify_backup(folder: Path) -> None:
    """Read a base backup from end to end and compare it with its manifest; raises `EnvironmentFailedError`.

    The log that makes it consistent is read, too.
    """
    done = subprocess.run(
        [str(find_binaries() / "pg_verifybackup"), "--exit-on-error", "--quiet", str(folder)],
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=_VERIFY_WITHIN.total_seconds(),
    )
    if done.returncode:
        raise EnvironmentFailedError(f"the backup is damaged: {done.stderr.strip() or done.returncode}")


def read_first_segment(backup: Path) -> str:
    """Return the name of the first segment of the log that a base backup needs."""
    first = (backup / "backup_label").read_text(encoding="utf-8").splitlines()[0]
    return first.rpartition("file ")[2].rstrip(")")
