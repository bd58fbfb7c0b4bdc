"""The command that was run in the runbook's place, from the journal: what it was, how it ended, its last words.

How it ended is a finding and never a reason: a failover is judged by what users saw and by the data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from drdrill.measure.reason import Finding
from drdrill.plan.duration import format_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from drdrill.record.journal import Event

STARTED, ENDED = "failover_command.started", "failover_command.ended"
NOT_STATED = "nobody stated how long the command that was run in the runbook's place takes in production"


@dataclass(frozen=True, slots=True)
class CommandRecord:
    """A command as it went. `handler`: it was called with an event, as AWS Lambda calls a function.

    `status` None: it was broken off; `seconds` None: its end is not recorded.
    """

    command: str
    handler: bool
    status: int | None
    seconds: float | None
    said: str

    @property
    def end(self) -> str:
        """Return how it ended, as the end of a sentence without a full stop."""
        if self.seconds is None:
            return "has no recorded end"
        told = "was broken off" if self.status is None else f"ended with status {self.status}"
        return f"{told} after {format_seconds(self.seconds)}"


def read_command(events: Sequence[Event]) -> CommandRecord | None:
    """Return the last command that was run in a runbook's place; None: none was."""
    begun = next((one for one in reversed(events) if one.kind == STARTED), None)
    if begun is None:
        return None
    command, handler = str(begun.data["command"]), begun.data.get("event") is not None
    ended = next((one.data for one in events if one.kind == ENDED and one.seq > begun.seq), None)
    if ended is None:
        return CommandRecord(command, handler, None, None, "")
    status = ended["status"]
    return CommandRecord(
        command,
        handler,
        None if status is None else int(status),
        float(ended["seconds"]),
        str(ended.get("said") or ""),
    )


def find_command(record: CommandRecord | None) -> Iterator[Finding]:
    """Yield that a command did not end well, with its last word."""
    if record is None or record.status == 0:
        return
    last = f": {record.said.splitlines()[-1].strip().rstrip('.')}" if record.said.strip() else ""
    yield Finding("failover_command_failed", f"The failover that was run {record.end}{last}.")
