"""Where checks are composed: what they say is collected, and one that crashes is INCONCLUSIVE, never MET."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from drdrill.core.verdict import Verdict
from drdrill.measure.reason import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

Result = TypeVar("Result")


class Checks:
    """Runs checks one after another and keeps their reasons in that order."""

    def __init__(self, folder: Path) -> None:
        """Begin with nothing. `folder` is the drill's directory: reasons name its files as seen from there."""
        self._folder = f"{folder}/"
        self.reasons: list[Reason] = []

    def compute(self, name: str, check: Callable[[], Result]) -> Result | None:
        """Return what a check computes; None, with a reason that names it, when it crashes."""
        try:
            return check()
        except Exception as error:  # noqa: BLE001 - a broken check must not hide what the others found
            problem = f"The check `{name}` crashed: {type(error).__name__}: {error}".replace(self._folder, "")
            self.reasons.append(Reason(Verdict.INCONCLUSIVE, "check_crashed", problem))
            return None

    def collect(self, name: str, check: Callable[[], Iterable[Reason]]) -> None:
        """Keep the reasons that a check gives."""
        self.reasons += self.compute(name, lambda: list(check())) or ()

    def has(self, verdict: Verdict, *codes: str) -> bool:
        """Tell whether there is a reason for this verdict, with one of these codes if any are given."""
        return any(
            reason.verdict is verdict and (not codes or reason.code in codes) for reason in self.reasons
        )

    def take(self, code: str) -> tuple[Reason, ...]:
        """Return the reasons of a code, which then are none any more."""
        taken = tuple(reason for reason in self.reasons if reason.code == code)
        self.reasons = [reason for reason in self.reasons if reason.code != code]
        return taken
