"""The failover that was run in the runbook's place, on a drill's page: which command, how it ended, its last words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from drdrill.report.places import without_folders

if TYPE_CHECKING:
    from drdrill.report.account import Account


@dataclass(frozen=True, slots=True)
class FailoverTold:
    """A command in words. `way`: how it was called; `said`: its last words; `failed`: it did not end with 0."""

    command: str
    way: str
    end: str
    said: str
    failed: bool


def describe_failover(account: Account) -> FailoverTold | None:
    """Return which command took the runbook's place; None: none did."""
    record = account.facts.command
    if record is None:
        return None
    return FailoverTold(
        command=without_folders(record.command),
        way="a handler, called with an event as AWS Lambda calls a function"
        if record.handler
        else "a line for the shell",
        end=record.end,
        said=without_folders(record.said),
        failed=record.status != 0,
    )
