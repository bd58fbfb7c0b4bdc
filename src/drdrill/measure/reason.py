"""What a check says: a reason that moves the verdict, or a finding that does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from drdrill.core.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a drill is not MET: the verdict that follows, a stable code for machines, a sentence for people."""

    verdict: Verdict
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Something worth a person's attention that is not a verdict."""

    code: str
    text: str


def count_times(count: int) -> str:
    """Return how often something happened, in words."""
    return "once" if count == 1 else f"{count} times"
