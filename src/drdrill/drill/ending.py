"""How a drill ends: everything is tried, whatever failed before it, and what failed is told afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Ending:
    """Tries one thing after another, and keeps what went wrong."""

    def __init__(self) -> None:
        self._failures: list[Exception] = []

    def attempt(self, act: Callable[[], object]) -> bool:
        """Do something; tell whether it did not fail."""
        try:
            act()
        except Exception as error:  # noqa: BLE001 (clean-up collects)
            self._failures.append(error)
            return False
        return True

    def finish(self, what: str) -> None:
        """Raise what went wrong: an `ExceptionGroup`, called `what`, when it was more than one thing."""
        if len(self._failures) == 1:
            raise self._failures[0]
        if self._failures:
            raise ExceptionGroup(what, self._failures)
