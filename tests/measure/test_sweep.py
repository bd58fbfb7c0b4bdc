"""The swept RPA of hand-made drills: what positions say of every moment, of the fault, and of what nobody knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from drdrill.core.verdict import Verdict
from drdrill.measure.document import in_version
from drdrill.measure.facts import read_facts
from drdrill.measure.replication import read_readings
from drdrill.measure.sweep import sweep
from drdrill.record.directory import DrillDirectory
from drdrill.record.ledger import read_ledger
from tests.measure.story import BEGIN, END, FAULT, MS, OLD, RECOVERED, SECOND, findings

if TYPE_CHECKING:
    from tests.measure.story import Story


def _swept(story: Story) -> dict[str, Any]:
    swept: dict[str, Any] = story.measure().to_json()["swept"]
    return swept


def _lose_since(story: Story, since_ns: int) -> None:
    for writes in story.writes.values():
        for write in writes:
            if write.server == OLD and write.answered_ns > since_ns:
                write.rows = 0


def _hide(story: Story, since_ns: int, until_ns: int) -> None:
    story.samples = [one for one in story.samples if not since_ns <= one["at_ns"] < until_ns]


def _loss_at(swept: dict[str, Any], at_ns: int) -> tuple[float | None, float | None]:
    """Return the bounds that the curve has at a moment."""
    curve = swept["curve"]
    (place,) = (
        number
        for number, (since, until) in enumerate(zip(curve["from_ns"], curve["until_ns"], strict=True))
        if since <= at_ns < until
    )
    return curve["at_least_seconds"][place], curve["at_most_seconds"][place]


def test_a_synchronous_standby_would_have_lost_nothing(story: Story) -> None:
    """While it follows synchronously, the loss is 0 at every moment, and so is that of the fault."""
    swept = _swept(story)
    assert swept["median_seconds"] == 0.0
    assert _loss_at(swept, FAULT - SECOND) == (0.0, 0.0)
    assert swept["drilled"] == {
        "at_least_seconds": 0.0,
        "at_most_seconds": 0.0,
        "measured_seconds": 0.0,
        "agrees": True,
    }


def test_a_primary_without_a_standby_is_unbounded(story: Story) -> None:
    """The new primary is alone for two seconds: these are unknown, and rank above every loss."""
    swept = _swept(story)
    assert _loss_at(swept, RECOVERED + SECOND) == (None, None)
    assert (swept["p99_seconds"], swept["worst_seconds"]) == (None, None)
    # And 0.1 s at the begin, as one reading says nothing without the one before.
    assert swept["unknown_seconds"] == pytest.approx(2.2, abs=0.02)
    assert swept["served_seconds"] == pytest.approx(20, abs=0.1)
    assert swept["worst_known"]["seconds"] < 0.3


@pytest.mark.parametrize("lag_ns", [500 * MS, 2 * SECOND])
def test_a_standby_that_lags_would_have_lost_its_lag(story: Story, lag_ns: int) -> None:
    """At any moment the lag lies within the bounds, which are no wider than three intervals and a write's time."""
    story.make_asynchronous(lag_ns)
    swept = _swept(story)
    at_least, at_most = _loss_at(swept, FAULT - SECOND)
    assert at_least is not None
    assert at_most is not None
    assert at_least <= lag_ns / SECOND <= at_most
    assert at_most - at_least <= 0.35
    assert swept["resolution_seconds"] <= 0.35


def test_a_standby_that_streams_no_more_protects_nothing(story: Story) -> None:
    """From the first reading without it on the loss is unknown, and with it again from its second one on."""
    for sample in story.samples[40:60]:
        sample["standbys"] = []
    swept = _swept(story)
    lost_ns, back_ns = story.samples[40]["at_ns"], story.samples[60]["at_ns"]
    assert _loss_at(swept, lost_ns - 1) != (None, None)
    assert _loss_at(swept, lost_ns) == _loss_at(swept, back_ns + 99 * MS) == (None, None)
    assert _loss_at(swept, back_ns + 100 * MS) != (None, None)


def test_behind_since_before_anybody_looked_is_unbounded(story: Story) -> None:
    """Until the standby has what the first reading saw, nobody knows since when it lacks what."""
    story.make_asynchronous(2 * SECOND)
    swept = _swept(story)
    assert _loss_at(swept, BEGIN + SECOND) == (None, None)
    assert _loss_at(swept, BEGIN + 2500 * MS) != (None, None)


def test_a_gap_in_the_readings_is_unknown_after_a_second(story: Story) -> None:
    """A reading speaks for a second; then nothing is known until a standby streams in two readings."""
    _hide(story, BEGIN + 3 * SECOND, BEGIN + 6 * SECOND)
    swept = _swept(story)
    assert _loss_at(swept, BEGIN + 3800 * MS) == (0.0, 0.0)
    assert _loss_at(swept, BEGIN + 5 * SECOND) == (None, None)
    assert swept["unknown_seconds"] == pytest.approx(2.2 + 3.1 - 1 + 0.1, abs=0.15)


def test_no_reading_is_no_knowledge(story: Story) -> None:
    """Without readings the whole service is unknown, and nothing is said of the fault."""
    story.samples.clear()
    swept = _swept(story)
    assert swept["unknown_seconds"] == swept["served_seconds"] > 19
    assert (swept["median_seconds"], swept["worst_known"], swept["drilled"]) == (None, None, None)


def test_a_primary_of_which_nobody_knows_the_address_is_unknown(story: Story) -> None:
    """Readings name hosts and the ledger has addresses: without the one for the other they do not count."""
    story.drop("store.observed")
    swept = _swept(story)
    assert swept["unknown_seconds"] == swept["served_seconds"] > 19


def test_nobody_who_acknowledged_is_nothing_to_sweep(story: Story) -> None:
    """Where no server acknowledged anything there is no curve."""
    story.writes = {name: [] for name in story.writes}
    assert _swept(story) is None


def test_the_loss_that_rows_show_is_compared_with_positions(story: Story) -> None:
    """A loss as long as the lag agrees."""
    story.make_asynchronous(2 * SECOND)
    _lose_since(story, FAULT - 2 * SECOND)
    measured = story.measure()
    drilled = measured.to_json()["swept"]["drilled"]
    assert drilled["agrees"] is True
    assert drilled["measured_seconds"] == measured.to_json()["rpa"]["seconds"]
    assert "swept_differs" not in findings(measured)


@pytest.mark.parametrize("lost_ns", [1500 * MS, 2600 * MS])
def test_a_loss_that_positions_do_not_explain_is_a_finding(story: Story, lost_ns: int) -> None:
    """More or less than the lag, by more than the resolution: somebody should look."""
    story.make_asynchronous(2 * SECOND)
    _lose_since(story, FAULT - lost_ns)
    assert "swept_differs" in findings(story.measure())


def test_without_a_failover_there_is_nothing_to_compare(story: Story) -> None:
    """A primary that came back by itself lost nothing, whatever its standby lacked."""
    story.make_asynchronous(2 * SECOND)
    story.data_of("failover.observed")["promotions"] = 0
    measured = story.measure()
    assert measured.to_json()["swept"]["drilled"]["agrees"] is None
    assert "swept_differs" not in findings(measured)


def test_positions_can_contradict_a_synchronous_standby(story: Story) -> None:
    """A standby that is called synchronous and has not told of what was acknowledged long ago is a finding."""
    for sample in story.samples[50:60]:
        sample["standbys"][0]["flush_lsn"] -= 1000
    measured = story.measure()
    assert "synchronous_behind" in findings(measured)
    assert measured.verdict is Verdict.MET


def test_another_moment_above_the_objective_is_a_finding(story: Story) -> None:
    """A drill that lost nothing tells of the moment at which it would have missed its objective."""
    story.plan["RPO"] = "1 s"
    for sample in story.samples[40:60]:
        sample["standbys"][0].update(sync_state="async", flush_lsn=story.samples[40]["lsn"])
    measured = story.measure()
    assert "swept_over_objective" in findings(measured)
    worst = measured.to_json()["swept"]["worst_known"]
    assert worst["seconds"] == pytest.approx(2.1, abs=0.15)
    # Four clients write: two every 40 ms, two every 20 ms.
    assert worst["rows"] == pytest.approx(150 * worst["seconds"], abs=8)
    assert BEGIN + 4 * SECOND < worst["from_ns"] < worst["until_ns"] <= BEGIN + 6100 * MS


def test_a_document_can_be_had_as_an_earlier_version_wrote_it(story: Story) -> None:
    """A stored verdict of version 1 has no sweep: compared with it are only the figures that it has."""
    story.make_asynchronous(2 * SECOND)
    document = story.measure().to_json()
    assert "swept_differs" in {one["code"] for one in document["findings"]}
    earlier = in_version(document, 1)
    assert "swept" not in earlier
    assert earlier["schema_version"] == 1
    assert {one["code"] for one in earlier["findings"]} == {"standby_not_synchronous"}
    fifth = ("calls", "decision", "watchers", "deaths")
    of_regions = ("services", "runbook", "system", *fifth)
    added = {name: document[name] for name in ("swept", "restores", "destroyed", *of_regions)}
    assert {**document, **earlier} == {**earlier, **added}
    replication = {key: value for key, value in document["replication"].items() if key != "followers"}
    assert replication != document["replication"]
    assert earlier["replication"] == replication
    later = ("restores", "destroyed", *of_regions)
    assert in_version(document, 2) == {
        **{key: value for key, value in document.items() if key not in later},
        "replication": replication,
        "schema_version": 2,
    }
    third = {key: value for key, value in document.items() if key not in of_regions}
    assert in_version(document, 3) == {**third, "schema_version": 3}
    fourth = {key: value for key, value in document.items() if key not in fifth}
    assert in_version(document, 4) == {**fourth, "schema_version": 4}
    assert in_version(document, 5) == document


def test_the_last_service_counts_to_its_end(story: Story) -> None:
    """The curve ends with the last acknowledgement, not with the last reading."""
    _hide(story, RECOVERED + 5 * SECOND, END)
    swept = _swept(story)
    assert swept["curve"]["until_ns"][-1] == pytest.approx(END, abs=50 * MS)
    assert _loss_at(swept, END - SECOND) == (None, None)


def test_a_region_that_was_given_up_is_swept_alone(story: Story) -> None:
    """What took over in another region has nobody to copy to: its time would hide how the lost one was protected."""
    story.make_asynchronous(500 * MS)
    story.measure()
    directory = DrillDirectory(story.path / "drill")
    ledgers = read_ledger(directory.ledger)
    readings = read_readings(next(directory.evidence.glob("replication-*.jsonl")))
    addresses = read_facts(directory).addresses
    whole = sweep(ledgers, readings, addresses, FAULT, None).curve
    alone = sweep(ledgers, readings, addresses, FAULT, None, given_up=OLD).curve
    assert int(whole.until_ns[-1]) > RECOVERED
    assert int(alone.until_ns[-1]) <= FAULT + SECOND
    assert int(alone.lengths_ns.sum()) < int(whole.lengths_ns.sum())
