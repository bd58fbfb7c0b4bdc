"""Time in production, projected from stated durations: never measured, always labelled so.

The scenario's critical path is a chain: its duration is the sum of its steps', each drawn from the
distribution that the plan gives with its source. Steps are drawn independently. The generator is seeded with
the drill's seed, so the figure is a function of the stored files.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from drdrill.core.clock import NANOSECONDS
from drdrill.measure.replication import ReplicationState
from drdrill.plan.model import StandbyReplication

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from numpy.typing import NDArray

    from drdrill.measure.replication import Cut
    from drdrill.plan.model import Projection, RealDuration, Store

# The 95th percentile of a sum of a few minutes then varies by about a second between seeds.
DRAWS = 20_000
RE_PROTECTION = "re_protection"  # the step whose duration projects the time until redundancy is back


@dataclass(frozen=True, slots=True)
class Projected:
    """A projected figure in ns at a percentile, and what it is made from. None: no inputs for it.

    `expected` false: there is nothing that could be projected, and the basis says why.
    """

    value_ns: int | None
    percentile: float
    basis: str
    expected: bool = True


def project_nothing(projection: Projection, why: str) -> Projected:
    """Return that nothing is to be projected, and why."""
    return Projected(None, projection.percentile, why, expected=False)


def seeded(seed: int, purpose: str) -> np.random.Generator:
    """Return the generator for one purpose of a drill: the same seed and purpose always draw the same."""
    digest = hashlib.sha256(f"{seed}:{purpose}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))


def project_path(
    steps: Sequence[str], projection: Projection, seed: int, *, path: str = "critical path"
) -> Projected:
    """Draw the duration of a chain of steps; unknown when the plan has no distribution for one of them."""
    percentile = projection.percentile
    if not steps:
        return Projected(None, percentile, f"the plan names no {path}")
    generator = seeded(seed, "projection")
    total = np.zeros(DRAWS)
    missing = []
    for step in steps:
        duration = projection.durations.get(step)
        drawn = None if duration is None else _draw(duration, generator)
        if drawn is None:
            missing.append(step)
        else:
            total += drawn
    if missing:
        names = ", ".join(missing)
        return Projected(None, percentile, f"the plan states no real duration of: {names}")
    value_ns = round(float(np.percentile(total, percentile)) * NANOSECONDS)
    basis = f"sum of {' + '.join(steps)} as the plan states them; {DRAWS} draws"
    return Projected(value_ns, percentile, basis)


def project_loss(store: Store, cut: Cut, projection: Projection) -> Projected:
    """Project the loss: none with a synchronous standby, as long as the drill did not see it otherwise."""
    if store.standby is not StandbyReplication.SYNCHRONOUS:
        return Projected(
            None, projection.percentile, "the plan states no distribution of the lag in production"
        )
    if cut.state is ReplicationState.ASYNCHRONOUS:
        return Projected(
            None, projection.percentile, "the plan says the standby is synchronous; in this drill it was not"
        )
    return Projected(
        0, projection.percentile, "the standby is synchronous: an acknowledged row is on both disks"
    )


def draw_durations(duration: RealDuration, generator: np.random.Generator) -> NDArray[np.float64]:
    """Return `DRAWS` draws in seconds of a checked duration. Raises ValueError where its figures make none."""
    drawn = _draw(duration, generator)
    if drawn is None:
        raise ValueError(f"these figures make no {duration.distribution} distribution")
    return drawn


def _draw(duration: RealDuration, generator: np.random.Generator) -> NDArray[np.float64] | None:
    low, typical, high = (_seconds(one) for one in (duration.minimum, duration.typical, duration.maximum))
    match duration.distribution:
        case "constant" if typical is not None:
            return np.full(DRAWS, typical)
        case "uniform" if low is not None and high is not None and low <= high:
            return generator.uniform(low, high, DRAWS)
        case "triangular" if low is not None and typical is not None and high is not None:
            if low <= typical <= high and low < high:
                return generator.triangular(low, typical, high, DRAWS)
            return np.full(DRAWS, typical) if low == typical == high else None
        case _:
            return None


def _seconds(duration: timedelta | None) -> float | None:
    return None if duration is None else duration.total_seconds()
