"""Watchers in a drill made by hand: one in each region, who is told what is so there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.record.ledger import ClientKind, Outcome
from tests.measure.regional import HERE, THERE, ZONES
from tests.measure.story import BEGIN, FAULT, MS, RECOVERED, make_client

if TYPE_CHECKING:
    from tests.measure.regional import RegionalStory
    from tests.measure.story import Write

HERES, THERES = "watcher-eu-west-1-orders", "watcher-eu-central-1-orders"
STEP = 500 * MS


def answer(write: Write, zone: int, *, at_ns: int, acknowledged: bool = True) -> None:
    """Let a zone acknowledge a write, or say that it serves nobody."""
    write.server, write.answered_ns = zone, at_ns
    write.outcome = Outcome.ACKNOWLEDGED if acknowledged else Outcome.UNKNOWN
    write.rows = int(acknowledged)


def add_watchers(regional: RegionalStory) -> None:
    """Let the drill of a lost region have a watcher in each region."""
    watchers = {HERES: "eu-west-1", THERES: "eu-central-1"}
    regional.events.insert(3, (BEGIN, "load.started", {
        "clients": list(watchers), "services": dict.fromkeys(watchers, "orders"), "zones": ZONES,
        "watchers": watchers, "start_ns": BEGIN,
    }))  # fmt: skip
    for number, name in enumerate(watchers, start=30):
        regional.add_client(make_client(name, number, ClientKind.WATCHER, STEP))
    for write in regional.writes[HERES]:
        if write.sent_ns < FAULT:
            answer(write, HERE, at_ns=write.sent_ns + 5 * MS)
        else:
            write.outcome, write.rows, write.server = None, 0, 0
    for write in regional.writes[THERES]:
        answer(write, THERE, at_ns=write.sent_ns + 5 * MS, acknowledged=write.sent_ns >= RECOVERED)
