"""All clusters of the mirror, started when somebody asks for one, and kept running as the cloud keeps its own."""

from __future__ import annotations

import concurrent.futures
import functools
import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drdrill.core.errors import UsageError
from drdrill.dataplane.kubernetes_programs import await_programs, is_being_built
from drdrill.mirror.authority import read_authority
from drdrill.mirror.kubernetes.cluster import Cluster, ClusterParts
from drdrill.mirror.kubernetes.kubeconfig import merge_kubeconfig

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drdrill.aws.ports import Names
    from drdrill.core.clock import Clock
    from drdrill.mirror.directory import MirrorDirectory
    from drdrill.mirror.network import Network

_KEEP_EVERY_SECONDS = 1.0
_log = logging.getLogger("drdrill.mirror.kubernetes")


def open_clusters(
    network: Network, names: Names, directory: MirrorDirectory, settings: Mapping[str, Any], clock: Clock
) -> Clusters:
    """Return a world's clusters: none yet, and nothing is looked for before somebody asks for the first."""
    layouts = {layout.name: layout for layout in network.regions}
    find_once = functools.cache(await_programs)  # their checksum takes 0.3 s

    def make_parts(region: str) -> ClusterParts:
        return ClusterParts(
            network=network,
            layout=layouts[region],
            names=names,
            programs=find_once(),
            clock=clock,
            logs=directory.logs,
            catalogue=Path(settings["images"]),
            authorities=directory.path / "authority.pem",
            node_disk_bytes=settings["node_disk_bytes"],
        )

    kubeconfig = directory.disks / "operator" / ".kube" / "config"
    return Clusters(tuple(layouts), make_parts, secrets=directory.secrets, kubeconfig=kubeconfig, clock=clock)


class Clusters:
    """Thread-safe. `parts` makes what a region's clusters are made of; it fails where Kubernetes is not to be had."""

    def __init__(
        self,
        regions: Sequence[str],
        parts: Callable[[str], ClusterParts],
        *,
        secrets: Path,
        kubeconfig: Path,
        clock: Clock,
    ) -> None:
        self._regions = tuple(regions)
        self._make_parts = parts
        self._parts: dict[str, ClusterParts] = {}
        self._secrets = secrets
        self._kubeconfig = kubeconfig
        self._clock = clock
        self._lock = threading.Lock()
        self._clusters: dict[tuple[str, str], Cluster] = {}
        self._waiting: list[tuple[str, str]] = []
        self._keeper: threading.Thread | None = None

    def create(
        self, region: str, name: str, *, api_options: tuple[str, ...] = (), endpoint: str = ""
    ) -> Cluster:
        """Bring a cluster up, without nodes; returns when its control plane is ready.

        `api_options` are further flags of its API server, `endpoint` is the name that it had before.
        """
        if region not in self._regions:
            raise UsageError(f"there is no region `{region}` in this mirror: {', '.join(self._regions)}.")
        parts = self._await_parts(region, name)
        with self._lock:
            if (region, name) in self._clusters:
                raise UsageError(f"there is a cluster `{name}` in {region} already.")
            authority = read_authority(self._secrets)
            cluster = self._clusters[region, name] = Cluster(
                name, authority, parts, api_options=api_options, endpoint=endpoint
            )
        try:
            cluster.bring_up()
        except BaseException:
            self.delete(region, name)
            raise
        with self._lock:
            merge_kubeconfig(self._kubeconfig, cluster)
            if self._keeper is None:
                self._keeper = threading.Thread(target=self._keep, name="clusters", daemon=True)
                self._keeper.start()
        return cluster

    def _await_parts(self, region: str, name: str) -> ClusterParts:
        """Return what clusters of a region are made of, once this machine has it."""
        with self._lock:
            if region in self._parts:
                return self._parts[region]
            self._waiting.append((region, name))
        try:
            made = self._make_parts(
                region
            )  # without the lock: it takes minutes where Kubernetes is being built
        finally:
            with self._lock:
                self._waiting.remove((region, name))
        with self._lock:
            return self._parts.setdefault(region, made)

    def waiting(self) -> tuple[tuple[str, str], ...]:
        """Return which clusters wait for the build of Kubernetes' programs, by region and name."""
        with self._lock:
            waiting = tuple(self._waiting)
        return waiting if waiting and is_being_built() else ()

    def delete(self, region: str, name: str) -> None:
        """Take a cluster away with its nodes and their machines."""
        cluster = self.find(region, name)
        with self._lock:
            del self._clusters[region, name]
        cluster.release()

    def add_nodes(
        self, region: str, name: str, zones: Sequence[str], labels: Mapping[str, str]
    ) -> tuple[str, ...]:
        """Start a node in each of these zones (one named twice gets two); return their names when all are ready."""
        cluster = self.find(region, name)
        with concurrent.futures.ThreadPoolExecutor(max_workers=len(zones) or 1) as pool:
            nodes = list(pool.map(lambda zone: cluster.add_node(zone, labels), zones))
        return tuple(node.identity.name for node in nodes)

    def find(self, region: str, name: str) -> Cluster:
        """Return a cluster; raises `UsageError` when there is none."""
        with self._lock:
            found = self._clusters.get((region, name))
        if found is None:
            raise UsageError(f"there is no cluster `{name}` in {region}.")
        return found

    def all(self) -> tuple[Cluster, ...]:
        """Return all clusters."""
        with self._lock:
            return tuple(self._clusters.values())

    def table(self) -> Mapping[str, Callable[..., Mapping[str, Any]]]:
        """Return what can be asked for over the control socket, by name."""
        return {
            "create_cluster": self._create,
            "delete_cluster": self._delete,
            "clusters": self._list,
            "add_nodes": self._add_nodes,
            "remove_node": self._remove_node,
        }

    def _create(self, region: str, name: str) -> Mapping[str, Any]:
        return self.create(region, name).describe()

    def _delete(self, region: str, name: str) -> Mapping[str, Any]:
        self.delete(region, name)
        return {}

    def _list(self) -> Mapping[str, Any]:
        return {"clusters": [cluster.describe() for cluster in self.all()]}

    def _add_nodes(
        self, region: str, name: str, zones: Sequence[str], labels: Mapping[str, str] | None = None
    ) -> Mapping[str, Any]:
        return {"nodes": list(self.add_nodes(region, name, zones, labels or {}))}

    def _remove_node(self, region: str, name: str, node: str) -> Mapping[str, Any]:
        self.find(region, name).remove_node(node)
        return {}

    def _keep(self) -> None:
        said: tuple[str, ...] = ()
        while True:
            self._clock.sleep(_KEEP_EVERY_SECONDS)
            problems: tuple[str, ...] = ()
            for cluster in self.all():
                problems += cluster.keep()
            if problems != said:
                for problem in problems:
                    _log.warning("%s", problem)
            said = problems
