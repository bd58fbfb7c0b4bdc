"""Events of a drill of the whole system, in plain words."""

from __future__ import annotations

from typing import Any

import pytest

from drdrill.record.journal import Event
from drdrill.report.chronicle import Entry, write_chronicle


def tell(kind: str, /, **data: Any) -> Entry:
    """Return the entry of an event."""
    event = Event(0, 1000, "2026-01-01T00:00:00.000+00:00", "drill", kind, data, "", "")
    (entry,) = write_chronicle([event])
    return entry


def region(nodes: int, ready: int, *, answers: bool = True) -> dict[str, Any]:
    """Return what the journal says of a region."""
    return {
        "answers": answers,
        "nodes": {"a": nodes},
        "ready": {"orders": ready},
        "wanted": {"orders": ready},
    }


@pytest.mark.parametrize(
    ("kind", "data", "expected", "grave"),
    [
        ("environment.told", {"line": "13 pods"}, "Coming up: 13 pods", False),
        ("environment.failed", {"reason": "no disk"}, "The environment did not come up: no disk", True),
        ("system.unreadable", {"reason": "gone"}, "Nobody could look at the whole system: gone", True),
        ("outage.observed", {"seen": True}, "Users are not served", False),
        (
            "runbook.started",
            {"runbook": "failover/runbook.yaml", "gates": "approve", "why": "a drill"},
            "The operators run failover/runbook.yaml; its gates: approve (a drill)",
            False,
        ),
        ("runbook.finished", {"status": 0, "seconds": 130.7}, "The runbook is done after 2 min 11 s", False),
        ("runbook.finished", {"status": 3, "seconds": 9}, "The runbook ended with status 3 after 9 s", True),
        ("store.said", {"resource": "orders", "status": "available"}, "orders is available", False),
    ],
)
def test_an_event_in_words(kind: str, data: dict[str, Any], expected: str, *, grave: bool) -> None:
    """No event of such a drill is told as the program wrote it."""
    entry = tell(kind, **data)
    assert (entry.text.replace("\N{NO-BREAK SPACE}", " "), entry.grave) == (expected, grave)


def test_a_look_at_the_whole_system() -> None:
    """What each region carried, and where users were led."""
    addresses = {"10.0.0.1": True, "10.0.0.2": False}
    seen = {"here": region(0, 0, answers=False), "there": region(3, 5)}
    entry = tell("system.observed", regions=seen, name="api", addresses=addresses)
    assert entry.text == (
        "here: no answer; there: 3 nodes and 5 pods are ready; api leads to 2 addresses, of which 1 answer"
    )
    assert tell("system.observed", regions={}, name="api", addresses={}).text.endswith("api leads nowhere")


def test_stores_that_were_asked() -> None:
    """Yes, no, and not known."""
    told = [
        tell("reconciliation.observed", name="all is well", across=True, wrong=wrong, problem=problem).text
        for wrong, problem in (([], ""), (["a", "b"], ""), ([], "no way"))
    ]
    assert told == [
        "Stores are asked whether all is well: yes",
        "Stores are asked whether all is well: no, 2 times not",
        "Stores are asked whether all is well: that could not be asked: no way",
    ]


def test_a_fault_at_length_is_told_in_short() -> None:
    """Of many hosts the first are named; what is not set and what was before is left out."""
    hosts = [{"host": f"db-{number}", "zone": "a", "powered": True} for number in range(8)]
    entry = tell(
        "fault.injected",
        kind="power_loss",
        resource="here",
        before_ns=0,
        after_ns=0,
        details={
            "hosts": hosts,
            "condition": {"delay_seconds": 3.0, "cut": False, "limit": None},
            "was": {"cut": True},
            "count": 0,
        },
    )
    assert "(delay seconds 3.0, 0, db-0, db-1, db-2, db-3, db-4, db-5 and 2 more)" in entry.text
