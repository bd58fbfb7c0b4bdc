"""What the contract needs of an environment with a cluster: programs where operators are, and things that break."""

from __future__ import annotations

import json
import shlex
import subprocess
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from drdrill.core.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kubernetes.client import ApiClient

WITHIN = timedelta(seconds=90)  # measured 1 to 15 s; two cores are shared with others
EVERY = timedelta(milliseconds=250)
MISSED_WITHIN = timedelta(seconds=120)  # a node is missed after Kubernetes' own 50 s


@dataclass(frozen=True, slots=True)
class MissingImage:
    """An image that cannot be pulled, and what the cluster's message about it has to name."""

    image: str
    named: str


class Cluster(Protocol):
    """A cluster with a node in each of at least three zones, used as its operators do.

    `python`: the name of an image with Python and a shell.
    """

    zones: tuple[str, ...]
    python: str
    missing: MissingImage

    def operator_command(self, command: Sequence[str], /) -> list[str]:
        """Return the command that runs `command` where operators are, with kubectl for this cluster."""
        ...

    def operator_environment(self) -> Mapping[str, str]:
        """Return the environment that it is to be run with."""
        ...

    def client(self) -> ApiClient:
        """Return a client of the cluster's API for this process."""
        ...

    def lose(self, node: str, /) -> None:
        """Have a node's machine lose its power."""
        ...

    def restore(self, node: str, /) -> None:
        """Give it back; harmless when it has power."""
        ...

    def kill_kubelet(self, node: str, /) -> None:
        """Kill a node's kubelet once."""
        ...

    def kill_runtime(self, node: str, /) -> None:
        """Kill a node's container runtime once."""
        ...

    def hang_kubelet(self, node: str, /) -> None:
        """Have a node's kubelet do nothing any more."""
        ...

    def wake_kubelet(self, node: str, /) -> None:
        """Let it go on; harmless when it does."""
        ...


@dataclass(frozen=True, slots=True)
class Operators:
    """People at a cluster, in a namespace of their own. The words of a program that fails are in the assertion."""

    cluster: Cluster
    namespace: str

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start a program where operators are."""
        return subprocess.Popen(
            self.cluster.operator_command(command),
            env=dict(self.cluster.operator_environment()),
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def try_out(
        self, *command: str, said: str | None = None, within: timedelta = WITHIN
    ) -> subprocess.CompletedProcess[str]:
        """Run a program where operators are, and return how it ended."""
        process = self.start(*command)
        try:
            output, errors = process.communicate(said, timeout=within.total_seconds())
        finally:
            process.kill()
        return subprocess.CompletedProcess(command, process.returncode, output, errors)

    def try_kubectl(self, *arguments: str, said: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run kubectl in the namespace, and return how it ended."""
        return self.try_out("kubectl", "--namespace", self.namespace, *arguments, said=said)

    def kubectl(self, *arguments: str, said: str | None = None) -> str:
        """Run kubectl in the namespace, and return what it wrote; it must succeed."""
        ended = self.try_kubectl(*arguments, said=said)
        assert ended.returncode == 0, f"kubectl {shlex.join(arguments)}: {ended.stdout}{ended.stderr}"
        return ended.stdout

    def apply(self, *objects: Mapping[str, Any]) -> None:
        """Apply objects."""
        listed = {"apiVersion": "v1", "kind": "List", "items": objects}
        self.kubectl("apply", "-f", "-", said=json.dumps(listed))

    def read(self, *arguments: str) -> Any:
        """Return objects as kubectl reads them."""
        return json.loads(self.kubectl("get", *arguments, "-o", "json"))

    def pods(self, app: str) -> list[dict[str, Any]]:
        """Return the pods of an app that are not being deleted."""
        pods = self.read("pods", "-l", f"app={app}")["items"]
        return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]

    def roll_out(self, name: str) -> None:
        """Wait until a deployment is rolled out."""
        self.kubectl("rollout", "status", f"deployment/{name}", f"--timeout={WITHIN.total_seconds():.0f}s")

    def ask_itself(self, pod: str, path: str) -> None:
        """Have the server in a pod be asked, from beside it; whether it answers does not matter."""
        program = (
            "import contextlib, urllib.request\n"
            f"with contextlib.suppress(OSError): urllib.request.urlopen('http://127.0.0.1:8080{path}', timeout=1)"
        )
        self.try_kubectl("exec", pod, "--", "python3", "-c", program)

    def await_true(self, look: Callable[[], object], what: str, within: timedelta = WITHIN) -> Any:
        """Wait until a look at the cluster shows something."""
        return wait_until(look, what=what, within=within, every=EVERY)

    def node_ready(self, name: str) -> str:
        """Return what the cluster says of a node's readiness: `True`, `False` or `Unknown`."""
        conditions = self.read("node", name)["status"]["conditions"]
        return next(str(one["status"]) for one in conditions if one["type"] == "Ready")

    def zones_of(self, pods: Sequence[Mapping[str, Any]]) -> list[str]:
        """Return the zones in which pods run, sorted, with repetitions."""
        zones = {
            node["metadata"]["name"]: node["metadata"]["labels"]["topology.kubernetes.io/zone"]
            for node in self.read("nodes")["items"]
        }
        return sorted(zones[pod["spec"]["nodeName"]] for pod in pods)


def container_status(pod: Mapping[str, Any]) -> dict[str, Any]:
    """Return the status of a pod's only container, empty before there is one."""
    found = pod["status"].get("containerStatuses", [])
    return dict(found[0]) if found else {}


def is_ready(pod: Mapping[str, Any]) -> bool:
    """Say whether a pod is ready."""
    conditions = pod["status"].get("conditions", [])
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
