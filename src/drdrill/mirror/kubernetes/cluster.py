"""One cluster of the mirror: its control plane on a machine of AWS's own, its nodes on hosts in the zones."""

from __future__ import annotations

import itertools
import sys
import threading
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from drdrill.core.errors import DrdrillError
from drdrill.dataplane.kubernetes_authority import ClusterAuthority
from drdrill.dataplane.kubernetes_client import KubernetesClient
from drdrill.dataplane.kubernetes_control_plane import API_ADDRESS, API_PORT, ClusterName, ControlPlane
from drdrill.dataplane.kubernetes_node import (
    RUNTIME_SOCKET,
    STREAMING_SOCKET,
    KubernetesNode,
    NodeIdentity,
)
from drdrill.mirror.network import DNS_ADDRESS, managed_zone

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import trustme

    from drdrill.aws.ports import Names
    from drdrill.core.clock import Clock
    from drdrill.dataplane.kubernetes_programs import KubernetesPrograms
    from drdrill.mirror.host import WorldHost
    from drdrill.mirror.network import Network, RegionLayout

_CONTROL_PLANE_DISK = 512 << 20
_TTL_SECONDS = 60
_HALF = 128  # a node's pods have half of a block of 256 addresses: a kubelet takes 110 at most
_FIRST_POD_BLOCK = 64  # 10.20.64.0 and up: below are the zones' own hosts


@dataclass(frozen=True, slots=True)
class ClusterParts:
    """What clusters are made of: shared by all of a region, the numbers of ranges for pods too."""

    network: Network
    layout: RegionLayout
    names: Names
    programs: KubernetesPrograms
    clock: Clock
    logs: Path
    catalogue: Path
    authorities: Path
    node_disk_bytes: int
    pod_ranges: Iterator[int] = field(default_factory=itertools.count)


class Cluster:
    """Thread-safe. Brought up by `bring_up`; `keep` starts again what ended, as the cloud and a node's init would.

    `api_options` are further flags of the API server; `endpoint` is the name that it had before, a new one without.
    """

    def __init__(
        self,
        name: str,
        authority: trustme.CA,
        parts: ClusterParts,
        *,
        api_options: tuple[str, ...] = (),
        endpoint: str = "",
    ) -> None:
        region = parts.layout.name
        self.name = name
        self.region = region
        self._parts = parts
        self._lock = threading.Lock()
        self._nodes: dict[str, KubernetesNode] = {}
        self._entries_left: set[str] = set()  # of nodes whose machines are gone
        self.endpoint = endpoint or f"{uuid.uuid4().hex.upper()}.gr7.{region}.eks.amazonaws.com"
        host = parts.network.create_host(f"eks-{name}", managed_zone(region), disk_bytes=_CONTROL_PLANE_DISK)
        parts.names.publish(self.endpoint, (host.address,), ttl_seconds=_TTL_SECONDS)
        parts.network.route(region, f"{API_ADDRESS}/32", host)
        self.host = host
        self.plane = ControlPlane(
            ClusterName(name, self.endpoint),
            host,
            parts.programs,
            ClusterAuthority(authority),
            logs=parts.logs,
            options=api_options,
        )

    def __repr__(self) -> str:
        return f"Cluster({self.name} in {self.region})"

    def bring_up(self) -> None:
        """Start the control plane and wait until all of it is ready."""
        self.plane.bring_up(self._parts.clock)

    def add_node(self, zone: str, labels: Mapping[str, str]) -> KubernetesNode:
        """Make a host in a zone and bring a node up on it; nothing is left of one that does not become ready."""
        node = self.launch(zone, labels)
        try:
            node.bring_up(self._parts.clock)
        except BaseException:
            self._release(node)
            raise
        return node

    def launch(self, zone: str, labels: Mapping[str, str], *, instance: str = "") -> KubernetesNode:
        """Make a host in a zone that is to be a node, and give it power; `bring_up` of what is returned has it join."""
        parts = self._parts
        instance = instance or f"i-{uuid.uuid4().hex[:17]}"
        host = parts.network.create_host(f"{self.name}-{instance}", zone, disk_bytes=parts.node_disk_bytes)
        name = f"ip-{host.address.replace('.', '-')}.{self.region}.compute.internal"
        pods = self._next_pod_range(host)
        parts.names.publish(name, (host.address,), ttl_seconds=_TTL_SECONDS)
        parts.network.route(self.region, pods, host)
        runtime = [
            sys.executable, "-m", "drdrill.mirror.kubernetes.runtime", "--socket", RUNTIME_SOCKET,
            "--state", str(host.disk / "runtime"), "--catalogue", str(parts.catalogue), "--pod-range", pods,
            "--authorities", str(parts.authorities),
            *(("--streaming-socket", STREAMING_SOCKET) if parts.programs.streaming else ()),
        ]  # fmt: skip
        everywhere = {
            "topology.kubernetes.io/region": self.region,
            "topology.kubernetes.io/zone": zone,
            **labels,
        }
        identity = NodeIdentity(name, instance, pods, everywhere)
        node = KubernetesNode(
            identity, host, self.plane, parts.programs, runtime, logs=parts.logs, upstream=DNS_ADDRESS
        )
        with self._lock:
            neighbours = [one for one in self._nodes.values() if one.host.zone == zone]
            node.routes = {one.pods: one.host.address for one in neighbours}
            self._nodes[name] = node
        for one in neighbours:
            one.route(pods, host.address)
        return node

    def _next_pod_range(self, host: WorldHost) -> str:
        block, half = divmod(next(self._parts.pod_ranges), 2)
        network = ".".join(host.address.split(".")[:2])
        return f"{network}.{_FIRST_POD_BLOCK + block}.{half * _HALF}/25"

    def remove_node(self, name: str) -> None:
        """Take a node's machine away, as the cloud does, then its entry in the cluster; harmless when it is gone.

        Raises `DrdrillError` where the cluster does not answer: then `keep` removes the entry once it does, as a
        cloud's controller would. An entry that is left keeps the pods of a machine that never comes back.
        """
        with self._lock:
            node = self._nodes.get(name)
        if node is not None:
            self._release(node)
        with self._lock:
            self._entries_left.add(name)
        self._remove_entries()

    def _remove_entries(self) -> None:
        with self._lock:
            left = sorted(self._entries_left - self._nodes.keys())  # not one that a new machine has by now
        for name in left:
            self.client().delete(f"/api/v1/nodes/{name}")
            with self._lock:
                self._entries_left.discard(name)

    def _release(self, node: KubernetesNode) -> None:
        with self._lock:
            self._nodes.pop(node.identity.name, None)
        self._parts.names.withdraw(node.identity.name)
        self._parts.network.release(self._parts.network.find_host(node.host.name))

    def release(self) -> None:
        """Take it away: all of its machines and names."""
        for node in self.nodes():
            self._release(node)
        self._parts.names.withdraw(self.endpoint)
        self._parts.network.release(self.host)

    def client(self) -> KubernetesClient:
        """Return what asks its API server as its administrator."""
        return KubernetesClient(self.host.address, API_PORT, self.plane.context())

    def nodes(self) -> tuple[KubernetesNode, ...]:
        """Return its nodes."""
        with self._lock:
            return tuple(self._nodes.values())

    def keep(self) -> tuple[str, ...]:
        """Start again whatever ended on a host that has power; return a sentence about each that could not be."""
        problems = []
        parts: tuple[ControlPlane | KubernetesNode, ...] = (self.plane, *self.nodes())
        for each in parts:
            if each.host.powered:
                try:
                    each.restart(self._parts.clock)
                except DrdrillError as error:
                    problems.append(f"{each}: {error}")
        if self.host.powered:
            try:
                self._remove_entries()
            except DrdrillError as error:
                problems.append(f"nodes that are gone are still in {self}: {error}")
        return tuple(problems)

    def describe(self) -> dict[str, Any]:
        """Say what it is and how its parts are, for the control socket."""
        return {
            "name": self.name,
            "region": self.region,
            "endpoint": self.endpoint,
            "host": self.host.name,
            "components": {one.name: one.observe().value for one in self.plane.components},
            "nodes": [
                {
                    "name": node.identity.name,
                    "host": node.host.name,
                    "zone": node.host.zone,
                    "instance": node.identity.instance,
                    "powered": node.host.powered,
                }
                for node in self.nodes()
            ],
        }
