"""What a database of the mirror was restored from, in the times of the ledgers: the proof of a restore begins here."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psycopg

from drdrill.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from drdrill.aws.rds.reconciler import Reconciler
    from drdrill.aws.rds.region import RdsRegion
    from drdrill.core.clock import Clock

_RESOLUTION_NS = 1_000_000  # of reading two clocks one after the other, on a loaded machine
_MICROSECOND_NS = 1000


def describe_restore(region: RdsRegion, reconciler: Reconciler, clock: Clock) -> Mapping[str, Any]:
    """Describe what an instance was restored from. Raises `UsageError` when it was not restored.

    Times of the wall clock are put on the boot-time clock by the difference of the two when the restore was asked for;
    by how much that has changed since is the bound of the error.
    """
    record = reconciler.record
    made = region.restored.get(record.resource_id)
    primary = reconciler.primary
    if made is None or primary is None:
        raise UsageError(f"{record.identifier} was not restored from a backup, or has no server now.")

    def on_clock(at: datetime) -> int:
        return made.at_ns - (made.at - at) // timedelta(microseconds=1) * _MICROSECOND_NS

    now_ns, now = clock.now_ns(), clock.utc()
    return {
        "resource": record.identifier,
        "source": made.source,
        "source_now": next(
            (
                one.record.identifier
                for one in region.instances()
                if one.record.resource_id == made.source_resource_id
            ),
            None,
        ),
        "kind": made.kind,
        "base": made.base,
        "base_utc": made.base_finished.isoformat() if made.base_finished else None,
        "begun_ns": made.at_ns,
        "from_ns": on_clock(made.begin),
        "until_ns": on_clock(made.end),
        "until_utc": made.end.isoformat(),
        "bound_ns": abs(on_clock(now) - now_ns) + _RESOLUTION_NS,
        "latest_ns": on_clock(made.latest) if made.latest else None,
        "latest_utc": made.latest.isoformat() if made.latest else None,
        "last_segment": made.last_segment,
        "open_segment": _find_open_segment(region, made.source_resource_id) if made.latest else "",
        "address": primary.host.address,
        "endpoint": record.endpoint,
    }


def _find_open_segment(region: RdsRegion, resource_id: str) -> str:
    """Return the segment that the source's server writes now; `` when it is gone or does not answer."""
    for reconciler in region.instances():
        primary = reconciler.primary
        if reconciler.record.resource_id == resource_id and primary is not None:
            try:
                with closing(primary.connect()) as connection:
                    row = connection.execute("select pg_walfile_name(pg_current_wal_insert_lsn())").fetchone()
            except psycopg.Error:
                return ""
            return str(row[0]) if row else ""
    return ""
