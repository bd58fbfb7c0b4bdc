"""The state of replication at the cut, and whether it explains a loss.

Lag is *swept* from positions: the standby's last known flush position F, and the last reading in which the
primary stood at or before F. What the primary acknowledged up to that reading lies at or before F, so it is
on the standby's disk; only what was acknowledged later can be lost. No metric of the database is asked for a
time.

**Unknown explains nothing.** A lag that is not known is unbounded; an unbounded lag would excuse any loss, so
it excuses none. An acknowledged row that is gone without a known reason is MISSED: to be cleared, the store
has to show why.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from drdrill.core.clock import NANOSECONDS
from drdrill.core.errors import DamagedRecordError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from drdrill.measure.losing_side import LosingSide

# Readings come at about 10 Hz. One that is older than ten of them says nothing of the moment of the cut.
FRESH_NS = NANOSECONDS
_COPYING = "pg_basebackup"  # a standby in the making streams under this name; nobody can promote it yet
_SYNCHRONOUS = {"sync", "quorum"}  # pg_stat_replication.sync_state of a standby that commits wait for


class ReplicationState(StrEnum):
    """How the standbys followed at the cut."""

    SYNCHRONOUS = "synchronous"
    ASYNCHRONOUS = "asynchronous"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Reading:
    """One sample: the primary's insert position in bytes, and the flush positions of the standbys that stream.

    `at_ns` is when the primary was asked. It told its own position after that, then the standbys', and all before
    it was asked again. None is not known, never zero.
    """

    at_ns: int
    position: int | None
    flushes: Mapping[str, int]
    synchronous: bool
    primary: str = ""
    synchronous_hosts: frozenset[str] = frozenset()

    @property
    def flushed(self) -> int | None:
        """Return the furthest flush position of a standby."""
        return max(self.flushes.values(), default=None)


@dataclass(frozen=True, slots=True)
class Cut:
    """Replication at the moment of the fault.

    `lag_ns`: age of what the standby lacks; None: unknown, unbounded. `interval_ns`: time between the
    readings that enclose it. What was acknowledged at or before `safe_until_ns` was on the standby.
    """

    state: ReplicationState
    lag_ns: int | None = None
    interval_ns: int | None = None
    safe_until_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Whether the state at the cut explains the loss, and the sentence that says why or why not."""

    explained: bool
    text: str


def read_readings(path: Path) -> tuple[Reading, ...]:
    """Read a file of samples without failed readings and a torn last line. No file: no readings."""
    if not path.exists():
        return ()
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    readings = []
    for number, line in enumerate(lines, start=1):
        try:
            sample = json.loads(line)
            if sample["error"] is None:
                readings.append(_reading(sample))
        except (ValueError, KeyError, TypeError) as error:
            raise DamagedRecordError(f"{path}:{number}: this is not a reading of replication.") from error
    return tuple(sorted(readings, key=lambda reading: reading.at_ns))


def _reading(sample: dict[str, Any]) -> Reading:
    standbys = [one for one in sample["standbys"] if one["host"] != _COPYING]
    return Reading(
        at_ns=int(sample["at_ns"]),
        position=None if sample["lsn"] is None else int(sample["lsn"]),
        flushes={str(one["host"]): int(one["flush_lsn"]) for one in standbys if one["flush_lsn"] is not None},
        synchronous=any(one["sync_state"] in _SYNCHRONOUS for one in standbys),
        primary=str(sample["primary"]),
        synchronous_hosts=frozenset(
            str(one["host"]) for one in standbys if one["sync_state"] in _SYNCHRONOUS
        ),
    )


def narrow(readings: Sequence[Reading], host: str) -> tuple[Reading, ...]:
    """Return the readings as if that host alone followed: what they say when it is the one that takes over."""
    return tuple(
        replace(
            reading,
            flushes={host: reading.flushes[host]} if host in reading.flushes else {},
            synchronous=host in reading.synchronous_hosts,
        )
        for reading in readings
    )


def find_followers(readings: Sequence[Reading], fault_ns: int) -> tuple[str, ...]:
    """Return the hosts that followed at the fault, by the last reading before it."""
    last = next((reading for reading in reversed(readings) if reading.at_ns <= fault_ns), None)
    if last is None or fault_ns - last.at_ns > FRESH_NS:
        return ()
    return tuple(sorted(last.flushes))


def find_cut(readings: Sequence[Reading], fault_ns: int) -> Cut:
    """Return the state and the swept lag just before the fault, from the readings up to then."""
    before = [reading for reading in readings if reading.at_ns <= fault_ns]
    if not before or fault_ns - before[-1].at_ns > FRESH_NS:
        return Cut(ReplicationState.UNKNOWN)
    last = before[-1]
    state = ReplicationState.SYNCHRONOUS if last.synchronous else ReplicationState.ASYNCHRONOUS
    flushed = last.flushed
    known = [(reading.at_ns, reading.position) for reading in before if reading.position is not None]
    if flushed is None or not known or known[-1][0] != last.at_ns:
        return Cut(state)
    # The last one at or before F, not the first one beyond it: a new primary may begin at a lower position.
    passed = max((index + 1 for index, (_, position) in enumerate(known) if position <= flushed), default=0)
    if passed == 0:  # already behind when sampling began: nobody saw when
        return Cut(state)
    safe_until_ns = known[passed - 1][0]
    passed_ns = known[passed][0] if passed < len(known) else fault_ns
    return Cut(state, max(0, fault_ns - passed_ns), passed_ns - safe_until_ns, safe_until_ns)


def explain(cut: Cut, loss: LosingSide, primary: int | None) -> Explanation:
    """Tell whether replication at the cut explains that acknowledged rows are lost.

    `primary`: IPv4 (as an integer) of the primary before the fault; None: not known.
    """
    if cut.state is ReplicationState.SYNCHRONOUS:
        return Explanation(
            False, "the standby was synchronous at the fault, so no acknowledged row may be lost"
        )
    if primary is None or any(server != primary for server in loss.servers):
        return Explanation(
            False, "rows are lost that another server than the known primary at the fault acknowledged"
        )
    if loss.holes:
        return Explanation(
            False,
            f"{loss.holes} lost rows precede surviving ones of the same server; lag loses only a suffix",
        )
    if cut.safe_until_ns is None:
        return Explanation(False, "the lag at the fault is not known, and an unknown lag explains nothing")
    if loss.earliest_lost_ns <= cut.safe_until_ns:
        early = (cut.safe_until_ns - loss.earliest_lost_ns) / NANOSECONDS
        return Explanation(
            False,
            f"the earliest lost row was acknowledged {early:.3f} s before all that the standby had already",
        )
    return Explanation(
        True, "the lost rows are the end of what the primary acknowledged, within the standby's lag"
    )
