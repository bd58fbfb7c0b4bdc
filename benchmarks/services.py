"""How much the company's services serve in a mirror, and what ten times as many of them cost to start.

One whole system, made of what was kept. Users come by the public name, twice as many from step to step, until they are
not served well any more. Then the primary region's services are deployed beside themselves: once, ten times, once.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from _copied_services import COPIES, start_copies
from _figures import Figure, Reference, median, print_figures, round_all, say
from _hastened_users import FEWEST_SECONDS, Visits, find_rate
from drdrill.mirror.embedded import Embedded
from drdrill.plan import load_plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from _copied_services import Started
    from _hastened_users import Held

MOST = 1.2
_ROOT = Path(__file__).resolve().parents[1]
_RATE = (
    "Users' journeys by the public name, in a whole system on one machine together with them; every cohort's begin 2, "
    "4, 8 … times as often as `workload.yaml` has it, then halfway between the last rate that held and the "
    "first that did not. A rate holds when each service's 99th percentile is at most 500 ms, every request is "
    "acknowledged at its first attempt, and all that was begun ends. A journey's first request counts from when it was "
    "due."
)
_COPIED = (
    "The Deployments of the primary region's overlay once more under other names, one replica each, 10 times at once ÷ "
    "10 times what it takes once; once before and once after, the mean of both. From `kubectl create` until all are "
    "available. Nobody asks them; images are pulled where they are not there (a kubelet pulls 5 a second); median."
)

_ALONE = (
    " Without what runs anyway: of the processor time, what the world uses in 10 s before the copies are made is taken "
    "off for all of the time, and what it uses more in 10 s once they are there for half of it, as if they had become "
    "ready evenly."
)


def main() -> None:
    """Let users come, then deploy copies."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=20, help="for which users come at each rate")
    parser.add_argument("--rounds", type=int, default=3, help="of copies")
    arguments = parser.parse_args()
    if arguments.seconds < FEWEST_SECONDS or arguments.rounds < 1:
        parser.error(f"at least {FEWEST_SECONDS} seconds and one round were expected")
    plan = load_plan(_ROOT / "scenarios" / "plan.yaml")
    with (
        tempfile.TemporaryDirectory(prefix="drdrill-services-") as folder,
        Embedded(_ROOT, plan, whole=True, tell=say) as mirror,
    ):
        held = find_rate(Visits(mirror, plan, Path(folder)), arguments.seconds)
        started = start_copies(mirror, plan, Path(folder), arguments.rounds)
    print_figures("services", [_tell_rate(held), *_tell_copies(started)])


def _tell_rate(held: Held) -> Figure:
    own, value = held.own_per_second, held.per_second
    return Figure(
        "requests per second, p99 at most 500 ms",
        None if value is None else median([value]),
        "requests/s",
        "higher",
        (f"Not held at the workload's own rate: {held.limit}. " if value is None else "")
        + _RATE
        + ("" if value is None else f" The limit: {held.limit or 'more was not tried'}."),
        [] if value is None else round_all([value]),
        reference=None if own is None else Reference("the workload's own rate", median([own]), "requests/s"),
    )


def _tell_copies(started: Started) -> list[Figure]:
    return [
        _compare("time for ten times the services ÷ linear", started.once, started.often, started),
        _compare(
            "processor time for ten times the services ÷ linear",
            started.once_processor, started.often_processor, started,
        ),
        _compare(
            "processor time of starting alone, ten times the services ÷ linear",
            started.once_alone, started.often_alone, started, _ALONE,
        ),
    ]  # fmt: skip


def _compare(
    name: str, once: Sequence[float], often: Sequence[float], started: Started, more: str = ""
) -> Figure:
    if not often:
        return Figure(name, None, "ratio", "lower", f"It broke: {started.problem}", [], MOST)
    ratios = [many / (COPIES * one) for one, many in zip(once, often, strict=True)]
    reference = Reference(f"once, {started.deployments} services", median(once), "s")
    return Figure(name, median(ratios), "ratio", "lower", _COPIED + more, round_all(ratios), MOST, reference)


if __name__ == "__main__":
    main()
