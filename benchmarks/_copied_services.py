"""The company's services deployed beside themselves: how long that takes, and how much processor time.

Part of `services.py`. It must not know who uses them.
"""

from __future__ import annotations

import copy
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

import yaml

from _figures import say
from _world import find_world, processor_seconds
from drdrill.core.errors import DrdrillError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from drdrill.mirror.embedded import Embedded
    from drdrill.plan.model import Plan

COPIES = 10
_OVERLAY = Path(__file__).resolve().parents[1] / "system" / "manifests" / "overlays" / "primary"
_NAMESPACE = _CLUSTER = "meqenet"
_LABEL = "copied"
_ASK_WITHIN = timedelta(seconds=60)  # measured below 2 s
_READY_WITHIN = timedelta(minutes=4)
_SETTLE_SECONDS = 5.0
_RUNNING_SECONDS = (
    10.0  # for which it is looked what runs anyway, before copies are made and once they are there
)


@dataclass(slots=True)
class Started:
    """Seconds, and processor seconds of the whole world, until all copies were ready; a value for each round.

    `alone`: of the processor seconds, those that starting took, without what ran anyway and what the copies use that
    run already.
    """

    once: list[float] = field(default_factory=list)
    often: list[float] = field(default_factory=list)
    once_processor: list[float] = field(default_factory=list)
    often_processor: list[float] = field(default_factory=list)
    once_alone: list[float] = field(default_factory=list)
    often_alone: list[float] = field(default_factory=list)
    deployments: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Taken:
    """What one deployment took; `idle` and `running`: processors that were busy before it and afterwards."""

    seconds: float
    processor: float
    idle: float
    running: float

    @property
    def alone(self) -> float:
        """Processor seconds of starting alone, as if copies had become ready evenly over its time."""
        return self.processor - self.seconds * (self.idle + self.running) / 2


def start_copies(mirror: Embedded, plan: Plan, folder: Path, rounds: int) -> Started:
    """Start one copy of all services, ten, and one again, in each round."""
    started = Started()
    kubectl = ["kubectl", "--context", f"{_CLUSTER}.{plan.regions.primary.name}", "--namespace", _NAMESPACE]
    try:
        said = mirror.run_for_operator(["kubectl", "kustomize", str(_OVERLAY)], within=_ASK_WITHIN)
        deployments = find_deployments(yaml.safe_load_all(said))
        started.deployments = len(deployments)
        for number in range(1, rounds + 1):
            taken = []
            for copies in (1, COPIES, 1):
                path = folder / f"copies-{copies}.yaml"
                named = [rename(one, str(each)) for each in range(copies) for one in deployments]
                path.write_text(yaml.safe_dump_all(named), encoding="utf-8")
                with _removed_afterwards(mirror, kubectl):
                    taken.append(_await_copies(mirror, kubectl, path))
                one = taken[-1]
                say(
                    f"round {number} of {rounds}: {copies} of every service in {one.seconds:.1f} s, "
                    f"{one.processor:.1f} processor s, {one.alone:.1f} of them for starting alone; "
                    f"{one.idle:.2f} processors busy before, {one.running:.2f} afterwards"
                )
            before, often, after = taken
            started.once.append(fmean((before.seconds, after.seconds)))
            started.once_processor.append(fmean((before.processor, after.processor)))
            started.once_alone.append(fmean((before.alone, after.alone)))
            started.often.append(often.seconds)
            started.often_processor.append(often.processor)
            started.often_alone.append(often.alone)
    except DrdrillError as error:
        started.problem = str(error)
        say(f"copies could not be started: {error}")
    return started


def find_deployments(objects: Iterator[Any]) -> list[dict[str, Any]]:
    """Return the Deployments of the company's own namespace."""
    return [
        one
        for one in objects
        if one and one["kind"] == "Deployment" and one["metadata"].get("namespace") == _NAMESPACE
    ]


def rename(deployment: Mapping[str, Any], suffix: str) -> dict[str, Any]:
    """Return a Deployment once more: of one replica, under another name, and out of the services' reach.

    It ends at once, for that is not measured.
    """
    made: dict[str, Any] = copy.deepcopy(dict(deployment))
    name = f"{made['metadata']['name']}-{suffix}"
    spec, template = made["spec"], made["spec"]["template"]
    made["metadata"]["name"] = name
    made["metadata"]["labels"] = {**made["metadata"].get("labels", {}), _LABEL: "yes"}
    spec["replicas"] = 1
    spec["selector"] = {"matchLabels": {"app": name}}
    template["metadata"]["labels"] = {**template["metadata"]["labels"], "app": name, _LABEL: "yes"}
    template["spec"]["terminationGracePeriodSeconds"] = 1
    for container in template["spec"]["containers"]:
        container.pop("lifecycle", None)
        container["imagePullPolicy"] = "IfNotPresent"
    return made


def _await_copies(mirror: Embedded, kubectl: list[str], path: Path) -> _Taken:
    """Deploy what a file says, and return what it took from the wish to all available."""
    time.sleep(_SETTLE_SECONDS)
    world = mirror.world.process.pid
    idle = _look_at_what_runs(world)
    began, used = time.perf_counter(), processor_seconds(find_world(world))
    mirror.run_for_operator([*kubectl, "create", "--filename", str(path)], within=_ASK_WITHIN)
    wait = [*kubectl, "wait", "deployments", "--selector", f"{_LABEL}=yes", "--for=condition=Available"]
    seconds = round(_READY_WITHIN.total_seconds())
    mirror.run_for_operator([*wait, f"--timeout={seconds}s"], within=_READY_WITHIN + _ASK_WITHIN)
    taken = time.perf_counter() - began, processor_seconds(find_world(world)) - used
    time.sleep(_SETTLE_SECONDS)
    return _Taken(*taken, idle, _look_at_what_runs(world))


def _look_at_what_runs(world: int) -> float:
    """Return how many processors a world keeps busy now."""
    began, used = time.perf_counter(), processor_seconds(find_world(world))
    time.sleep(_RUNNING_SECONDS)
    return (processor_seconds(find_world(world)) - used) / (time.perf_counter() - began)


@contextmanager
def _removed_afterwards(mirror: Embedded, kubectl: list[str]) -> Iterator[None]:
    """Remove all copies at the end; where they were not all there, the mirror's end removes them."""
    yield
    chosen = ["--selector", f"{_LABEL}=yes"]
    mirror.run_for_operator([*kubectl, "delete", "deployments", *chosen], within=_ASK_WITHIN)
    wait = [*kubectl, "wait", "pods", *chosen, "--for=delete", "--timeout=120s"]
    mirror.run_for_operator(wait, within=_READY_WITHIN)
