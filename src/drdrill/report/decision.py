"""What was decided where nobody was to fail over, in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_TOLD = {
    "stay": "Nobody failed over, as the plan expects.",
    "fail_over": "Somebody failed over, although nobody was to.",
    None: "Whether anybody failed over, which nobody was to, is not known.",
}


def describe_decision(verdict: Mapping[str, Any]) -> str:
    """Return the sentence; `` where the plan does not say that nobody is to fail over."""
    decision = verdict.get("decision")
    return "" if decision is None else _TOLD[decision["taken"]]


def has_stayed(verdict: Mapping[str, Any]) -> bool:
    """Tell whether nobody failed over where nobody was to: then steps that did not begin are as they should be."""
    decision = verdict.get("decision")
    return decision is not None and decision["taken"] == "stay"
