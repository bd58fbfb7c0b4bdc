"""A real node of Kubernetes on a host: its kubelet, and beside it the container runtime and its streaming server.

The configuration is what lets a kubelet live in a user namespace, without control groups; whatever decides how fast a
node is missed, or a pod restarted, is Kubernetes' own default.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from drdrill.core.errors import ControlLostError
from drdrill.dataplane.kubernetes_authority import write_kubeconfig, write_secret
from drdrill.dataplane.kubernetes_client import KubernetesClient, condition
from drdrill.dataplane.kubernetes_component import Assembly, Component, HealthAddress
from drdrill.dataplane.kubernetes_control_plane import API_PORT, CLUSTER_DOMAIN, DNS_ADDRESS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drdrill.core.clock import Clock
    from drdrill.dataplane.host import Host
    from drdrill.dataplane.kubernetes_control_plane import ControlPlane
    from drdrill.dataplane.kubernetes_programs import KubernetesPrograms

RUNTIME_SOCKET = "/var/lib/kubelet/runtime.sock"  # a socket's path has to be short
STREAMING_SOCKET = "/var/lib/kubelet/streaming.sock"
_HEALTH_PORT = 10248
_REST = timedelta(seconds=5)  # `RestartSec` of the kubelet's unit on EKS's machine images
_READY_WITHIN = timedelta(seconds=90)  # measured 2 to 5 s, 20 s on a loaded machine
_POLL = timedelta(milliseconds=50)
_PREPARE_WITHIN = timedelta(seconds=20)  # measured 0.1 s
_PREPARE = Path(__file__).with_suffix(".sh")
_OWNERSHIP = Path(__file__).with_name("kubernetes_ownership.py")


@dataclass(frozen=True, slots=True)
class NodeIdentity:
    """What a node is called and where it stands, as the cloud says it."""

    name: str
    instance: str
    pods: str  # the range of its pods' addresses
    labels: Mapping[str, str]


class KubernetesNode:
    """The programs of one node. `runtime` is the command of a container runtime that listens at `RUNTIME_SOCKET`.

    `upstream` is the DNS server that is asked for names outside of the cluster.

    `routes`: ranges of addresses by the neighbour in its zone that they are reached through, so that pods of one zone
    hear each other whatever is cut off from it.
    """

    def __init__(
        self,
        identity: NodeIdentity,
        host: Host,
        plane: ControlPlane,
        programs: KubernetesPrograms,
        runtime: Sequence[str],
        *,
        logs: Path,
        upstream: str,
    ) -> None:
        self.identity = identity
        self.host = host
        self.routes: dict[str, str] = {}
        self._wanted = False
        self._plane = plane
        self._logs = logs
        self._folder = host.disk / "kubernetes"
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._api = KubernetesClient(plane.host.address, API_PORT, plane.context())
        streaming = [] if programs.streaming is None else [self._streaming(programs)]
        self._assembly = Assembly(
            f"the node {identity.name}",
            (*streaming, self._runtime(runtime)),
            (*self._services(programs, upstream), self._kubelet(programs)),
        )

    @property
    def pods(self) -> str:
        """The range of its pods' addresses."""
        return self.identity.pods

    def __repr__(self) -> str:
        return f"KubernetesNode({self.identity.name} on {self.host.name})"

    def bring_up(self, clock: Clock) -> None:
        """Start all of it and wait until the cluster says that the node is ready; raises `EnvironmentFailedError`."""
        self._wanted = True
        self._assembly.bring_up(self._prepare, within=_READY_WITHIN, every=_POLL, clock=clock)

    def restart(self, clock: Clock) -> None:
        """Start again whatever of it ended, as the node's init does; harmless when all runs, or nothing is to."""
        if self._wanted:
            self._assembly.restart(self._prepare, clock)

    def _prepare(self) -> None:
        self.host.run(["sh", "-e", str(_PREPARE), str(self.host.disk), DNS_ADDRESS], within=_PREPARE_WITHIN)
        for destination, neighbour in list(self.routes.items()):
            self.route(destination, neighbour)

    def route(self, destination: str, neighbour: str) -> None:
        """Reach a range of addresses through a neighbour, now and after every start."""
        self.routes[destination] = neighbour
        if self.host.powered:
            self.host.run(["ip", "route", "replace", destination, "via", neighbour], within=_PREPARE_WITHIN)

    def observe_ready(self) -> bool:
        """Say whether the cluster says that the node is ready."""
        try:
            node = self._api.read(f"/api/v1/nodes/{self.identity.name}")
        except ControlLostError:
            return False
        return node is not None and condition(node, "Ready") == "True"

    def _streaming(self, programs: KubernetesPrograms) -> Component:
        command = [str(programs.streaming), "-listen", "127.0.0.1:0", "-control", STREAMING_SOCKET]
        return self._component(
            "cri-streaming", command, lambda: _accepts(self.host.disk / "kubelet" / "streaming.sock")
        )

    def _runtime(self, command: Sequence[str]) -> Component:
        return self._component(
            "container-runtime", command, lambda: _accepts(self.host.disk / "kubelet" / "runtime.sock")
        )

    def _services(self, programs: KubernetesPrograms, upstream: str) -> tuple[Component, ...]:
        """Return what leads services' addresses to their endpoints, and answers their names; the built one only."""
        if programs.services is None:
            return ()
        bundle = self._folder / "authority.pem"
        write_secret(bundle, self._plane.authority.bundle)
        pair = self._plane.authority.issue(self._folder, "services", user="system:kube-proxy")
        kubeconfig = write_kubeconfig(
            self._folder / "services.kubeconfig", server=self._plane.name.server, authority=bundle, pair=pair
        )
        command = [
            str(programs.services), "-kubeconfig", str(kubeconfig), "-dns", DNS_ADDRESS, "-upstream", upstream,
            "-domain", CLUSTER_DOMAIN,
        ]  # fmt: skip
        return (self._component("node-services", command, lambda: True),)

    def _kubelet(self, programs: KubernetesPrograms) -> Component:
        authority, name, folder = self._plane.authority, self.identity.name, self._folder
        users, bundle = folder / "users.pem", folder / "authority.pem"
        write_secret(users, authority.certificate)
        write_secret(bundle, authority.bundle)
        pair = authority.issue(folder, "kubelet", user=f"system:node:{name}", group="system:nodes")
        server = authority.issue(folder, "kubelet-server", name, self.host.address)
        kubeconfig = write_kubeconfig(
            folder / "kubelet.kubeconfig", server=self._plane.name.server, authority=bundle, pair=pair
        )
        configuration = folder / "kubelet.json"
        content = {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            # What a user namespace without control groups asks for; seen running.
            "featureGates": {"KubeletInUserNamespace": True},
            "cgroupsPerQOS": False,
            "enforceNodeAllocatable": [],
            "failSwapOn": False,
            "failCgroupV1": False,
            "makeIPTablesUtilChains": False,
            "enableControllerAttachDetach": False,
            "evictionHard": {},
            "imageGCHighThresholdPercent": 100,
            # Who may ask it, as on EKS.
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": True},
                "x509": {"clientCAFile": str(users)},
            },
            "authorization": {"mode": "Webhook"},
            "tlsCertFile": str(server.certificate),
            "tlsPrivateKeyFile": str(server.key),
            "address": self.host.address,
            "healthzBindAddress": self.host.address,
            "healthzPort": _HEALTH_PORT,
            "containerRuntimeEndpoint": f"unix://{RUNTIME_SOCKET}",
            "clusterDomain": CLUSTER_DOMAIN,
            "clusterDNS": [DNS_ADDRESS],
            "providerID": f"aws:///{self.host.zone}/{self.identity.instance}",
            "volumePluginDir": "/var/lib/kubelet/plugins",
        }
        write_secret(configuration, json.dumps(content))
        labels = ",".join(f"{key}={value}" for key, value in self.identity.labels.items())
        command = [
            sys.executable, "-I", "-S", str(_OWNERSHIP), programs["kubelet"],
            f"--config={configuration}", f"--kubeconfig={kubeconfig}",
            f"--hostname-override={name}", f"--node-ip={self.host.address}", f"--node-labels={labels}",
            "--cert-dir=/var/lib/kubelet/pki",
        ]  # fmt: skip
        health = HealthAddress(self.host.address, _HEALTH_PORT, "/healthz")
        return self._component("kubelet", command, lambda: health.answers() and self.observe_ready())

    def _component(self, name: str, command: Sequence[str], look: Callable[[], bool]) -> Component:
        log = self._logs / f"{self.host.name}-{name}.log"
        return Component(name, self.host, command, log=log, look=look, rest=_REST)


def _accepts(path: Path) -> bool:
    """Say whether somebody listens at a Unix socket, seen from outside the host, where its path may be too long."""
    try:
        folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    except OSError:
        return False
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(f"/proc/self/fd/{folder}/{path.name}")
    except OSError:
        return False
    finally:
        os.close(folder)
    return True
