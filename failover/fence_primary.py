"""Keep the primary region from writing, as far as it can still be reached, and until it ceases by itself otherwise.

    python -m failover.fence_primary [--look] [--although-primary-writes REASON]

First the recovery region is named as the one that writes, where the services of both regions look every few seconds. So
a primary region that is cut off, alive, ceases to write by itself: when the lease of its services has run out.

Then each database gets a parameter group in which transactions are read-only, and is restarted, which ends the sessions
that were open. That is not replicated, and goes away with the group: a password would be another one in the recovery
region, too, a stop is refused to what has a replica, and a security group's rule does not end what is connected.

Then each is asked, by PostgreSQL's own protocol, whether it still takes writes. It ends with 0 when none does. One that
does not answer counts as gone only when it was fenced, or its region's API did not answer, either (that is noted for an
hour), and every lease has run out: that is waited for, from when the recovery region was named, which is noted, too. So
is it for one that refuses writes without having been fenced, as in recovery.
When one takes writes, or could not be looked at, and cannot be fenced, a person may say why the failover goes on: that
is noted for six hours, and what promotes the replicas reads it. It does not stand for a copy that does not name the
recovery region. Whoever gives up in between gives the writes back by `failover.name_writer`.

Only this, and what promotes beside one that is back, calls the primary region. It gives up soon there.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from failover._fencing import fence_again, fence_returned, try_to_fence
from failover._leases import describe_left, read_left
from failover._looking import conclude, make_parser
from failover._names import resolve
from failover._notes import open_notes
from failover._old_primary import OVERRIDE, OVERRIDE_VALID, Writes, look_at_hosts, observe_writes
from failover._places import DATABASES, INTERNAL, reach, reach_lost, read_places
from failover._telling import run, say
from failover._writer import await_leases, find_unnamed, name_writer, reach_copies

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from failover._notes import Notes
    from failover._old_primary import Finding
    from failover._writer import Copy

_TRIED_VALID = timedelta(hours=1)  # tried again it does no harm, and the region may answer by then


def fence_all(rds: Any, notes: Notes) -> None:
    """Try to fence each database, and note of which it was tried: the last attempt counts."""
    for database in DATABASES:
        if try_to_fence(rds, database):
            notes.write(tried(database), "it was fenced, or its region's API did not answer")
        else:
            notes.remove(tried(database))


def tried(database: str) -> str:
    """Return the name of the note of when it was tried to fence a database."""
    return f"fencing-tried-{database}"


def look_at_all(
    heirs: Sequence[str],
    look: Callable[[str, str], Finding],
    *,
    addresses: Callable[[str], frozenset[str]] = resolve,
) -> list[Finding]:
    """Look at every old primary by the names that lead to it, at the same time; `heirs` are hosts that are none."""
    names = [f"{database}-database.{INTERNAL}" for database in DATABASES]
    with ThreadPoolExecutor() as pool:  # who does not answer takes seconds
        looked = pool.map(lambda name: look_at_hosts(name, heirs, look, addresses=addresses), names)
    return [one for found in looked for one in found]


def observe(
    findings: Sequence[Finding], notes: Notes, *, recovery: str, unnamed: Sequence[str] = ()
) -> list[str]:
    """Print what was found, and return which old primary may take writes; none once a person said why to go on.

    One that does not answer here may answer its own region's services: so somebody has to have tried to fence it, and
    their leases have to have run out. `unnamed`: where `recovery` is not named as the region that writes, which is
    returned whatever a person said.
    """
    for finding in findings:
        finding.tell()
    unsafe = [f"{one.host} may take writes: {one.said}." for one in findings if not one.safe]
    unsafe += [
        f"{one.host} does not answer here, and nobody has tried to fence it yet: it is not fenced, and the API of its "
        "region is not known to be gone."
        for one in findings
        if one.writes is Writes.UNREACHABLE and notes.read(tried(one.database), valid=_TRIED_VALID) is None
    ]
    if held := describe_left(read_left(notes, recovery)):
        unsafe += [
            f"{one.host} {'does not answer here' if one.writes is Writes.UNREACHABLE else 'is not fenced'}, and {held}."
            for one in findings
            if one.bound
        ]
    noted = notes.read(OVERRIDE, valid=OVERRIDE_VALID)
    if unsafe and noted is not None:
        say("although the old primary may take writes", reason=noted.text, noted=noted.at.isoformat())
        return [*unnamed]
    return [*unnamed, *unsafe]


def explain_half(unnamed: Sequence[str], copies: Sequence[Copy], primary: str) -> list[str]:
    """Return what it means that some copies do not name the recovery region, and others do; nothing otherwise."""
    if not 0 < len(unnamed) < len(copies):
        return []
    return [
        f"Services believe whichever copy answers: {primary} may have ceased to write already.",
        "What to do: run `python -m failover.fence_primary` again.",
        f"To give the writes back instead: `python -m failover.name_writer {primary}`.",
    ]


def read_heirs(rds: Any) -> list[str]:
    """Return the hosts of the recovery region's databases: after a promotion, names lead to them."""
    pages = rds.get_paginator("describe_db_instances").paginate()
    return [
        one["Endpoint"]["Address"] for page in pages for one in page["DBInstances"] if one.get("Endpoint")
    ]


def main() -> None:
    """Fence, look, and end with 0 only when no old primary takes writes."""
    parser = make_parser(
        "Keep the primary region from writing, as far as it can be reached, or until its leases have run out."
    )
    parser.add_argument(
        "--although-primary-writes", metavar="REASON", default="",
        help="note why the failover goes on although one may take writes (for six hours)",
    )  # fmt: skip
    asked, notes, places = parser.parse_args(), open_notes(), read_places()
    recovery, copies = places.recovery, reach_copies(places.recovery)
    heirs, lost = read_heirs(reach("rds")), reach_lost("rds")
    if not asked.look:
        if asked.although_primary_writes:
            notes.write(OVERRIDE, asked.although_primary_writes)
        name_writer(copies, recovery, notes)
        fence_all(lost, notes)
    findings = fence_again(
        lambda: look_at_all(heirs, observe_writes),
        None if asked.look else lambda database: fence_returned(lost, database),
    )
    if not asked.look and any(one.bound for one in findings):
        await_leases(notes, recovery)
    unnamed = find_unnamed(copies, recovery)
    unnamed += explain_half(unnamed, copies, places.primary)
    missing = observe(findings, notes, recovery=recovery, unnamed=unnamed)
    if missing and not asked.look:
        missing.append(
            "What to do: end it by another way (its network, its hosts), and run this again. Only when no user reaches "
            "it: --although-primary-writes REASON."
        )
    unseen = sum(one.writes is Writes.UNREACHABLE for one in findings)
    conclude(
        missing,
        f"{recovery} writes, and no old primary is seen to ({unseen} of {len(findings)} do not answer)",
    )


if __name__ == "__main__":
    run(main)
