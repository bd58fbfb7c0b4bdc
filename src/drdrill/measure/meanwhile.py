"""What was to happen while a runbook ran, from the journal: whether it did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.core.verdict import Verdict
from drdrill.measure.reason import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from drdrill.record.journal import Event

DRAWN, ENDED = "meanwhile.drawn", "meanwhile.ended"


def describe_end(fault: str) -> str:
    """Return what is to happen in words of the journal: a fault of this kind is healed."""
    return f"{fault} ends"


def was_drawn_to_end(events: Sequence[Event], fault: str) -> bool:
    """Tell whether a fault of this kind was to be healed while the runbook ran."""
    return any(one.kind == DRAWN and one.data["what"] == describe_end(fault) for one in events)


def check_meanwhile(events: Sequence[Event]) -> Iterator[Reason]:
    """Demand that what was drawn happened, and was seen."""
    ended = {str(one.data["what"]) for one in events if one.kind == ENDED}
    for one in events:
        if one.kind == DRAWN and str(one.data["what"]) not in ended:
            what, after = one.data["what"], one.data["after"]
            text = f"What was to happen while the runbook ran did not ({what}, after {after})."
            yield Reason(Verdict.INVALID, "nothing_meanwhile", text)
