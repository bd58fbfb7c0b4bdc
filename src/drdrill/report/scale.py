"""From values to positions, and the round values at which an axis is marked."""

from __future__ import annotations

import math
from dataclasses import dataclass

_STEPS = (1, 2, 5, 10)


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps seconds from `low` to `high` onto px from `left` to `right`; what lies outside ends at the edge."""

    low: float
    high: float
    left: float
    right: float

    def __call__(self, value: float) -> float:
        """Return the position of a value."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.left + share * (self.right - self.left)

    def ticks(self, at_most: int) -> list[float]:
        """Return round values within the scale: at most so many."""
        step = round_step((self.high - self.low) / at_most)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)]


def round_step(at_least: float) -> float:
    """Return the least of 1, 2, 5 times a power of ten that is not below a positive value."""
    power = 10.0 ** math.floor(math.log10(at_least))
    return next(step * power for step in _STEPS if step * power >= at_least * (1 - 1e-9))


@dataclass(frozen=True, slots=True)
class LogScale:
    """Maps seconds onto px by their logarithm; zero and all below `low` stand at the left edge."""

    low: float
    high: float
    left: float
    right: float

    def __call__(self, value: float) -> float:
        """Return the position of a value."""
        if value <= self.low:
            return self.left
        share = math.log(min(value, self.high) / self.low) / math.log(self.high / self.low)
        return self.left + share * (self.right - self.left)
