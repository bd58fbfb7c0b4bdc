"""Users who come to a whole system faster and faster, until they are not served well any more.

Part of `services.py`. It must not know how services are deployed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from _figures import say
from drdrill.core.errors import DrdrillError
from drdrill.drill.visit import visit
from drdrill.load.workload import load_workload

if TYPE_CHECKING:
    from drdrill.drill.visit import Visited
    from drdrill.load.journeys import Journey
    from drdrill.load.workload import Workload
    from drdrill.mirror.embedded import Embedded
    from drdrill.plan.model import Plan

LONGEST_MS = 500.0
FEWEST_SECONDS = 10  # two visits need begins that lie so far apart: else their requests have the same ids
_ROOT = Path(__file__).resolve().parents[1]
_FASTEST = 64  # times the workload's own rate: more than one process of users sends
_GIVE_UP = timedelta(seconds=5)  # a write that is sent again says already that the rate does not hold
_QUIET_WITHIN = timedelta(seconds=20)  # sagas end within 1 s of the last payment when they keep up


@dataclass(slots=True)
class Held:
    """The last rate that held, the workload's own, and why the next one did not."""

    per_second: float | None = None
    own_per_second: float | None = None
    limit: str = ""


class Visits:
    """Users who come to one mirror again and again, at other rates."""

    def __init__(self, mirror: Embedded, plan: Plan, folder: Path) -> None:
        self._mirror, self._folder = mirror, folder
        self._workload = load_workload(_ROOT / "environments" / "embedded" / "workload.yaml", plan)
        self._zones = (*plan.regions.primary.zones, *plan.regions.recovery.zones)
        self._resource = plan.stores[self._workload.store].resource
        self._count = 0

    def come(self, factor: float, seconds: int) -> Visited:
        """Let them come so many times as often as the workload says; raises `DrdrillError` when that breaks."""
        self._count += 1
        folder = self._folder / f"visit-{self._count}"
        folder.mkdir()
        return visit(
            self._mirror,
            hasten(self._workload, factor),
            folder,
            zones=self._zones,
            resource=self._resource,
            seconds=seconds,
            shape=None,
            seed=self._count,
            tell=lambda _: None,
            patience=_QUIET_WITHIN,
        )


def hasten(workload: Workload, factor: float) -> Workload:
    """Return a workload whose journeys begin so many times as often; users pause less where they have to.

    Of what is to agree afterwards only what the store says by itself is left: other stores take longer to ask.
    """
    journeys = workload.journeys
    if journeys is None:
        raise SystemExit("The workload has no journeys.")
    changes = {
        "journeys": [_hasten_journey(one, factor) for one in journeys.journeys],
        "give_up": min(journeys.give_up, _GIVE_UP),
        "reconcile": [one for one in journeys.reconcile if one.wrong is not None and one.at is None],
    }
    return workload.model_copy(update={"journeys": journeys.model_copy(update=changes)})


def _hasten_journey(journey: Journey, factor: float) -> Journey:
    every = journey.every / factor
    return journey.model_copy(
        update={"every": every, "pause": min(journey.pause, every // len(journey.steps))}
    )


def find_rate(visits: Visits, seconds: int) -> Held:
    """Double the rate until it does not hold, and then look halfway between the last two."""
    held, good, bad = Held(), 0.0, 0.0
    try:
        visits.come(1, FEWEST_SECONDS)  # whatever is done for the first time is done then
        factor = 1.0
        while factor <= _FASTEST and not bad:
            good, bad = (factor, 0.0) if _try(visits, factor, seconds, held) else (good, factor)
            factor *= 2
        if good and bad:
            _try(visits, (good + bad) / 2, seconds, held)
    except DrdrillError as error:
        held.limit = str(error)
        say(f"users could not come: {error}")
    return held


def _try(visits: Visits, factor: float, seconds: int, held: Held) -> bool:
    """Let users come at a rate, and say whether it held."""
    found = visits.come(factor, seconds)
    services = found.journeys.services
    per_second = sum(one.requests for one in services.values()) / seconds
    trouble = find_trouble(found)
    slowest = max((one.p99_ms or 0.0 for one in services.values()), default=0.0)
    say(
        f"{factor:g} times: {per_second:.0f} requests/s, p99 at most {slowest:.0f} ms, users' own process "
        f"{found.journeys.late_ms or 0:g} ms late: {trouble or 'it holds'}"
    )
    if held.own_per_second is None:
        held.own_per_second = per_second
    if trouble:
        held.limit = f"at {per_second:.0f} requests/s {trouble}"
    else:
        held.per_second = per_second
    return not trouble


def find_trouble(found: Visited) -> str:
    """Say what keeps a rate from holding; `` when nothing does."""
    for name, one in found.journeys.services.items():
        if one.failed or one.repeated:
            return f"{one.failed} of {one.requests} requests to {name} failed, {one.repeated} were sent again"
        if one.p99_ms is None or one.p99_ms > LONGEST_MS:
            return f"the 99th percentile of {name} was {one.p99_ms or 0:.0f} ms"
    if not found.journeys.whole:
        return "not every journey was completed"
    if found.rows is None or found.wrong_rows:
        return f"what was written is not there: {found.problem or found.wrong_rows}"
    return next((f"not so: {one.name}" for one in found.reconciled if one.wrong or one.problem), "")
