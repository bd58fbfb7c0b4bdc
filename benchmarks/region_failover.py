"""The company's runbook beside a plain sequential script, for the same failover on the same kind of mirror.

Each arm gets a whole system of its own, made of what was kept, whose primary region lost its power; time counts from
when monitoring sees that until users are led to the recovery region by a critical path that was validated. The script
once with the SDK's own waiters, and once with waiters that ask every second, as the runbook's do: what is left then is
not the provider's polling. Nobody answers gates; no users are there.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from _figures import Figure, Reference, median, print_figures, round_all, say
from drdrill.core.clock import NANOSECONDS
from drdrill.environment.port import FaultRequest, StoreRole
from drdrill.mirror.embedded import Embedded
from drdrill.plan import load_plan
from drdrill.record.journal import read_journal

if TYPE_CHECKING:
    from collections.abc import Callable

TARGET = 2.0
_ROOT = Path(__file__).resolve().parents[1]
_SCRIPT = Path(__file__).with_name("_sequential_failover.py")
_WITHIN = timedelta(minutes=20)
_METHOD = (
    "Script ÷ runbook, each in a mirror of its own made of the same kept system, primary region without power; the "
    "script's whole run against the runbook's time from the declaration to the end of its switch. Median."
)


def main() -> None:
    """Fail over by each arm in turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1)
    arguments = parser.parse_args()
    arms: dict[str, tuple[Callable[[Embedded, Path], float], list[float]]] = {
        "runbook": (_run_runbook, []),
        "script": (lambda mirror, _: _run_script(mirror), []),
        "script, asking every second": (lambda mirror, _: _run_script(mirror, "--delay", "1"), []),
    }
    for number in range(1, arguments.rounds + 1):
        for name, (fail_over, seconds) in arms.items():
            with tempfile.TemporaryDirectory(prefix="drdrill-failover-") as folder:
                seconds.append(_measure(fail_over, Path(folder)))
            say(f"round {number} of {arguments.rounds}: {name} {seconds[-1]:.1f} s")
    runbook = arms["runbook"][1]
    print_figures("region_failover", [
        _compare("sequential script, polling every second", arms["script, asking every second"][1], runbook, TARGET),
        _compare("sequential script with the SDK's waiters", arms["script"][1], runbook, None),
    ])  # fmt: skip


def _compare(name: str, script: list[float], runbook: list[float], target: float | None) -> Figure:
    ratios = [one / ours for one, ours in zip(script, runbook, strict=True)]
    reference = Reference("the runbook, declaration to switch", median(runbook), "s")
    return Figure(
        f"{name} ÷ runbook", median(ratios), "x", "higher", _METHOD, round_all(ratios), target, reference
    )


def _measure(fail_over: Callable[[Embedded, Path], float], folder: Path) -> float:
    """Return the seconds of one failover in a mirror that ends with it."""
    plan = load_plan(_ROOT / "scenarios" / "plan.yaml")
    region = plan.regions.primary.name
    with Embedded(_ROOT, plan, whole=True, tell=say) as mirror:
        mirror.faults.inject(FaultRequest("region_power_loss", region, region, StoreRole.PRIMARY))
        _operate(mirror, "-m", "failover.detect_outage")
        return fail_over(mirror, folder)


def _run_script(mirror: Embedded, *arguments: str) -> float:
    before = time.monotonic()
    _operate(mirror, str(_SCRIPT), *arguments)
    return time.monotonic() - before


def _run_runbook(mirror: Embedded, folder: Path) -> float:
    """Run it to its end, and return how long it took from the declaration to the end of its switch."""
    directory = folder / "failover"
    _operate(
        mirror, "-m", "drdrill.cli.main", "failover", "--gates", "approve", "--why", "benchmark", "--json",
        "--directory", str(directory), "--runbook", str(_ROOT / "failover" / "runbook.yaml"),
    )  # fmt: skip
    ended = {
        str(event.data["step"]): event.at_ns
        for event in read_journal(directory / "journal.jsonl")
        if event.kind == "step.ended"
    }
    return (ended["switch"] - ended["declaration"]) / NANOSECONDS


def _operate(mirror: Embedded, *arguments: str) -> None:
    said = mirror.run_for_operator(["env", "-C", str(_ROOT), sys.executable, *arguments], within=_WITHIN)
    if "--json" in arguments and not json.loads(said)["done"]:
        raise SystemExit(f"the runbook was not done: {said}")


if __name__ == "__main__":
    main()
