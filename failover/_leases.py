"""Leases to write: for how long services may go on writing that cannot be told any more that they must not.

Every service asks who may write, and writes for no longer than a lease after it asked (`system/services/meqenet`). So
a lease after the recovery region was named, nobody in the primary region writes, whoever can reach it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from failover._notes import Note, Notes

NAMED = "writer-named"  # the note of which region every copy names, written when the last of them did
LEASE = timedelta(seconds=10)  # WRITER_LEASE_SECONDS of the services
MARGIN = timedelta(seconds=2)  # a commit that was sent in a lease's last moment is done within this
_VALID = timedelta(days=1)


def read_named(notes: Notes, region: str) -> Note | None:
    """Return the note of since when a region is named; None: it was not noted. One from the future is none."""
    named = notes.read(NAMED, valid=_VALID)
    return named if named and named.text == region and named.age >= timedelta() else None


def read_left(notes: Notes, region: str) -> timedelta | None:
    """Return for how long another region's services may still write; zero: they do not. None: nobody knows."""
    named = read_named(notes, region)
    if named is None:
        return None
    return max(LEASE + MARGIN - named.age, timedelta())


def describe_left(left: timedelta | None) -> str:
    """Return in words why services that do not answer may still write; empty: they do not."""
    if left is None:
        return "it is not noted that another region was named as the one that writes"
    return f"its services may hold a lease to write for {left.total_seconds():.0f} s more" if left else ""
