"""Watchers inside each region: their acknowledgements are put in order with all others, and somebody has to watch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drdrill.core.verdict import Verdict
from drdrill.record.ledger import Outcome
from tests.measure.regional import HERE, THERE
from tests.measure.story import BEGIN, END, FAULT, MS, RECOVERED, SECOND, codes
from tests.measure.watched import HERES, STEP, THERES, add_watchers, answer
from tests.report.whole_system import see_system

if TYPE_CHECKING:
    from tests.measure.regional import RegionalStory
    from tests.measure.story import Write


@pytest.fixture
def watched(regional: RegionalStory) -> RegionalStory:
    """Return the drill of a lost region with a watcher in each region, who is told what is so there."""
    add_watchers(regional)
    return regional


def _lose_region(watched: RegionalStory) -> dict[str, str]:
    """Have the fault be the loss of the primary region's power, under the whole system; return what it is known by."""
    see_system(watched)
    lost = {"kind": "region_power_loss", "resource": "eu-west-1"}
    watched.data_of("fault.injected").update(lost)
    watched.data_of("fault.observed").update(lost)
    return lost


def test_each_is_told_apart(watched: RegionalStory) -> None:
    """The verdict says how many writes each was told, and when the first and the last were; they judge no time."""
    measured = watched.measure()
    assert (measured.verdict, codes(measured)) == (Verdict.MET, set())
    document = measured.to_json()
    here, there = document["watchers"]
    before, after = (FAULT - BEGIN) // STEP, (END - RECOVERED) // STEP
    assert (here["region"], here["acknowledged"], here["unknown"]) == (
        "eu-west-1",
        before,
        here["asked"] - before,
    )
    assert (here["first_acknowledged_seconds"], here["last_acknowledged_seconds"]) == (-9.995, -0.495)
    assert (there["acknowledged"], there["unknown"]) == (after, there["asked"] - after)
    assert there["first_acknowledged_seconds"] == (RECOVERED - FAULT + 5 * MS) / SECOND
    told = [one["name"] for part in ("cohorts", "other_clients") for one in document["rta"][part]]
    assert not any(name.startswith("watcher") for name in told)


@pytest.mark.parametrize(("early_ms", "two"), [(1, False), (0, False), (-1, True)])
def test_an_overlap_of_one_millisecond(watched: RegionalStory, early_ms: int, *, two: bool) -> None:
    """What the old region acknowledges that was attempted after the other one had acknowledged, is a second writer.

    Attempted a moment before, it may have been committed before: nobody is accused of what time does not prove.
    """
    theirs = [write for writes in watched.writes.values() for write in writes if write.server == THERE]
    begun_ns = min(write.answered_ns for write in theirs if write.outcome is Outcome.ACKNOWLEDGED)
    write = next(one for one in watched.writes[HERES] if one.sent_ns >= FAULT)
    write.sent_ns = begun_ns - early_ms * MS
    answer(write, HERE, at_ns=begun_ns + 50 * MS)
    measured = watched.measure()
    assert (codes(measured, Verdict.MISSED) == {"two_writers"}) is two
    assert (measured.verdict is Verdict.MET) is not two


def test_only_the_watcher_is_told(watched: RegionalStory) -> None:
    """Users are led to the other region, and the old one goes on for who asks it: two writers, whoever was told."""
    for write in watched.writes[HERES]:
        if write.sent_ns >= RECOVERED:
            answer(write, HERE, at_ns=write.sent_ns + 5 * MS)
    measured = watched.measure()
    assert codes(measured, Verdict.MISSED) == {"two_writers"}
    assert "Two regions acknowledged" in measured.reasons[0].text


def test_what_a_watcher_was_told_and_is_lost(watched: RegionalStory) -> None:
    """A watcher's row that is gone is a lost one as any other: replication has to explain it."""
    last = [write for write in watched.writes[HERES] if write.server == HERE][-1]
    last.rows = 0
    measured = watched.measure()
    assert codes(measured, Verdict.MISSED) >= {"loss_unexplained"}
    assert measured.to_json()["rpa"]["lost_rows"] == 1


@pytest.mark.parametrize(("name", "word"), [(HERES, "served"), (THERES, "answered")])
def test_nobody_watched(watched: RegionalStory, name: str, word: str) -> None:
    """A watcher that its own region never served, or never answered, before the fault proves nothing: INVALID."""
    for write in watched.writes[name]:
        if write.sent_ns < FAULT:
            write.outcome, write.rows, write.server = Outcome.UNKNOWN, 0, 0
    measured = watched.measure()
    assert (measured.verdict, codes(measured)) == (Verdict.INVALID, {"nobody_watched"})
    assert f"was never {word} there" in measured.reasons[0].text


def test_a_watcher_that_never_came(watched: RegionalStory) -> None:
    """One that was to watch and left no ledger is told as one that never watched, and of the other all is well."""
    del watched.clients[THERES], watched.writes[THERES]
    measured = watched.measure()
    assert codes(measured, Verdict.INVALID) == {"nobody_watched"}
    assert [one["asked"] > 0 for one in measured.to_json()["watchers"]] == [True, False]


def test_another_region_answers_in_its_place(watched: RegionalStory) -> None:
    """An answer of the other region does not show that the watcher stands where it was to stand."""
    for write in watched.writes[THERES]:
        if write.sent_ns < FAULT:
            answer(write, HERE, at_ns=write.sent_ns + 5 * MS)
    assert codes(watched.measure()) == {"nobody_watched"}


@pytest.mark.parametrize(
    ("name", "healed", "found"),
    [(HERES, False, set()), (HERES, True, {"watched_in_part"}), (THERES, False, {"watched_in_part"})],
)
def test_a_watcher_that_did_not_stay(
    watched: RegionalStory, name: str, found: set[str], *, healed: bool
) -> None:
    """Where nobody watched to the end in a region that has power, nobody knows of two writers; it may be dark."""
    watched.writes[name] = [one for one in watched.writes[name] if one.sent_ns < FAULT + SECOND]
    lost = _lose_region(watched)
    stopped = next(n for n, (_, kind, _) in enumerate(watched.events) if kind == "load.stopped")
    healing = (END - 2 * SECOND if healed else END + SECOND, "fault.healing", lost)
    watched.events.insert(stopped if healed else stopped + 1, healing)
    assert codes(watched.measure(), Verdict.INCONCLUSIVE) - {"agreement_not_known"} == found


def _turn_away(writes: list[Write]) -> None:
    """Have the region's load balancer say that nobody is there."""
    for write in writes:
        write.outcome, write.rows, write.server = Outcome.REJECTED, 0, 0
        write.answered_ns = write.sent_ns + 5 * MS


@pytest.mark.parametrize("turned_away", [True, False])
def test_a_balancer_that_has_nobody_to_hand_on_to(
    watched: RegionalStory, monkeypatch: pytest.MonkeyPatch, *, turned_away: bool
) -> None:
    """Its word is no service's, but a region of which it is heard takes no write unseen."""
    _lose_region(watched)
    monkeypatch.setattr("drdrill.measure.watchers._SILENT_NS", 3 * SECOND)  # this drill is a short one
    end = [one for one in watched.writes[THERES] if one.sent_ns > RECOVERED]
    for write in end:
        write.outcome, write.rows, write.server = Outcome.UNKNOWN, 0, 0
    if turned_away:
        _turn_away(end)
    assert ("watched_in_part" in codes(watched.measure())) is not turned_away


def test_a_balancer_is_no_service(watched: RegionalStory) -> None:
    """Before the fault it shows no watcher to be served, or to reach a service."""
    _turn_away([one for one in watched.writes[THERES] if one.sent_ns < FAULT])
    measured = watched.measure()
    assert (measured.verdict, codes(measured)) == (Verdict.INVALID, {"nobody_watched"})


@pytest.mark.parametrize("by_service", [True, False])
def test_a_region_that_returned(watched: RegionalStory, *, by_service: bool) -> None:
    """Only an answer of its services shows that it was there again among users."""
    lost = _lose_region(watched)
    stopped = next(n for n, (_, kind, _) in enumerate(watched.events) if kind == "load.stopped")
    watched.events.insert(stopped, (END - 2 * SECOND, "fault.healing", lost))
    back = [one for one in watched.writes[HERES] if one.sent_ns > END - SECOND]
    _turn_away(back)
    for write in back if by_service else ():
        answer(write, HERE, at_ns=write.sent_ns + 5 * MS, acknowledged=False)
    found = {one.code for one in watched.measure().findings}
    assert ("returned_unheard" in found) is not by_service
