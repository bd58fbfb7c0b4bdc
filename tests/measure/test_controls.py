"""Positive controls that fail, because what they test is blind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.core.verdict import Verdict
from drdrill.measure.controls import remove_rows
from drdrill.measure.loss import compare
from drdrill.record.ledger import make_id
from tests.measure.histories import Attempt, Row, make_client, make_ledger, make_survivors
from tests.measure.story import FAULT, SECOND, codes

if TYPE_CHECKING:
    import pytest

    from tests.measure.story import Story

ROWS = [Row(make_id(1, k), position=k) for k in range(9)]
LEDGER = make_ledger(make_client(1), [Attempt(k, 10 * k, answered_ns=10 * k + 5) for k in range(9)])
OTHER = make_ledger(make_client(2), [Attempt(0, 0, answered_ns=5)])


def test_removed_rows_are_found() -> None:
    """Rows that are lost anyway do not disturb the control."""
    survivors = make_survivors(ROWS)
    ledgers = [LEDGER, OTHER]
    assert remove_rows(ledgers, survivors, compare(ledgers, survivors), seed=1).passed


def test_loss_that_is_forgotten_fails_the_control() -> None:
    """What was lost before must be found lost again, beside the removed rows."""
    survivors = make_survivors(ROWS)
    found = compare([LEDGER, OTHER], survivors)
    assert not remove_rows([LEDGER], survivors, found, seed=1).passed


def test_store_without_acknowledged_rows_fails_the_control() -> None:
    """Where nothing can be removed nothing is proved."""
    survivors = make_survivors([])
    assert not remove_rows([LEDGER], survivors, compare([LEDGER], survivors), seed=1).passed


def test_blind_comparison_is_invalid(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """A comparison that does not see removed rows makes the drill INVALID."""
    monkeypatch.setattr(
        "drdrill.measure.controls.compare", lambda ledgers, _survivors: compare(ledgers, make_survivors([]))
    )
    measured = story.measure()
    assert (measured.verdict, codes(measured)) == (Verdict.INVALID, {"control_failed"})


def test_control_that_begins_after_the_fault_is_invalid(story: Story) -> None:
    """A black hole that nobody asked before the fault proves nothing of that time."""
    story.writes["control-0"] = [one for one in story.writes["control-0"] if one.sent_ns > FAULT + SECOND]
    assert codes(story.measure()) == {"control_failed"}


def test_control_that_hardly_asked_is_invalid(story: Story) -> None:
    """A control too short for one window has shown nothing."""
    story.writes["control-0"] = story.writes["control-0"][:3]
    assert codes(story.measure()) == {"control_failed"}


def test_rows_of_an_answered_control_accuse_no_store(story: Story) -> None:
    """A control that got an answer spoils the drill; the row that it wrote is not a phantom."""
    answered = story.writes["control-0"][3]
    writer = story.writes["load-0"][3]
    answered.outcome, answered.server, answered.rows = writer.outcome, writer.server, 1
    answered.answered_ns = answered.sent_ns + SECOND // 1000
    measured = story.measure()
    assert codes(measured) == {"control_failed"}
    assert measured.to_json()["rpa"]["phantom_rows"] == 0
