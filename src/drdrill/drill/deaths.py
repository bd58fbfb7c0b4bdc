"""When the operators' machine dies while they run a runbook: moments drawn from the drill's seed, as data.

A moment is a number of steps that have been seen done, and, inside of a step, some seconds after that. Deaths are
spread over the whole runbook: each one has a part of it for itself, and the next one waits until the runbook came on.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from drdrill.measure.projection import seeded

if TYPE_CHECKING:
    import numpy as np

_LONGEST_SECONDS = 5.0  # most steps of the reference runbook take 1 to 10 s in the mirror


class Where(StrEnum):
    """Where in a runbook the machine dies: as a step ends, inside of steps, or at whichever the seed says."""

    BOUNDARY = "boundary"
    INSIDE = "inside"
    ANYWHERE = "anywhere"


@dataclass(frozen=True, slots=True)
class Moment:
    """A death: when `done` steps were seen done; `seconds` later, while a step is under way; None: at once."""

    done: int
    seconds: float | None = None

    @property
    def words(self) -> str:
        """Return it as people say it."""
        steps = f"{self.done} step{' was' if self.done == 1 else 's were'} seen done"
        if self.seconds is None:
            return f"as soon as {steps}"
        return f"inside of a step, {self.seconds:.2f} s after {steps}"

    @property
    def arguments(self) -> list[str]:
        """Return what the program is told that dies at it."""
        return [str(self.done), "at-once" if self.seconds is None else f"{self.seconds:.3f}"]


def draw_deaths(seed: int, times: int | None, where: Where, steps: int) -> tuple[Moment, ...]:
    """Draw so many moments in a runbook of so many steps, in order; `times` None: as each step but the last ends."""
    if times is None:
        return tuple(Moment(done) for done in range(1, steps))
    generator = seeded(seed, "deaths")
    return tuple(_draw(generator, where, number, times, steps) for number in range(times))


def _draw(generator: np.random.Generator, where: Where, number: int, times: int, steps: int) -> Moment:
    first, last = number * steps // times, max((number + 1) * steps // times - 1, number * steps // times)
    inside = where is Where.INSIDE or (where is Where.ANYWHERE and bool(generator.integers(2)))
    done = int(generator.integers(first, last, endpoint=True))
    seconds = round(float(generator.uniform(0.1, _LONGEST_SECONDS)), 3)
    return Moment(done, seconds) if inside else Moment(max(1, done))
