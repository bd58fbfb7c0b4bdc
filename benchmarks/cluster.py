"""How fast Kubernetes comes up in a mirror, how fast its pods start, and what all of it uses.

Clusters in two regions with three nodes each, brought up again and again; then one of them starts few pods and ten
times as many, in turns. A pod of the count is one process that sleeps: what is measured is the platform's part.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import contextlib
import json
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from _figures import Figure, median, print_figures, round_all, say
from _world import find_host, find_world, processor_seconds, resident_bytes
from drdrill.dataplane.kubernetes_programs import require_programs
from drdrill.mirror.directory import find_outer_pid
from drdrill.mirror.embedded import Embedded
from drdrill.plan import load_plan

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from drdrill.plan.model import Plan

FEW, MANY = 6, 60
_NAME = "bench"
_WITHIN = timedelta(seconds=120)  # measured 1 to 20 s
_REST_SECONDS = 30.0
_SETTLE_SECONDS = 5.0
_MEGABYTE = 1e6
_IMAGES = """\
images:
  bench/sleep: {command: [sleep], args: [infinity]}
  bench/web: {command: [python3, -m, http.server], args: ["8080"]}
"""


@dataclass(slots=True)
class Samples:
    """What was measured, a value for each round."""

    control_planes: list[float] = field(default_factory=list)
    nodes: list[float] = field(default_factory=list)
    serving: list[float] = field(default_factory=list)
    seconds: dict[int, list[float]] = field(default_factory=lambda: {FEW: [], MANY: []})
    processor: dict[int, list[float]] = field(default_factory=lambda: {FEW: [], MANY: []})
    pod_bytes: list[float] = field(default_factory=list)
    control_plane_bytes: list[float] = field(default_factory=list)
    node_bytes: list[float] = field(default_factory=list)
    node_share: list[float] = field(default_factory=list)


def main() -> None:
    """Bring clusters up in turns, then start pods in the last one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    require_programs()
    samples = Samples()
    with tempfile.TemporaryDirectory(prefix="drdrill-cluster-") as name, _mirror(Path(name)) as mirror:
        for number in range(rounds + 1):
            mirror.bring_up(samples, counted=number > 0)
            if number < rounds:
                mirror.delete_clusters()
        mirror.measure_rest(samples)
        for number in range(1, rounds + 1):
            for pods in (FEW, MANY):
                mirror.start_pods(samples, pods)
            say(
                f"round {number} of {rounds}: {FEW} pods in {samples.seconds[FEW][-1]:.1f} s, "
                f"{MANY} in {samples.seconds[MANY][-1]:.1f} s"
            )
    print_figures("cluster", _figures(samples))


@contextlib.contextmanager
def _mirror(folder: Path) -> Iterator[_Mirror]:
    """Bring a mirror up whose catalogue has the images of this benchmark."""
    for name in ("environments", "scenarios"):
        shutil.copytree(name, folder / name)
    (folder / "environments" / "embedded" / "images.yaml").write_text(_IMAGES, encoding="utf-8")
    plan = load_plan(folder / "scenarios" / "plan.yaml")
    with Embedded(folder, plan) as environment:
        yield _Mirror(environment, plan)


class _Mirror:
    """A mirror with a cluster in each region."""

    def __init__(self, environment: Embedded, plan: Plan) -> None:
        self._environment = environment
        self._control = environment.world.control
        self._regions = (plan.regions.primary, plan.regions.recovery)

    def bring_up(self, samples: Samples, *, counted: bool) -> None:
        """Bring both clusters up, six nodes, and three replicas of a server; note how long each took."""
        regions = self._regions
        with concurrent.futures.ThreadPoolExecutor() as pool:
            began = time.perf_counter()
            list(
                pool.map(
                    lambda one: self._control.ask("create_cluster", region=one.name, name=_NAME), regions
                )
            )
            ready = time.perf_counter()
            list(
                pool.map(
                    lambda one: self._control.ask(
                        "add_nodes", region=one.name, name=_NAME, zones=list(one.zones)
                    ),
                    regions,
                )
            )
        nodes = time.perf_counter()
        serving = self._start("web", 3)[0]
        say(
            f"control planes in {ready - began:.1f} s, nodes in {nodes - ready:.1f} s, serving in {serving:.1f} s"
        )
        if counted:
            samples.control_planes.append(ready - began)
            samples.nodes.append(nodes - ready)
            samples.serving.append(serving)

    def delete_clusters(self) -> None:
        """Take all of them away."""
        for cluster in self._control.ask("clusters")["clusters"]:
            self._control.ask("delete_cluster", region=cluster["region"], name=_NAME)

    def measure_rest(self, samples: Samples) -> None:
        """Leave one cluster without pods, and note what its hosts have and use while nothing is asked of them."""
        self._control.ask("delete_cluster", region=self._regions[1].name, name=_NAME)
        self._clear("web")
        time.sleep(_SETTLE_SECONDS)
        (cluster,) = self._control.ask("clusters")["clusters"]
        hosts = {one["name"]: one["init_pid"] for one in self._control.ask("hosts")["hosts"]}
        world = self._environment.world.process

        def processes(host: str) -> list[int]:
            init = find_outer_pid(world, hosts[host])
            if init is None:
                raise RuntimeError(f"the host {host} has no power.")
            return find_host(init)

        samples.control_plane_bytes.append(resident_bytes(processes(cluster["host"])))
        names = [node["host"] for node in cluster["nodes"]]
        before = [processor_seconds(processes(name)) for name in names]
        time.sleep(_REST_SECONDS)
        for name, used in zip(names, before, strict=True):
            samples.node_share.append((processor_seconds(processes(name)) - used) / _REST_SECONDS)
            samples.node_bytes.append(resident_bytes(processes(name)))

    def start_pods(self, samples: Samples, pods: int) -> None:
        """Start so many pods, note what that took, and remove them."""
        before = resident_bytes(find_world(self._environment.world.process.pid))
        seconds, processor = self._start("sleep", pods)
        samples.seconds[pods].append(seconds)
        samples.processor[pods].append(processor)
        if pods == MANY:
            after = resident_bytes(find_world(self._environment.world.process.pid))
            samples.pod_bytes.append((after - before) / pods)
        self._clear("sleep")

    def _start(self, app: str, replicas: int) -> tuple[float, float]:
        """Scale a deployment from none up; return seconds, and processor seconds of the world, until all are ready.

        Both ends are seen in one watch: where the API shows the wish, and where it shows it fulfilled.
        """
        world = self._environment.world.process.pid
        self._kubectl("apply", "-f", "-", said=json.dumps(_deployment(app)))
        template = '--output=jsonpath={.spec.replicas} {.status.readyReplicas}{"\\n"}'
        command = self._command("get", "deployment", app, "--watch", template)
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=self._environment.operator_environment(), cwd="/"
        ) as watch:
            try:
                assert watch.stdout is not None  # noqa: S101  (a pipe was asked for)
                _await_line(watch.stdout, "0")
                scale = subprocess.Popen(
                    self._command("scale", f"deployment/{app}", f"--replicas={replicas}"),
                    stdout=subprocess.DEVNULL,
                    env=self._environment.operator_environment(),
                    cwd="/",
                )
                _await_line(watch.stdout, f"{replicas} ", f"{replicas}")
                began, used = time.perf_counter(), processor_seconds(find_world(world))
                _await_line(watch.stdout, f"{replicas} {replicas}")
                seconds = time.perf_counter() - began
                processor = processor_seconds(find_world(world)) - used
                scale.wait()
            finally:
                watch.kill()
        return seconds, processor

    def _clear(self, app: str) -> None:
        self._kubectl("delete", "deployment", app)
        self._kubectl("wait", "pods", "--selector", f"app={app}", "--for=delete", "--timeout=100s")

    def _command(self, *arguments: str) -> list[str]:
        context = f"{_NAME}.{self._regions[0].name}"
        return self._environment.operator_command(["kubectl", "--context", context, *arguments])

    def _kubectl(self, *arguments: str, said: str = "") -> None:
        done = subprocess.run(
            self._command(*arguments), input=said, env=self._environment.operator_environment(), cwd="/",
            capture_output=True, text=True, timeout=_WITHIN.total_seconds(), check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"kubectl {' '.join(arguments)}: {done.stdout}{done.stderr}")


def _await_line(lines: Iterator[str], *wanted: str) -> None:
    for line in lines:
        if line.rstrip("\n") in (*wanted, *(f"{one} " for one in wanted)):
            return
    raise RuntimeError(f"the watch ended before it showed one of {wanted}.")


def _deployment(app: str) -> dict[str, object]:
    probe = {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1}
    container = {
        "name": "main",
        "image": f"bench/{app}:1",
        **({"readinessProbe": probe} if app == "web" else {}),
    }
    labels = {"app": app}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": app},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"terminationGracePeriodSeconds": 1, "containers": [container]},
            },
        },
    }


def _figures(samples: Samples) -> list[Figure]:
    many, few = samples.seconds[MANY], samples.seconds[FEW]
    growth = MANY / FEW
    times = [more / (growth * less) for more, less in zip(many, few, strict=True)]
    pairs = zip(samples.processor[MANY], samples.processor[FEW], strict=True)
    costs = [more / (growth * less) for more, less in pairs]
    twice = f"{MANY} pods beside {FEW}, on three nodes of one region, in turns; median of the pairs."

    def figure(
        name: str, values: Sequence[float], unit: str, method: str, target: float | None = None
    ) -> Figure:
        return Figure(name, median(values), unit, "lower", method, round_all(values), target)

    def megabytes(values: Sequence[float]) -> list[float]:
        return [one / _MEGABYTE for one in values]

    return [
        figure(
            "both control planes ready, warm", samples.control_planes, "s",
            "From asking for a cluster in each of two regions to both `/readyz`, controllers and schedulers included; "
            "one round before is not counted; median.", 3.0,
        ),
        figure(
            "six nodes Ready, warm", samples.nodes, "s",
            "From asking for a node in each zone of both regions to `Ready` in the API; median.", 6.0,
        ),
        figure(
            "three replicas serving", samples.serving, "s",
            "A web server with a readiness probe a second: from the wish to three ready, in one watch; median.", 3.0,
        ),
        Figure(
            "pods started per second", median([MANY / one for one in many]), "pods/s", "higher",
            f"{MANY} pods of one sleeping process: from the wish to all ready, in one watch; median.",
            round_all([MANY / one for one in many]),
        ),
        figure("time for ten times the pods ÷ linear", times, "ratio", f"Time until all are ready: {twice}", 1.2),
        figure(
            "processor time for ten times the pods ÷ linear", costs, "ratio",
            f"Processor time of the whole world until all are ready: {twice}", 1.2,
        ),
        figure(
            "processor time of a pod", [one / MANY for one in samples.processor[MANY]], "s",
            f"Of the whole world, while {MANY} start; median.",
        ),
        figure(
            "control plane, resident", megabytes(samples.control_plane_bytes), "MB",
            "All processes of its host, with a node in each of three zones and no pods; shared pages count in each.",
        ),
        figure(
            "node, resident", megabytes(samples.node_bytes), "MB",
            "All processes of a node's host without pods; shared pages count in each; median of three nodes.",
        ),
        figure(
            "pod, resident", megabytes(samples.pod_bytes), "MB",
            f"What the whole world has more with {MANY} pods than before, each of one sleeping process; median.",
        ),
        figure(
            "node at rest", samples.node_share, "of a core",
            f"Processor time of all processes of a node's host in {_REST_SECONDS:g} s without pods; median of three.",
            0.02,
        ),
    ]  # fmt: skip


if __name__ == "__main__":
    main()
