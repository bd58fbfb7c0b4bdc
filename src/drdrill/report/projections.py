"""What the projections to production assume, in plain words: the stated durations, and what each objective rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.plan.duration import format_seconds
from drdrill.report.chronicle import words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from drdrill.plan.model import RealDuration
    from drdrill.report.account import Account


def describe_bases(objectives: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return what the projections are based on, each basis once, with all of whom it is that of."""
    subjects: dict[tuple[str, str], list[str]] = {}
    for one in objectives:
        subjects.setdefault((one["title"], one["projected"]["basis"]), []).append(one["subject"])
    return tuple(
        f"{title.capitalize()} of {', '.join(named)}: {basis}." for (title, basis), named in subjects.items()
    )


def describe_durations(account: Account) -> tuple[dict[str, str], ...]:
    """Return the stated durations in production of the steps on this scenario's critical path, and of re-protection.

    None are shown where nobody is to fail over: nothing is projected from them.
    """
    if account.scenario.stays:
        return ()
    stated = {**account.plan.projection.durations}
    wanted = [*account.scenario.critical_path]
    if account.runbook is not None:
        steps = account.runbook.steps
        stated |= {name: step.duration for name, step in steps.items()}
        wanted += steps
    if account.scenario.re_protection is not None:
        wanted.append("re_protection")
    return tuple(
        {
            "step": words(step),
            "distribution": _distribution(stated[step]) if step in stated else "not stated",
            "source": stated[step].source if step in stated else "",
        }
        for step in wanted
    )


def _distribution(duration: RealDuration) -> str:
    values = [
        f"{name} {format_seconds(value.total_seconds())}"
        for name in ("minimum", "typical", "maximum")
        if (value := getattr(duration, name, None)) is not None
    ]
    return f"{duration.distribution}: {', '.join(values)}"
