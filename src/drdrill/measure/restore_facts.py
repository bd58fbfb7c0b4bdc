"""What the journal says of restores from backups: the environment's own description of each, and what was read of it.

A restore is one of `restore.observed`; the n-th one's contents are reading n of `restore.read`, and `restore.removing`
says when somebody began to take it away.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from drdrill.measure.facts import Reading
    from drdrill.record.journal import Event


class RestoreKind(StrEnum):
    """What was restored: a moment, out of a base backup and the archived log, or a snapshot as it is."""

    POINT_IN_TIME = "point_in_time"
    SNAPSHOT = "snapshot"


@dataclass(frozen=True, slots=True)
class RestoredServer:
    """Who serves a restored database: an address (as an integer), and from when to when it was that database's.

    The address alone says nothing: another server may have had it before, and another one may get it later. Boot-time
    ns; `until_ns` None: nobody took it away.
    """

    address: int
    from_ns: int
    until_ns: int | None = None

    def gave(
        self, servers: NDArray[np.uint32] | int, acknowledged_ns: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Tell of acknowledgements, by address and time, whether it was this server that gave them."""
        until_ns = np.iinfo(np.int64).max if self.until_ns is None else self.until_ns
        gave: NDArray[np.bool_] = (
            (servers == self.address) & (acknowledged_ns >= self.from_ns) & (acknowledged_ns <= until_ns)
        )
        return gave


@dataclass(frozen=True, slots=True)
class Restore:
    """A database that was restored from a backup. Times are boot-time ns.

    What was committed by `from_ns` has to be in it, and nothing that was begun after `until_ns`: one moment for a
    point in time; begin and end of its making for a snapshot. `bound_ns`: how exactly the wall clock's moment is known
    on this clock. `latest_ns`: until when the log was archived. `last_segment`: the last one of the log that was
    archived; `open_segment`: the one that was not, when looked at. `server`: the new server.
    `reading`: what was read of it before users came to it; None: nobody read it. `asked_ns`: the moment that the
    operator was to restore; None: it was not a restore to a moment.
    """

    resource: str
    source: str
    kind: RestoreKind
    base: str
    base_utc: str
    from_ns: int
    until_ns: int
    bound_ns: int
    until_utc: str
    latest_ns: int | None
    latest_utc: str
    last_segment: str
    open_segment: str
    server: RestoredServer
    reading: Reading | None
    asked_ns: int | None = None
    asked_utc: str = ""


def read_restores(events: Sequence[Event], readings: Sequence[Reading]) -> tuple[Restore, ...]:
    """Return the restores in order, each with its reading. Raises `KeyError` and the like for what is damaged."""
    by_number = {reading.number: reading for reading in readings}
    removed = {int(one.data["number"]): one.at_ns for one in events if one.kind == "restore.removing"}
    observed = (event for event in events if event.kind == "restore.observed")
    return tuple(
        _restore(event, by_number.get(number), removed.get(number))
        for number, event in enumerate(observed, start=1)
    )


def _restore(event: Event, reading: Reading | None, removed_ns: int | None) -> Restore:
    data: Mapping[str, Any] = event.data
    latest_ns = data.get("latest_ns")
    begun_ns = data.get("begun_ns")
    return Restore(
        resource=str(data["resource"]),
        source=str(data["source"]),
        kind=RestoreKind(data["kind"]),
        base=str(data["base"]),
        base_utc=str(data.get("base_utc") or ""),
        from_ns=int(data["from_ns"]),
        until_ns=int(data["until_ns"]),
        bound_ns=int(data["bound_ns"]),
        until_utc=str(data["until_utc"]),
        latest_ns=None if latest_ns is None else int(latest_ns),
        latest_utc=str(data.get("latest_utc") or ""),
        last_segment=str(data.get("last_segment") or ""),
        open_segment=str(data.get("open_segment") or ""),
        server=RestoredServer(
            int(ipaddress.IPv4Address(data["address"])),
            from_ns=event.at_ns if begun_ns is None else int(begun_ns),
            until_ns=removed_ns,
        ),
        reading=reading,
        asked_ns=None if data.get("asked_ns") is None else int(data["asked_ns"]),
        asked_utc=str(data.get("asked_utc") or ""),
    )
