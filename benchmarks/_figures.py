"""What a benchmark prints: one JSON document with its figures. Progress goes to standard error."""

from __future__ import annotations

import json
import statistics
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Reference:
    """What a figure is compared with, measured in the same run."""

    name: str
    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure. `value` None: it could not be measured, and `method` says why."""

    name: str
    value: float | None
    unit: str
    better: Literal["lower", "higher"]
    method: str
    samples: Sequence[float]
    target: float | None = None
    reference: Reference | None = None


def median(samples: Sequence[float]) -> float:
    """Return the median, to four significant digits: no benchmark here knows more."""
    return float(f"{statistics.median(samples):.4g}")


def round_all(samples: Sequence[float]) -> list[float]:
    """Return the samples to four significant digits."""
    return [float(f"{sample:.4g}") for sample in samples]


def say(line: str) -> None:
    """Tell a person how far it is."""
    print(line, file=sys.stderr, flush=True)


def print_figures(name: str, figures: Sequence[Figure]) -> None:
    """Print the document."""
    print(json.dumps({"name": name, "figures": [asdict(figure) for figure in figures]}, indent=1))
