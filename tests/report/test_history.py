"""What pictures show: each request in its place, and commits by the server that acknowledged them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drdrill.record.ledger import read_ledger
from drdrill.report.account import read_account
from drdrill.report.history import Service, count_commits, read_experiences
from tests.measure.story import FAULT, MS, NEW, OLD, SECOND
from tests.report.conftest import store

if TYPE_CHECKING:
    from drdrill.report.history import Experience
    from tests.measure.story import Story


def _experience(story: Story, name: str, *, places: int = 10_000) -> Experience:
    account = read_account(store(story))
    found = read_experiences(account.ledgers, account.thresholds, FAULT, places=places)
    return next(one for one in found if one.name == name)


def test_requests_of_one_kind_become_one_span(story: Story) -> None:
    """Served until the fault, no answer during the outage, served from the recovery on, to the request."""
    spans = _experience(story, "prober-0").spans
    assert [span.service for span in spans] == [Service.SERVED, Service.FAILED, Service.SERVED]
    edges = [edge for span in spans for edge in (span.begin, span.end)]
    assert edges == pytest.approx([-10, 0, 0, 4, 4, 14])


def test_a_slow_answer_and_a_late_request_are_told_apart(story: Story) -> None:
    """An answer after the plan's latency is slow; a request that left too late tells nothing."""
    slow, late = story.writes["prober-0"][10], story.writes["prober-0"][20]
    slow.answered_ns = slow.sent_ns + 700 * MS
    late.sent_ns += 600 * MS
    late.answered_ns = late.sent_ns + 5 * MS
    spans = _experience(story, "prober-0").spans
    assert [span.service for span in spans][:5] == [
        Service.SERVED, Service.SLOW, Service.SERVED, Service.UNKNOWN, Service.SERVED,
    ]  # fmt: skip


def test_a_client_that_holds_connections_is_held_up(story: Story) -> None:
    """Its late request is not unknown: its connection hung while it was due."""
    late = story.writes["load-0"][20]
    late.sent_ns += 600 * MS
    late.answered_ns = late.sent_ns + 5 * MS
    assert Service.HELD_UP in [span.service for span in _experience(story, "load-0").spans]


def test_the_worst_one_shows_where_many_share_a_place(story: Story) -> None:
    """A single failed request is not lost when a picture has fewer places than there were requests."""
    story.writes["prober-0"][10].answered_ns += 2 * SECOND
    spans = _experience(story, "prober-0", places=20).spans
    assert spans[0].service is Service.FAILED


def test_commits_are_counted_by_server_and_without_controls(story: Story) -> None:
    """The sum over all bins is the number of acknowledgements of users; the first server stands first."""
    directory = store(story)
    rate = count_commits(read_ledger(directory.ledger), FAULT, begin=-10, end=20, bin_seconds=0.5)
    acknowledged = {
        server: sum(
            w.server == server for name, ws in story.writes.items() if name != "control-0" for w in ws
        )
        for server in (OLD, NEW)
    }
    assert {server: sum(rates) * 0.5 for server, rates in rate.by_server} == pytest.approx(acknowledged)
    assert [server for server, _ in rate.by_server] == [OLD, NEW]
    assert rate.by_server[1][1][0] == 0
