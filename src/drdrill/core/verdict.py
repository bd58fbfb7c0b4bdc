"""The four verdicts, how they combine, and the exit status of each."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Verdict(StrEnum):
    """What a drill says of an objective, of a scenario, or of a whole run."""

    MET = "MET"
    MISSED = "MISSED"
    INCONCLUSIVE = "INCONCLUSIVE"  # not enough evidence
    INVALID = "INVALID"  # proves nothing

    @property
    def exit_status(self) -> int:
        """Return the exit status of `drdrill run` for this verdict."""
        return {Verdict.MET: 0, Verdict.MISSED: 1, Verdict.INCONCLUSIVE: 3, Verdict.INVALID: 4}[self]

    @property
    def meaning(self) -> str:
        """Return what it says, for people."""
        return _MEANINGS[self]


_MEANINGS = {
    Verdict.MET: "every objective is met, measured here and projected to production",
    Verdict.MISSED: "an objective is missed, or data is not as users were told",
    Verdict.INCONCLUSIVE: "not enough evidence for a verdict",
    Verdict.INVALID: "this drill proves nothing",
}
_WORST_FIRST = (Verdict.MISSED, Verdict.INVALID, Verdict.INCONCLUSIVE, Verdict.MET)


def combine(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the one that counts: MISSED > INVALID > INCONCLUSIVE > MET, so that nothing hides a real miss.

    Nothing at all proves nothing: without any verdict the answer is INCONCLUSIVE.
    """
    present = set(verdicts)
    return next((verdict for verdict in _WORST_FIRST if verdict in present), Verdict.INCONCLUSIVE)
