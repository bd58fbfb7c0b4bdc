"""Two regions that acknowledge writes at one time are two writers, whatever servers stand in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.core.verdict import Verdict
from drdrill.record.ledger import Outcome
from tests.measure.regional import HERE, THERE
from tests.measure.story import FAULT, NEW, OLD, RECOVERED, SECOND, codes

if TYPE_CHECKING:
    from tests.measure.regional import RegionalStory


def answer(story: RegionalStory, zone: int, from_ns: int, until_ns: int) -> None:
    """Let `shop-0` be answered by a zone in a span of time, every second request."""
    for write in story.writes["shop-0"][::2]:
        if from_ns <= write.sent_ns < until_ns:
            write.outcome, write.server, write.rows = Outcome.ACKNOWLEDGED, zone, 1
            write.answered_ns = write.sent_ns + 5_000_000


def test_two_regions_at_one_time_are_two_writers(regional: RegionalStory) -> None:
    """The lost region goes on acknowledging beside the other one: no single move explains that."""
    answer(regional, HERE, RECOVERED, RECOVERED + 3 * SECOND)
    measured = regional.measure()
    assert codes(measured, Verdict.MISSED) == {"two_writers"}
    assert "Two regions acknowledged" in measured.reasons[0].text
    writers = measured.to_json()["writers"]
    assert (writers["servers"], writers["allowed"]) == (["eu-west-1", "eu-central-1"], 1)
    assert {one["server"] for one in writers["evidence"]} == {"eu-west-1", "eu-central-1"}


def test_zones_of_one_region_are_one_writer(regional: RegionalStory) -> None:
    """Services in several zones answer side by side; they have one database."""
    answer(regional, HERE + 1, 0, FAULT)
    answer(regional, THERE + 1, RECOVERED, RECOVERED + 5 * SECOND)
    assert regional.measure().verdict is Verdict.MET


def test_nothing_moves_users_back(regional: RegionalStory) -> None:
    """The first region's turn comes first: one that is used after the other one needs a second move."""
    others = {HERE: THERE, THERE: HERE, OLD: NEW, NEW: OLD}
    for writes in regional.writes.values():
        for write in writes:
            write.server = others.get(write.server, 0)
    measured = regional.measure()
    assert codes(measured, Verdict.MISSED) == {"two_writers"}
    assert (measured.to_json()["writers"]["alternations"], len(measured.reasons)) == (2, 1)


def test_without_a_runbook_nothing_moves_users(regional: RegionalStory) -> None:
    """A move that no runbook made, and that the store did not make either, is not explained."""
    regional.steps = None
    after = [data for _, kind, data in regional.events if kind == "store.observed"][-1]
    after["members"][0]["zone"] = "eu-west-1b"
    measured = regional.measure()
    assert codes(measured, Verdict.MISSED) == {"two_writers"}
    assert measured.to_json()["writers"]["allowed"] == 0


def test_the_store_itself_may_have_moved(regional: RegionalStory) -> None:
    """Where the cloud has the store's primary in the other region, that is one move, runbook or not."""
    regional.steps = None
    measured = regional.measure()
    assert (codes(measured), measured.writers) != (set(), None)
    assert codes(measured) == {"runbook_not_run"}


def test_an_answer_without_a_zone_accuses_nobody(regional: RegionalStory) -> None:
    """Acknowledgements of which no zone is known are left out of the watch, and so nobody knows: never MET."""
    answer(regional, 0, 0, RECOVERED + 5 * SECOND)
    measured = regional.measure()
    assert "two_writers" not in codes(measured)
    assert "writer_not_named" in codes(measured, Verdict.INCONCLUSIVE)


def test_clients_with_addresses_are_watched_in_regions_too(regional: RegionalStory) -> None:
    """An SQL client that the lost region's server still acknowledges to contradicts those who come by HTTPS."""
    for write in regional.last_served("load-0", 0x0A000002, 100)[:3]:
        write.server = 0x0A000001
    measured = regional.measure()
    texts = [one.text for one in measured.reasons if one.code == "two_writers"]
    assert [text.split(" acknowledged")[0] for text in texts] == ["Two regions", "Two servers"]
