"""What a server says of replication: its log position, who follows it, how it follows, where its timeline began."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from drdrill.dataplane.postgresql_programs import ADMINISTRATOR

if TYPE_CHECKING:
    import psycopg


@dataclass(frozen=True, slots=True)
class ReplicationReading:
    """What a server says of replication now. Positions in bytes of the log; unknown is None, never 0.

    `flushed` is what a replica can have: without the headers of pages that nothing is written on yet.
    """

    position: int | None  # None: not a primary
    standbys: tuple[StandbyReading, ...]
    flushed: int | None = None
    following: FollowingReading | None = None  # None: not a standby or a replica
    connections: int | None = None  # of clients; the service's own are not counted


@dataclass(frozen=True, slots=True)
class StandbyReading:
    """What a primary knows of one standby."""

    name: str
    sync_state: str
    flushed: int | None


@dataclass(frozen=True, slots=True)
class FollowingReading:
    """How a standby or a replica follows: how far it has replayed, and which timeline it streams (None: none)."""

    replayed: int
    timeline: int | None


@dataclass(frozen=True, slots=True)
class Timeline:
    """A primary's history since its promotion: it parted from the one before at a log position."""

    number: int
    begins_at: int


_READ_STATE = """\
select pg_is_in_recovery(),
       case when pg_is_in_recovery() then null else pg_current_wal_insert_lsn() - '0/0'::pg_lsn end,
       case when pg_is_in_recovery() then null else pg_current_wal_flush_lsn() - '0/0'::pg_lsn end,
       case when pg_is_in_recovery() then pg_last_wal_replay_lsn() - '0/0'::pg_lsn end,
       (select received_tli from pg_stat_wal_receiver where status = 'streaming'),
       (select count(*) from pg_stat_activity where backend_type = 'client backend' and usename <> %s)
"""


def read_replication(connection: psycopg.Connection) -> ReplicationReading:
    """Read a server's log position, who follows it, and how it follows; raises psycopg's error without an answer."""
    row = connection.execute(_READ_STATE, (ADMINISTRATOR,)).fetchone()
    assert row is not None  # noqa: S101  (a query of one row)
    in_recovery, position, flushed, replayed, timeline, connections = row
    standbys = connection.execute(
        "select application_name, sync_state, flush_lsn - '0/0'::pg_lsn from pg_stat_replication "
        "where state = 'streaming' order by application_name"
    ).fetchall()
    return ReplicationReading(
        position=None if position is None else int(position),
        standbys=tuple(
            StandbyReading(name, sync_state, None if flushed is None else int(flushed))
            for name, sync_state, flushed in standbys
        ),
        flushed=None if flushed is None else int(flushed),
        following=FollowingReading(int(replayed or 0), timeline) if in_recovery else None,
        connections=connections,
    )


def read_timeline(connection: psycopg.Connection) -> Timeline:
    """Read where a primary's timeline parted from the one before; raises psycopg's error without an answer."""
    row = connection.execute(
        "select ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int"
    ).fetchone()
    assert row is not None  # noqa: S101  (a query of one row)
    number = int(row[0])
    if number == 1:
        return Timeline(1, 0)
    row = connection.execute("select pg_read_file(%s)", (f"pg_wal/{number:08X}.history",)).fetchone()
    assert row is not None  # noqa: S101  (likewise)
    high, low = str(row[0]).split("\n")[-2].split("\t")[1].split("/")
    return Timeline(number, (int(high, 16) << 32) + int(low, 16))
