"""A drill in which rows are destroyed and the database is restored to the moment before, made by hand: MET."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from drdrill.record.ledger import ClientKind, Outcome
from tests.measure.story import (
    FAULT,
    MS,
    NEW,
    OLD,
    RECOVERED,
    SECOND,
    Story,
    encode_survivors,
    make_story,
)

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.record.directory import DrillDirectory
    from tests.measure.story import Write

POINT = FAULT - SECOND  # what is restored to
READ = FAULT + SECOND  # when somebody looked what the fault had left
LOSS_PATH = "    critical_path: [failover, name_cache, reconnection]\n"


@dataclass
class RestoredStory(Story):
    """What was left by the fault, and what was restored: rows as (id, amount, position)."""

    left: list[tuple[int, int, int]] | None = field(default_factory=list)
    restored: list[tuple[int, int, int]] | None = field(default_factory=list)

    def acknowledged_by(self, server: int) -> list[Write]:
        """Return what a server acknowledged, of all clients."""
        return [one for writes in self.writes.values() for one in writes if one.server == server]

    def store(self) -> DrillDirectory:
        """Write the directory with what was left and what was restored."""
        contents = {
            name: encode_survivors(rows)
            for name, rows in (("damage", self.left), ("restore", self.restored))
            if rows is not None
        }
        for name, content in contents.items():
            self.data_of(f"{name}.read").setdefault("sha256", hashlib.sha256(content).hexdigest())
        directory = super().store()
        for name, content in contents.items():
            (directory.evidence / f"{name}-1.copy").write_bytes(content)
        return directory


def row_of(write: Write) -> tuple[int, int, int]:
    """Return the row that a write makes."""
    return write.id, write.amount, write.position


def make_restored_story(path: Path) -> RestoredStory:
    """Return a drill that is MET: every third row destroyed, the database restored to a second before, and served."""
    told = make_story(path)
    story = RestoredStory(
        path, told.plan, told.clients, told.writes, told.events, told.about, told.samples, told.strays
    )
    story.plan[LOSS_PATH] = LOSS_PATH + "    loss_path: [name_cache]\n"
    story.drop("store.protected")
    old = story.acknowledged_by(OLD)
    story.left = [row_of(one) for number, one in enumerate(old) if number % 3]
    story.restored = [row_of(one) for one in old if one.answered_ns <= POINT]
    for one in old:
        one.rows = int(one.answered_ns <= POINT)
    for kind in ("fault.injected", "fault.observed"):
        story.data_of(kind)["kind"] = "bad_delete"
    story.data_of("failover.observed").update(promotions=0, moves=1, events=[])
    reading = {"number": 1, "source": "sql"}
    story.events += [
        (READ + 100 * MS, "damage.read", {**reading, "at_ns": READ, "evidence": "evidence/damage-1.copy"}),
        (RECOVERED - 2 * SECOND, "restore.observed", describe_restore()),
        (
            RECOVERED - SECOND,
            "restore.read",
            {**reading, "at_ns": RECOVERED - SECOND, "evidence": "evidence/restore-1.copy"},
        ),
        (
            RECOVERED + 2 * SECOND,
            "store.protected",
            {"resource": "orders", "at_ns": RECOVERED + 2 * SECOND, "resolution_ns": 100 * MS},
        ),
    ]
    story.events.sort(key=lambda event: event[0])
    return story


def describe_restore() -> dict[str, object]:
    """Return what the environment says of the restore."""
    return {
        "resource": "orders-restored",
        "source": "orders-damaged",
        "kind": "point_in_time",
        "base": "rds:orders-2026-11-28-19-00",
        "base_utc": "2026-11-28T19:00:00+00:00",
        "from_ns": POINT,
        "until_ns": POINT,
        "bound_ns": MS,
        "until_utc": "2026-11-28T19:05:00+00:00",
        "latest_ns": FAULT + 2 * SECOND,
        "latest_utc": "2026-11-28T19:05:03+00:00",
        "last_segment": "000000010000000000000012",
        "open_segment": "000000010000000000000013",
        "address": ".".join(str(NEW >> shift & 255) for shift in (24, 16, 8, 0)),
    }


def be_served_meanwhile(story: RestoredStory, *, until_ns: int) -> None:
    """Let the old server go on after the fault: what it acknowledges then is lost by the restore."""
    for name, writes in story.writes.items():
        if story.clients[name].kind is ClientKind.CONTROL:
            continue
        for one in writes:
            if one.server == 0 and FAULT <= one.sent_ns < until_ns and one.answered_ns > one.sent_ns:
                one.outcome, one.server, one.answered_ns = Outcome.ACKNOWLEDGED, OLD, one.sent_ns + 5 * MS
