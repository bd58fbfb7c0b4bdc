"""What an operator's host remembers, as of another time than now."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from failover._leases import NAMED

if TYPE_CHECKING:
    from datetime import timedelta

    from failover._notes import Notes

RECOVERY = "eu-central-1"


def note_named(notes: Notes, *, ago: timedelta, region: str = RECOVERY) -> None:
    """Note that a region was named so long ago, before this machine was started anew."""
    notes.write(NAMED, region)
    at = (datetime.now(UTC) - ago).isoformat()
    said = {"at": at, "text": region, "boot": "of another day", "since_boot": 0}
    notes.path(NAMED).write_text(json.dumps(said), encoding="utf-8")
