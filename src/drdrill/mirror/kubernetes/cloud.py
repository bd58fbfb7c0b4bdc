"""The mirror's clusters and nodes as EKS, EC2 and Auto Scaling want them: the ports of `drdrill.aws.cluster_port`."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from drdrill.aws.eks.authenticator import name_authenticator
from drdrill.core.errors import ControlLostError, EnvironmentFailedError
from drdrill.dataplane.kubernetes_authority import write_secret
from drdrill.dataplane.kubernetes_client import condition
from drdrill.dataplane.kubernetes_programs import is_being_built, read_version
from drdrill.mirror.authority import read_authority
from drdrill.mirror.kubernetes.draining import drain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta
    from pathlib import Path

    from drdrill.core.clock import Clock
    from drdrill.dataplane.kubernetes_node import KubernetesNode
    from drdrill.mirror.kubernetes.cluster import Cluster
    from drdrill.mirror.kubernetes.clusters import Clusters
    from drdrill.mirror.network import Network, RegionLayout

_log = logging.getLogger(__name__)


class NodeHost:
    """A host that is a node, or is to be one. Implements `NodeMachine`."""

    def __init__(self, node: KubernetesNode, cluster: Cluster, clock: Clock) -> None:
        self._node = node
        self._cluster = cluster
        self._clock = clock
        self.name = node.identity.name
        self.zone = node.host.zone
        self.address = node.host.address

    def __repr__(self) -> str:
        return f"NodeHost({self.name})"

    @property
    def powered(self) -> bool:
        """Whether the host has power."""
        return self._node.host.powered

    def join(self) -> None:
        """Start what makes it a node; returns when the cluster says that it is ready."""
        self._node.bring_up(self._clock)

    def drain(self, *, within: timedelta) -> None:
        """Have its pods go somewhere else."""
        drain(self._cluster.client(), self.name, within=within, clock=self._clock)

    def take_away(self) -> None:
        """Take the host away, and the node's entry in the cluster, as soon as that answers."""
        try:
            self._cluster.remove_node(self.name)
        except (ControlLostError, EnvironmentFailedError) as error:
            _log.warning("%s is gone; its entry stays until %s answers: %s", self, self._cluster, error)


class MirrorPlane:
    """A control plane that is up. Implements `ClusterPlane`."""

    def __init__(self, cluster: Cluster, clusters: Clusters, clock: Clock) -> None:
        self._cluster = cluster
        self._clusters = clusters
        self._clock = clock
        self.endpoint = cluster.plane.name.server
        self.authority = cluster.plane.authority.bundle

    def __repr__(self) -> str:
        return f"MirrorPlane({self._cluster})"

    def launch(self, instance: str, zone: str, labels: Mapping[str, str]) -> NodeHost:
        """Give power to a new host in a zone."""
        node = self._cluster.launch(zone, labels, instance=instance)
        return NodeHost(node, self._cluster, self._clock)

    def read_ready(self) -> frozenset[str]:
        """Return the names of the nodes that the cluster says are ready now."""
        try:
            listed = self._cluster.client().read("/api/v1/nodes") or {}
        except (ControlLostError, EnvironmentFailedError):
            return frozenset()
        nodes: list[dict[str, Any]] = listed.get("items", [])
        return frozenset(one["metadata"]["name"] for one in nodes if condition(one, "Ready") == "True")

    def grant(self, group: str, role: str) -> None:
        """Give a group of users a cluster role."""
        api = "rbac.authorization.k8s.io"
        content = {
            "apiVersion": f"{api}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": group},
            "roleRef": {"apiGroup": api, "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": api, "kind": "Group", "name": group}],
        }
        self._cluster.client().create(f"/apis/{api}/v1/clusterrolebindings", content)

    def release(self) -> None:
        """Take it away with all of its hosts."""
        self._clusters.delete(self._cluster.region, self._cluster.name)


class RegionClusters:
    """Where clusters of one region are made. Implements `ClusterFleet`.

    `secrets`: the mirror's folder of what only its owner may read.
    """

    version = read_version()

    def __init__(
        self, network: Network, layout: RegionLayout, clusters: Clusters, secrets: Path, clock: Clock
    ) -> None:
        self._clusters = clusters
        self._secrets = secrets
        self._clock = clock
        self.region = layout.name
        self.networks: Mapping[str, str] = {zone: network.range_of(zone) for zone in layout.zones}

    def say_wait(self) -> str:
        """Say that Kubernetes' programs are being built, if they are."""
        if not is_being_built():
            return ""
        return (
            f"Kubernetes {self.version} is being built on this machine; the control plane starts after that."
        )

    def create(self, name: str, *, endpoint: str = "") -> MirrorPlane:
        """Bring a control plane up that asks EKS's authenticator whose a token is."""
        options = (
            f"--authentication-token-webhook-config-file={self._write_webhook(name)}",
            "--authentication-token-webhook-version=v1",
        )
        cluster = self._clusters.create(
            self.region, name, api_options=options, endpoint=endpoint.removeprefix("https://")
        )
        return MirrorPlane(cluster, self._clusters, self._clock)

    def _write_webhook(self, name: str) -> Path:
        """Write how the API server of a cluster reaches the authenticator, and return where."""
        authority = self._secrets / "webhook-authority.pem"
        write_secret(authority, read_authority(self._secrets).cert_pem.bytes().decode("ascii"))
        path = self._secrets / f"webhook-{self.region}-{name}.json"
        server = name_authenticator(self.region, name)
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": "it", "cluster": {"server": server, "certificate-authority": str(authority)}}
            ],
            "users": [{"name": "me", "user": {}}],
            "contexts": [{"name": "here", "context": {"cluster": "it", "user": "me"}}],
            "current-context": "here",
        }
        write_secret(path, json.dumps(content))
        return path
