"""How late a drill's prober is while the whole load of the embedded mirror's workload runs in steady state.

All client processes of a drill run, as a drill starts them. Meanwhile this process sleeps to the same schedule and
does nothing else: how late it wakes is the machine's own lateness, which no program could avoid.
"""

from __future__ import annotations

import argparse
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from _figures import Figure, Reference, print_figures, round_all, say
from drdrill.core.clock import NANOSECONDS, SystemClock
from drdrill.core.waiting import wait_until
from drdrill.drill.arrival import DirectArrival
from drdrill.drill.users import Users
from drdrill.load.workload import load_workload
from drdrill.mirror.embedded import Embedded
from drdrill.plan import load_plan
from drdrill.record.directory import DrillDirectory
from drdrill.record.ledger import ClientKind, read_ledger, sequence_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

TARGET = 0.005
_PERCENTILE = 99
_ENVIRONMENT = Path("environments/embedded")
_STEADY_WITHIN = timedelta(minutes=2)  # the plan's stability time, and more on a loaded machine
_LOOK_EVERY = timedelta(milliseconds=500)
_CLOCK = SystemClock()


def main() -> None:
    """Let users come to a mirror, and look how punctual they are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=30, help="of steady state")
    arguments = parser.parse_args()
    plan = load_plan(Path("scenarios/plan.yaml"))
    workload = load_workload(_ENVIRONMENT / "workload.yaml")
    rate = workload.prober.cohorts * workload.prober.rate_per_second
    with tempfile.TemporaryDirectory(prefix="drdrill-prober-") as name:
        directory = DrillDirectory(Path(name) / "drill")
        directory.create()
        with Embedded(Path.cwd(), plan) as environment:
            resource = plan.stores[workload.store].resource
            users = Users(
                environment,
                DirectArrival(environment, workload, resource),
                workload=workload,
                service=workload.service,
                plan=plan,
                availability=plan.availability,
                directory=directory,
                journal=directory.journal("users"),
                clock=_CLOCK,
            )
            users.prepare_store()
            environment.start_sampling(resource, directory.evidence / "replication.jsonl")
            users.come(seed=0)
            say("waiting for the steady state")
            wait_until(
                lambda: not users.find_unsteady(), what="the steady state", within=_STEADY_WITHIN, every=_LOOK_EVERY
            )  # fmt: skip
            begin_ns = _CLOCK.now_ns()
            timer = _watch_timer(begin_ns, arguments.seconds, rate)
            end_ns = begin_ns + arguments.seconds * NANOSECONDS
            unsteady = users.find_unsteady()
            users.require_running()
            users.leave()
        scheduled, late = _read_lateness(directory.ledger, begin_ns, end_ns)
    say(f"{len(late)} requests: at most {late.max() * 1e3:.1f} ms; bare timer {_p99(timer) * 1e3:.2f} ms")
    if unsteady:
        say(f"users were not served steadily all the time: {unsteady}")
    seconds = (scheduled - begin_ns) // NANOSECONDS
    figure = Figure(
        name="prober error, 99th percentile",
        value=None if unsteady else float(f"{_p99(late):.4g}"),
        unit="s",
        target=TARGET,
        better="lower",
        method=(f"Not in a steady state: {unsteady}. " if unsteady else "")
        + (
            f"By how much requests missed their schedule, of all probers together ({rate:g} fresh connections a "
            f"second), from their ledgers, {arguments.seconds} s of steady state with all client processes of "
            "workload.yaml; samples: the 99th percentile of each second. Reference: a process that only sleeps to the "
            "same schedule."
        ),
        samples=round_all([_p99(late[seconds == second]) for second in range(arguments.seconds)]),
        reference=Reference("a bare timer, 99th percentile", float(f"{_p99(timer):.4g}"), "s"),
    )
    print_figures("prober", [figure])


def _watch_timer(begin_ns: int, seconds: int, rate: float) -> NDArray[np.float64]:
    """Sleep to a schedule and return how many seconds late each wake-up was."""
    late = []
    for number in range(int(seconds * rate)):
        due_ns = begin_ns + int(number * NANOSECONDS / rate)
        _CLOCK.sleep(max(0, due_ns - _CLOCK.now_ns()) / NANOSECONDS)
        late.append((_CLOCK.now_ns() - due_ns) / NANOSECONDS)
    return np.array(late)


def _read_lateness(ledger: Path, begin_ns: int, end_ns: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return of all probers' requests when each was due, and the seconds by which it missed that; none may lack."""
    due: list[NDArray[np.int64]] = []
    late: list[NDArray[np.float64]] = []
    for one in read_ledger(ledger):
        if one.client.kind is not ClientKind.PROBER:
            continue
        attempts = one.attempts
        numbers = sequence_of(attempts["id"]).astype(np.int64)
        scheduled = one.client.start_ns + numbers * one.client.period_ns
        within = (scheduled >= begin_ns) & (scheduled < end_ns)
        if (np.diff(np.sort(numbers)) != 1).any():
            raise RuntimeError(f"{one.client.name} left requests out.")
        due.append(scheduled[within])
        late.append(np.abs(attempts["at_ns"].astype(np.int64) - scheduled)[within] / NANOSECONDS)
    return np.concatenate(due), np.concatenate(late)


def _p99(seconds: NDArray[np.float64]) -> float:
    return float(np.percentile(seconds, _PERCENTILE))


if __name__ == "__main__":
    main()
