"""A drill in which the primary region is lost and a runbook moves users to the other one, made by hand: MET.

`orders` is judged; `customers` is as urgent and `letters` is not, and both are only asked by HTTPS. `shop-0` writes by
HTTPS: it is told the zone that answered, and no server's address.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from drdrill.record.journal import Journal
from drdrill.record.ledger import ClientKind
from tests.faults.fakes import ManualClock
from tests.measure.story import BEGIN, FAULT, MS, NEW, OLD, SECOND, Story, make_client, make_story

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.record.directory import DrillDirectory

ZONES = ["eu-west-1a", "eu-west-1b", "eu-central-1a", "eu-central-1b"]
HERE, THERE = 1, 3  # their places in the list: eu-west-1a and eu-central-1a
BEGUN = FAULT + 500 * MS
DECLARED = FAULT + 1500 * MS
RUNBOOK = """\
version: 1
title: Failover
loses: primary
steps:
  declaration:
    action: {gate: {role: commander, question: Is it lost}}
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
  status_page:
    action: {command: [publish]}
    verify: {command: [is-published]}
    needs: [promotion]
    within: 3 h
    phase: communicate
    by: machine
    critical: false
    duration: {distribution: constant, typical: 90 min, source: a guess}
"""
_SERVICES = "  orders: {tier: critical, stores: [orders-database]}\n"


@dataclass
class RegionalStory(Story):
    """`steps`: the runbook's own journal; `runbook`: its file; None: there is none."""

    steps: list[tuple[int, str, dict[str, Any]]] | None = field(default_factory=list)
    runbook: str | None = RUNBOOK

    def store(self) -> DrillDirectory:
        """Write the directory, the runbook's folder too."""
        directory = super().store()
        folder = directory.path / "failover"
        folder.mkdir()
        if self.runbook is not None:
            (folder / "runbook.yaml").write_text(self.runbook, encoding="utf-8")
        if self.steps is not None:
            clock = ManualClock()
            journal = Journal(folder / "journal.jsonl", actor="runbook", clock=clock)
            for at_ns, kind, data in self.steps:
                clock.ns = at_ns
                journal.append(kind, **data)
        return directory

    def add_asker(self, service: str, number: int) -> None:
        """Let a client ask a service by HTTPS through the whole drill; it writes nothing."""
        name = f"probe-{service}-0"
        self.add_client(make_client(name, number, ClientKind.PROBER, 40 * MS))
        for write in self.writes[name]:
            write.amount = write.rows = 0
        self.tell_zones(name)
        self.users["services"][name] = service

    def tell_zones(self, name: str) -> None:
        """Let a client be told zones in the place of servers."""
        for write in self.writes[name]:
            write.server = {OLD: HERE, NEW: THERE}.get(write.server, 0)
        self.users["clients"].append(name)

    @property
    def users(self) -> dict[str, Any]:
        """Return what the journal says of those who come by HTTPS."""
        return [data for _, kind, data in self.events if kind == "load.started"][1]

    def drop_step(self, step: str) -> None:
        """Forget that a step was ever begun."""
        self.steps = [one for one in self.steps or () if one[2].get("step") != step]

    def end_of(self, step: str) -> dict[str, Any]:
        """Return what the runbook's journal says of a step's end, to be changed."""
        return next(
            data for _, kind, data in self.steps or () if kind == "step.ended" and data["step"] == step
        )


def make_regional(path: Path) -> RegionalStory:
    """Return a drill that is MET; nothing is written before `measure` or `store`."""
    plain = make_story(path)
    story = RegionalStory(**{name: getattr(plain, name) for name in Story.__dataclass_fields__})
    story.plan |= {
        "data_classes:": "  other: {rto: {within: 4 h, clock: outage}}\ndata_classes:",
        _SERVICES: f"{_SERVICES}  customers: {{tier: critical}}\n  letters: {{tier: other}}\n",
        "    critical_path: [failover, name_cache, reconnection]\n": (
            "    services: [customers, letters]\n    runbook: failover/runbook.yaml\n"
        ),
    }
    users = {"clients": [], "services": {}, "zones": ZONES, "start_ns": BEGIN}
    story.events.insert(2, (BEGIN, "load.started", users))
    for number, service in enumerate(("customers", "letters"), start=10):
        story.add_asker(service, number)
    story.add_client(make_client("shop-0", 20, ClientKind.LOAD, 40 * MS))
    story.tell_zones("shop-0")
    after = [data for _, kind, data in story.events if kind == "store.observed"][-1]
    after["members"][0]["zone"], after["members"][1]["zone"] = "eu-central-1a", "eu-central-1b"
    story.steps = [
        (BEGUN, "runbook.begun", {"title": "Failover", "steps": ["declaration", "promotion", "status_page"]}),
        (BEGUN, "step.begun", {"step": "declaration"}),
        (BEGUN, "gate.asked", {"step": "declaration", "role": "commander", "question": "Is it lost"}),
        (
            DECLARED,
            "gate.answered",
            {
                "step": "declaration",
                "approved": True,
                "who": "policy:approve",
                "why": "a drill",
                "waited_seconds": 1.0,
            },
        ),
        (DECLARED, "step.ended", {"step": "declaration", "state": "done", "acted": False, "reason": ""}),
        (DECLARED + 100 * MS, "step.begun", {"step": "promotion"}),
        (DECLARED + 300 * MS, "step.acting", {"step": "promotion", "seen": ""}),
        (DECLARED + 1300 * MS, "step.acted", {"step": "promotion", "status": 0}),
        (
            DECLARED + 1800 * MS,
            "step.ended",
            {"step": "promotion", "state": "done", "acted": True, "reason": ""},
        ),
        (DECLARED + 2000 * MS, "step.begun", {"step": "status_page"}),
        (DECLARED + 2100 * MS, "step.acting", {"step": "status_page", "seen": ""}),
        (
            DECLARED + 7 * SECOND,
            "step.ended",
            {"step": "status_page", "state": "done", "acted": True, "reason": ""},
        ),
        (DECLARED + 7 * SECOND, "runbook.ended", {"done": True, "interrupted": False, "not_done": []}),
    ]
    return story


def commanded(
    story: RegionalStory, *, status: int | None = 0, said: str = "", command: str = "./failover.sh"
) -> None:
    """Let a command have been run in the runbook's place: there is no runbook's journal, and no file of one."""
    story.steps = story.runbook = None
    place = next(number for number, event in enumerate(story.events) if event[0] > BEGUN)
    ended = {"command": command, "status": status, "seconds": 5.0, "said": said}
    started = {"command": command, "event": None, "log": "logs/failover-command.log"}
    story.events[place:place] = [
        (BEGUN, "failover_command.started", started),
        (BEGUN, "failover_command.ended", ended),
    ]
