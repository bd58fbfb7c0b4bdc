"""The steady state: nothing is broken before all was well, for as long as the plan says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.core.errors import InvalidDrillError, NotObservedError
from drdrill.core.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from drdrill.core.clock import Clock
    from drdrill.record.journal import Journal


def await_steady_state(
    find_problem: Callable[[], str], journal: Journal, *, within: timedelta, every: timedelta, clock: Clock
) -> None:
    """Wait until no problem is found, and note it. Raises `InvalidDrillError` with the last one otherwise."""
    problem = ""

    def holds() -> bool:
        nonlocal problem
        problem = find_problem()
        return not problem

    try:
        wait_until(holds, what="the steady state", within=within, every=every, clock=clock)
    except NotObservedError as error:
        journal.append("steady_state.observed", holds=False, reason=problem)
        raise InvalidDrillError(
            f"The steady state did not hold, so nothing was broken: {problem}."
        ) from error
    journal.append("steady_state.observed", holds=True, reason="")
