"""Scaling up by Terraform: what is asked for, and what is said of failures and of a state that somebody has locked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from failover._places import SYSTEM
from failover._telling import StoppedError
from failover.scale_up import Ended, observe, run_roots, scale_up

if TYPE_CHECKING:
    from collections.abc import Sequence

WANTED = ["platform/recovery", "--set", "capacity=production"]
LOCKED = """\
terraform apply of platform/recovery failed:
Error: Error acquiring the state lock
Error message: operation error S3: PutObject, StatusCode: 412, PreconditionFailed
Lock Info:
  ID:        8e4f1d2a
  Path:      meqenet-terraform-state/platform/recovery
  Operation: OperationTypeApply
  Who:       almaz@laptop
  Version:   1.12.0
  Created:   2026-11-29 17:00:00 UTC
"""


@dataclass
class Roots:
    """The company's Terraform, which has production's size after it was applied."""

    ended: Ended | None = None
    applied: bool = False
    asked: list[list[str]] = field(default_factory=list)

    def __call__(self, arguments: Sequence[str]) -> Ended:
        """Do it, or end as it was scripted."""
        self.asked.append(list(arguments))
        if self.ended is not None:
            return self.ended
        self.applied |= arguments[0] == "apply"
        return Ended(0 if self.applied else 2, "")


def test_looked_at_before_and_after() -> None:
    """Its plan is not empty before, and empty after; applied twice, nothing changes."""
    roots = Roots()
    with pytest.raises(StoppedError, match="has not production's size yet"):
        observe(roots)
    scale_up(roots)
    scale_up(roots)
    observe(roots)
    assert roots.asked == [["plan", *WANTED], ["apply", *WANTED], ["apply", *WANTED], ["plan", *WANTED]]


def test_a_locked_state_says_who_holds_it() -> None:
    """Who, since when, and what to do."""
    with pytest.raises(StoppedError) as stopped:
        scale_up(Roots(Ended(1, LOCKED)))
    said = str(stopped.value)
    assert "locked by almaz@laptop (OperationTypeApply, since 2026-11-29 17:00:00 UTC)" in said
    assert "terraform force-unlock 8e4f1d2a" in said


def test_a_failure_is_told_in_terraforms_words() -> None:
    """And with what to do; of a look, too."""
    roots = Roots(Ended(1, "Error: no such instance class"))
    for do in (scale_up, observe):
        with pytest.raises(StoppedError, match=r"no such instance class\nWhat to do: "):
            do(roots)


def test_the_program_is_there() -> None:
    """An unknown root is refused by the company's own program, whose words come back."""
    assert (SYSTEM / "terraform" / "roots.py").is_file()
    ended = run_roots(["plan", "platform/nowhere"])
    assert ended.status == 1
    assert "there is no root `platform/nowhere`" in ended.said
