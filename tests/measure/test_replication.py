"""The cut: state and swept lag of replication, and what they explain."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from drdrill.core.errors import DamagedRecordError
from drdrill.measure.losing_side import LosingSide
from drdrill.measure.replication import (
    Cut,
    Reading,
    ReplicationState,
    explain,
    find_cut,
    find_followers,
    narrow,
    read_readings,
)

if TYPE_CHECKING:
    from pathlib import Path

MS = 1_000_000
FAULT = 10_000 * MS


def readings(flushed: int | None, *, synchronous: bool = False) -> list[Reading]:
    """Return readings every 100 ms up to 50 ms before the fault, one byte a millisecond."""
    flushes = {} if flushed is None else {"standby": flushed}
    times = range(0, FAULT, 100 * MS)
    return [Reading(at_ns + 50 * MS, at_ns // MS + 50, flushes, synchronous) for at_ns in times]


def loss(earliest_ns: int, *, servers: tuple[int, ...] = (1,), holes: int = 0) -> LosingSide:
    """Return a loss that begins at a moment."""
    return LosingSide(servers, 0, earliest_ns, 1, holes)


def test_lag_is_swept_from_positions() -> None:
    """Lag counts from the reading at which the primary passed what the standby has."""
    cut = find_cut(readings(9000), FAULT)
    assert cut.state is ReplicationState.ASYNCHRONOUS
    assert (cut.safe_until_ns, cut.lag_ns, cut.interval_ns) == (8950 * MS, 950 * MS, 100 * MS)


def test_standby_that_has_all_lags_by_no_more_than_the_last_reading() -> None:
    """A standby that flushed all lacks nothing up to the last reading; after it nothing is known."""
    cut = find_cut(readings(99_999), FAULT)
    assert (cut.safe_until_ns, cut.lag_ns, cut.interval_ns) == (9950 * MS, 0, 50 * MS)


@pytest.mark.parametrize("flushed", [None, 10])
def test_lag_that_nobody_saw_begin_is_unknown(flushed: int | None) -> None:
    """Without a flush position, or behind since before sampling began, lag is unknown and not zero."""
    assert find_cut(readings(flushed), FAULT).lag_ns is None


def test_new_primary_that_began_lower_does_not_lengthen_the_lag() -> None:
    """Where an earlier failover set the position back, the last passing of what the standby has counts."""
    earlier = [Reading(reading.at_ns - FAULT, 20_000, reading.flushes, False) for reading in readings(9000)]
    assert find_cut([*earlier[1:], *readings(9000)], FAULT) == find_cut(readings(9000), FAULT)


def test_old_readings_say_nothing() -> None:
    """Readings that ended two seconds before the fault leave its state unknown."""
    assert find_cut(readings(9000), FAULT + 2000 * MS).state is ReplicationState.UNKNOWN


def test_readings_after_the_fault_are_not_used() -> None:
    """What a standby reports after the fault is not the state at the cut."""
    later = [*readings(9000), Reading(FAULT + MS, 10_001, {"standby": 10_001}, True)]
    assert find_cut(later, FAULT) == find_cut(readings(9000), FAULT)


def test_synchronous_standby_explains_no_loss() -> None:
    """With a synchronous standby at the fault every lost acknowledgement is unexplained."""
    cut = find_cut(readings(9000, synchronous=True), FAULT)
    assert not explain(cut, loss(FAULT), 1).explained


@pytest.mark.parametrize(
    ("lost", "primary", "explained"),
    [
        (loss(8951 * MS), 1, True),
        (loss(8951 * MS), None, False),
        (loss(8950 * MS), 1, False),
        (loss(8951 * MS), 2, False),
        (loss(8951 * MS, servers=(1, 2)), 1, False),
        (loss(8951 * MS, holes=1), 1, False),
    ],
)
def test_lag_explains_a_suffix_of_the_primary_within_it(
    lost: LosingSide, primary: int | None, explained: bool
) -> None:
    """Explained is only what the primary at the fault acknowledged last, later than all that the standby has."""
    assert explain(find_cut(readings(9000), FAULT), lost, primary).explained is explained


def test_unknown_lag_explains_nothing() -> None:
    """An unbounded lag would excuse any loss, so it excuses none."""
    cut = Cut(ReplicationState.ASYNCHRONOUS)
    assert not explain(cut, loss(FAULT), 1).explained


def test_failed_readings_and_a_torn_line_are_left_out(tmp_path: Path) -> None:
    """Readings with an error, copies in the making and the line that a dying process left count for nothing."""
    good = {
        "at_ns": 5,
        "primary": "a",
        "lsn": 7,
        "standbys": [
            {"host": "b", "sync_state": "async", "flush_lsn": 3},
            {"host": "c", "sync_state": "sync", "flush_lsn": None},
            {"host": "pg_basebackup", "sync_state": "async", "flush_lsn": 4},
        ],
        "error": None,
    }
    failed = {"at_ns": 6, "primary": "a", "lsn": None, "standbys": [], "error": "no answer"}
    path = tmp_path / "replication.jsonl"
    path.write_text(f"{json.dumps(good)}\n{json.dumps(failed)}\n{{", encoding="utf-8")
    assert read_readings(path) == (Reading(5, 7, {"b": 3}, True, "a", frozenset({"c"})),)


def test_line_that_is_no_reading_is_damage(tmp_path: Path) -> None:
    """A complete line that is something else is named with its number."""
    path = tmp_path / "replication.jsonl"
    path.write_text("{}\n", encoding="utf-8")
    with pytest.raises(DamagedRecordError, match=r"replication\.jsonl:1"):
        read_readings(path)


def test_no_file_is_no_reading(tmp_path: Path) -> None:
    """Where nothing was sampled nothing is known."""
    assert read_readings(tmp_path / "none.jsonl") == ()


def test_each_follower_has_its_own_lag() -> None:
    """Where a replica takes over, its own position counts: a standby in sync that is lost, too, excuses nothing."""
    both = [
        Reading(100 * number, 10 * number, {"near": 10 * number, "far": 10}, True, "a", frozenset({"near"}))
        for number in range(1, 6)
    ]
    fault_ns = 520
    assert find_followers(both, fault_ns) == ("far", "near")
    assert find_cut(both, fault_ns).state is ReplicationState.SYNCHRONOUS
    far = find_cut(narrow(both, "far"), fault_ns)
    assert (far.state, far.safe_until_ns, far.lag_ns) == (ReplicationState.ASYNCHRONOUS, 100, 320)
    near = find_cut(narrow(both, "near"), fault_ns)
    assert (near.state, near.safe_until_ns) == (ReplicationState.SYNCHRONOUS, 500)


def test_followers_of_an_old_reading_are_not_known() -> None:
    """Readings that stop before the fault do not tell who followed at it."""
    assert find_followers([Reading(1, 7, {"b": 3}, True, "a")], 1 + 2_000_000_000) == ()
    assert find_followers([], 5) == ()
