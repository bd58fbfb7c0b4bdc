"""The contract's cluster in an embedded mirror. Only this file knows that there is one."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubernetes.client import ApiClient, Configuration
from kubernetes.config import load_kube_config_from_dict

from drdrill.core.waiting import wait_until
from drdrill.mirror.directory import find_outer_pid
from drdrill.mirror.embedded import Embedded
from drdrill.plan import load_plan
from tests.contract.kubernetes.cluster import EVERY, MISSED_WITHIN, WITHIN, MissingImage
from tests.mirror.standing import copy_repository

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_TUNNEL = Path(__file__).parents[1] / "rds" / "tunnel.py"
_NAME = "contract"
_CATALOGUE = "images.yaml"
_IMAGES = "images:\n  python:\n    command: [python3]\n"


_KUBELET, _RUNTIME = b"/kubelet", b"drdrill.mirror.kubernetes.runtime"


def _is_program(command: bytes, program: bytes) -> bool:
    """Say whether a command is this program, or Python with it as its module."""
    path, *arguments = command.split(b"\0")
    return path.endswith(program) or arguments[:2] == [b"-m", program]


class EmbeddedCluster:
    """A cluster in the primary region of a mirror, with a node in each zone."""

    python = "python:3.13-slim"
    missing = MissingImage("pyhton:3.13-slim", _CATALOGUE)

    def __init__(self, environment: Embedded, region: str, zones: Sequence[str]) -> None:
        self.zones = tuple(zones)
        self._environment = environment
        self._region = region
        self._control = environment.world.control
        self._proxy = ""
        self._control.ask("create_cluster", region=region, name=_NAME)
        self._control.ask("add_nodes", region=region, name=_NAME, zones=list(zones))

    def operator_command(self, command: Sequence[str], /) -> list[str]:
        """Return the command that runs `command` on the operator's host."""
        return self._environment.operator_command(command)

    def operator_environment(self) -> Mapping[str, str]:
        """Return the environment of programs on the operator's host."""
        return self._environment.operator_environment()

    @contextlib.contextmanager
    def reachable(self) -> Iterator[None]:
        """Let clients in this process reach the mirror's names while the block runs."""
        with socket.create_server(("127.0.0.1", 0)) as listening:
            process = subprocess.Popen(
                self.operator_command([sys.executable, str(_TUNNEL), str(listening.fileno())]),
                stdin=subprocess.PIPE,
                pass_fds=[listening.fileno()],
                env=self._environment.operator_environment(),
                cwd="/",
            )
            self._proxy = f"http://127.0.0.1:{listening.getsockname()[1]}"
        try:
            yield
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(timeout=10)

    def client(self) -> ApiClient:
        """Return a client that is configured by the operator's kubeconfig."""
        command = ["kubectl", "config", "view", "--raw", "--output=json"]
        configuration = Configuration()
        load_kube_config_from_dict(
            json.loads(self._environment.run_for_operator(command, within=WITHIN)),
            client_configuration=configuration,
        )
        configuration.proxy = self._proxy
        return ApiClient(configuration)

    def lose(self, node: str, /) -> None:
        """Cut the power of a node's host."""
        self._control.ask("power_off", host=self._node(node)["host"])

    def restore(self, node: str, /) -> None:
        """Give it back."""
        self._control.ask("power_on", host=self._node(node)["host"])

    def kill_kubelet(self, node: str, /) -> None:
        """Kill it, and wait until the node's init has started another one."""
        self._kill(node, _KUBELET)

    def kill_runtime(self, node: str, /) -> None:
        """Kill it, and wait until the node's init has started another one."""
        self._kill(node, _RUNTIME)

    def _kill(self, node: str, program: bytes) -> None:
        killed = self._find_process(node, program)
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        wait_until(
            lambda: self._find_process(node, program) not in (None, killed),
            what=f"another {program.decode()}",
            within=WITHIN,
            every=EVERY,
        )

    def hang_kubelet(self, node: str, /) -> None:
        """Stop its process."""
        self._signal_kubelet(node, signal.SIGSTOP)

    def wake_kubelet(self, node: str, /) -> None:
        """Let its process go on."""
        self._signal_kubelet(node, signal.SIGCONT)

    def _signal_kubelet(self, node: str, number: signal.Signals) -> None:
        found = wait_until(
            lambda: self._find_process(node, _KUBELET), what="a kubelet", within=MISSED_WITHIN, every=EVERY
        )
        assert found is not None
        os.kill(found, number)

    def _node(self, name: str) -> dict[str, Any]:
        (cluster,) = self._control.ask("clusters")["clusters"]
        return next(node for node in cluster["nodes"] if node["name"] == name)

    def _find_process(self, node: str, program: bytes) -> int | None:
        """Return the process, as this machine numbers it, of a program on a node: by how it is called."""
        hosts = {one["name"]: one for one in self._control.ask("hosts")["hosts"]}
        init = find_outer_pid(self._environment.world.process, hosts[self._node(node)["host"]]["init_pid"])
        inside = Path(f"/proc/{init}/ns/pid").readlink()
        for folder in Path("/proc").iterdir():
            with contextlib.suppress(OSError):  # it ended while we looked
                if (
                    folder.name.isdigit()
                    and (folder / "ns" / "pid").readlink() == inside
                    and _is_program((folder / "cmdline").read_bytes(), program)
                ):
                    return int(folder.name)
        return None


@contextlib.contextmanager
def embedded_cluster(folder: Path) -> Iterator[EmbeddedCluster]:
    """Bring a mirror with a cluster up, and take it down, whatever happens."""
    repository = copy_repository(folder)
    (repository / "environments" / "embedded" / _CATALOGUE).write_text(_IMAGES, encoding="utf-8")
    plan = load_plan(repository / "scenarios" / "plan.yaml")
    region = plan.regions.primary
    with Embedded(repository, plan) as environment:
        cluster = EmbeddedCluster(environment, region.name, region.zones)
        with cluster.reachable():
            yield cluster
