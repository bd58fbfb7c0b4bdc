"""A drill in which the APIs of the primary region are lost, users are served on, and nobody fails over: MET."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.record.ledger import ClientKind, Outcome
from tests.measure.regional import BEGUN, HERE, make_regional
from tests.measure.story import END, FAULT, MS, OLD, SECOND

if TYPE_CHECKING:
    from pathlib import Path

    from tests.measure.regional import RegionalStory
    from tests.measure.story import Write

RUNBOOK = """\
version: 1
title: Failover
loses: primary
steps:
  detection:
    action: {command: [look]}
    verify: {command: [is-lost]}
    within: 1 h
    phase: detect
    by: machine
    says_no: 10
    duration: {distribution: constant, typical: 1 min, source: a guess}
  declaration:
    action: {gate: {role: commander, question: Is it lost}}
    needs: [detection]
    within: 1 h
    phase: declare
    by: person
    duration: {distribution: constant, typical: 10 min, source: a guess}
  promotion:
    action: {command: [promote]}
    verify: {command: [is-promoted]}
    needs: [declaration]
    within: 1 h
    phase: restore
    by: machine
    duration: {distribution: constant, typical: 20 min, source: a guess}
"""
HEALING = FAULT + 8 * SECOND
SAID = "its action ended with 10: both regions are healthy"
_FAULT = {"kind": "region_control_plane_loss", "resource": "eu-west-1"}
_RUNBOOK = "    runbook: failover/runbook.yaml\n"
_ZONES = {"orders": ["eu-west-1a"]}


def make_stayed(path: Path) -> RegionalStory:
    """Return a drill that is MET; nothing is written before `measure` or `store`."""
    story = make_regional(path)
    story.plan |= {
        "IMPACT": "{service: orders, none: true}",
        _RUNBOOK: f"{_RUNBOOK}    decision: stay\n    mirror: system\n",
        "    re_protection: 1 h\n": "",
    }
    story.runbook = RUNBOOK
    for name, writes in story.writes.items():
        if story.clients[name].kind is not ClientKind.CONTROL:
            for write in writes:
                serve(write, zones=name in story.users["clients"], asks=name.startswith("probe-"))
    for sample in story.samples:
        sample["primary"] = "db-1"
        sample["standbys"] = [{"host": "db-2", "sync_state": "sync", "flush_lsn": sample["lsn"]}]
    for moment in [data for _, kind, data in story.events if kind == "store.observed"]:
        moment["members"] = story.data_of("store.observed")["members"]
    story.drop("failover.observed", "store.protected")
    for kind in ("fault.injecting", "fault.injected", "fault.observed"):
        story.data_of(kind).update(_FAULT)
    story.events += [
        (END, "failover.observed", {"resource": "orders", "promotions": 0, "events": []}),
        (FAULT - SECOND, "system.observed", _look("before_fault")),
        (HEALING, "fault.healing", _FAULT),
        (HEALING + 5 * SECOND, "recovery.observed", {"recovered": True, "outage_seconds": 0.0}),
        (HEALING + 5 * SECOND, "system.observed", _look("after_recovery")),
        (END + SECOND, "reconciliation.begun", {"names": []}),
    ]
    story.events.sort(key=lambda event: event[0])
    story.steps = [
        (BEGUN, "runbook.begun", {"title": "Failover", "steps": ["detection", "declaration", "promotion"]}),
        (BEGUN, "step.begun", {"step": "detection"}),
        (BEGUN + 100 * MS, "step.acting", {"step": "detection", "seen": ""}),
        (BEGUN + 3 * SECOND, "step.acted", {"step": "detection", "status": 10}),
        (
            BEGUN + 3 * SECOND,
            "step.ended",
            {"step": "detection", "state": "failed", "acted": True, "reason": SAID},
        ),
        *(
            (
                BEGUN + 3 * SECOND,
                "step.ended",
                {"step": one, "state": "blocked", "acted": False, "reason": ""},
            )
            for one in ("declaration", "promotion")
        ),
        (BEGUN + 3 * SECOND, "runbook.ended", {"done": False, "interrupted": False, "not_done": []}),
    ]
    return story


def serve(write: Write, *, zones: bool, asks: bool) -> None:
    """Have a write served by who served before the fault."""
    write.outcome, write.server, write.answered_ns = (
        Outcome.ACKNOWLEDGED,
        HERE if zones else OLD,
        write.sent_ns + 5 * MS,
    )
    write.rows = 0 if asks else 1


def last_look(story: RegionalStory) -> dict[str, Any]:
    """Return what was seen of the system in the end, to be changed."""
    return [data for _, kind, data in story.events if kind == "system.observed"][-1]


def go_on(story: RegionalStory) -> None:
    """Have the runbook's detection say yes, and its promotion be done."""
    assert story.steps is not None
    story.end_of("detection").update(state="done", reason="")
    next(data for _, kind, data in story.steps if kind == "step.acted")["status"] = 0
    story.end_of("declaration").update(state="done")
    story.end_of("promotion").update(state="done")
    begun = [(BEGUN + 3 * SECOND, "step.begun", {"step": one}) for one in ("declaration", "promotion")]
    story.steps[-3:-3] = begun


def break_service(story: RegionalStory, client: str) -> None:
    """Have nobody answer a client for two seconds in the middle of the fault."""
    for write in story.writes[client]:
        if FAULT + 3 * SECOND <= write.sent_ns < FAULT + 5 * SECOND:
            write.outcome, write.rows, write.answered_ns = Outcome.UNKNOWN, 0, write.sent_ns + SECOND


def _look(moment: str) -> dict[str, Any]:
    pods, one = {"shop/orders": 3}, {"shop/orders": 1}
    return {
        "moment": moment,
        "regions": {
            "eu-west-1": {"answers": True, "nodes": {"eu-west-1a": 3}, "ready": pods, "wanted": pods},
            "eu-central-1": {"answers": True, "nodes": {"eu-central-1a": 1}, "ready": one, "wanted": one},
        },
        "name": "api.shop.example",
        "addresses": {"10.0.0.9": True},
        "primaries": {**_ZONES},
    }
