"""Whether an old primary database still takes writes: found by DNS, asked by its own protocol, without AWS's API.

What does not answer here may answer others: a region can be cut off from us and not from its own users. Only fencing,
or the region's end, is certain.
"""

from __future__ import annotations

import socket
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

import psycopg

from failover._leases import describe_left
from failover._names import resolve
from failover._telling import StoppedError, say

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from failover._notes import Note

_PORT = 5432
# Where a parameter group's values come from; others hold for a user, a database or a session.
_OF_SERVER = ("configuration file", "command line")
_SECONDS = 2  # a database of the next region answers within 50 ms
OVERRIDE = (
    "primary-may-write"  # the note of why the failover goes on although the old primary may take writes
)

OVERRIDE_VALID = timedelta(hours=6)  # longer than a failover, shorter than the time to the next disaster


class Writes(StrEnum):
    """What a database was seen to do with writes."""

    TAKEN = "taken"
    REFUSED = "refused"
    NOT_NOW = "not now"  # it refuses them, and nobody fenced it: what is in recovery may be promoted
    UNKNOWN = "unknown"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a look at an old primary found."""

    database: str
    host: str
    writes: Writes
    said: str

    @property
    def safe(self) -> bool:
        """Whether another one may be promoted beside it, once those who may still reach it do not write to it."""
        return self.writes is Writes.REFUSED or self.bound

    @property
    def bound(self) -> bool:
        """Whether only leases keep those who reach it from writing to it."""
        return self.writes in (Writes.NOT_NOW, Writes.UNREACHABLE)

    def tell(self) -> None:
        """Print it as a line of JSON."""
        say("old primary", database=self.database, host=self.host, writes=self.writes.value, said=self.said)


def find_hosts(
    name: str, heirs: Collection[str], *, addresses: Callable[[str], frozenset[str]] = resolve
) -> tuple[str, ...]:
    """Return the names by which old primaries are reached: each leads to another one, and none to an heir."""
    theirs = frozenset[str]().union(*(addresses(one) for one in heirs))
    found: dict[frozenset[str], str] = {}
    for one in (regional_name_of(name), name):
        led = addresses(one) - theirs
        if led:
            found.setdefault(led, one)
    return tuple(found.values())


def look_at_hosts(
    name: str,
    heirs: Collection[str],
    look: Callable[[str, str], Finding],
    *,
    addresses: Callable[[str], frozenset[str]] = resolve,
) -> list[Finding]:
    """Look at whatever old primary a database's names lead to; where they lead to none, nobody knows of its writes.

    After a promotion the name leads to an heir, and that of the primary region to the old primary still.
    """
    database, hosts = database_of(name), find_hosts(name, heirs, addresses=addresses)
    if not hosts:
        regional = regional_name_of(name)
        said = f"it could not be looked at: neither this name nor {name} leads to an old primary"
        return [Finding(database, regional, Writes.UNKNOWN, said)]
    return [look(database, host) for host in hosts]


def regional_name_of(name: str) -> str:
    """Return the name that a database has in the primary region, whoever serves."""
    first, _, rest = name.partition(".")
    return f"{first}.primary.{rest}"


def database_of(name: str) -> str:
    """Return the database behind a name such as `payments-database.meqenet.internal`."""
    return name.partition(".")[0].removesuffix("-database")


def observe_writes(database: str, host: str, *, port: int = _PORT) -> Finding:
    """Look whether a server takes writes of the services' user, whose password is in PGPASSWORD."""
    try:
        socket.create_connection((host, port), timeout=_SECONDS).close()
    except OSError as error:
        return Finding(database, host, Writes.UNREACHABLE, f"{error}; it may still serve those who reach it")
    try:
        with closing(
            psycopg.connect(
                host=host, port=port, dbname=database, user=f"{database}_app", autocommit=True,
                connect_timeout=_SECONDS, tcp_user_timeout=_SECONDS * 1000, options="-c statement_timeout=2000",
            )
        ) as connection:  # fmt: skip
            row = connection.execute(
                "select pg_is_in_recovery(), setting = 'on', source from pg_settings "
                "where name = 'default_transaction_read_only'"
            ).fetchone()
    except psycopg.Error as error:
        return Finding(database, host, Writes.UNKNOWN, " ".join(str(error).split()))
    recovering, read_only, source = row or (False, False, "")
    if recovering:
        return Finding(database, host, Writes.NOT_NOW, "it is in recovery, and may be promoted")
    if read_only and source in _OF_SERVER:
        return Finding(database, host, Writes.REFUSED, "it is read-only")
    if read_only:
        return Finding(database, host, Writes.NOT_NOW, f"it is read-only for us alone, by its {source}")
    return Finding(database, host, Writes.TAKEN, "it is a primary, and takes writes")


def require_fenced(
    findings: Sequence[Finding], *, reason: str, note: Callable[[], Note | None], left: timedelta | None
) -> None:
    """Return when no old primary can take writes, or a person said why to go on; raises `StoppedError` otherwise.

    `left`: for how long those who write to one that is not fenced may still hold leases; None: nobody knows.
    """
    for finding in findings:
        finding.tell()
    held = describe_left(left)
    unsafe = [one for one in findings if not one.safe or (one.bound and held)]
    if not unsafe:
        return
    noted = note()
    why = reason or (noted.text if noted else "")
    if why:
        say("although the old primary may take writes", reason=why, hosts=[one.host for one in unsafe])
        return
    raise StoppedError(
        "".join(
            f"The old primary {one.host} may take writes ({one.said if not one.safe else held}).\n"
            for one in unsafe
        )
        + "Nothing was promoted: two databases that take writes tear the ledger in two, and nobody can merge them.\n"
        "What to do: run `python -m failover.fence_primary`. Only if it cannot be fenced and no user reaches it: "
        "--although-primary-writes REASON."
    )
