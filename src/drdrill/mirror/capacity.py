"""How much each region can carry: its clusters' nodes by zone, and the pods of everything deployed there.

Asked over the control socket, of the clusters themselves: what cannot be asked has no capacity that anybody knows.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from drdrill.environment.port import RegionCapacity
from drdrill.mirror.kubernetes.deployments import list_deployments

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drdrill.mirror.kubernetes.clusters import Clusters


class CapacityReadings:
    """The operation, by name in `table`."""

    def __init__(self, clusters: Clusters, regions: Sequence[str]) -> None:
        self._clusters, self._regions = clusters, tuple(regions)

    def table(self) -> Mapping[str, Callable[..., Mapping[str, Any]]]:
        """Return the operation by name."""
        return {"capacity": self.read}

    def read(self) -> Mapping[str, Any]:
        """Return by region how many nodes are ready in each zone, and pods of each deployment: ready and wanted."""
        return {"regions": {region: self._read_region(region) for region in self._regions}}

    def _read_region(self, region: str) -> Mapping[str, Any]:
        nodes: Counter[str] = Counter()
        deployments: dict[str, Mapping[str, int]] = {}
        answers = False
        for cluster in self._clusters.all():
            if cluster.region != region or not cluster.host.powered:
                continue
            found = list_deployments(cluster)
            if found is None:
                continue
            answers = True
            nodes.update(
                node.host.zone for node in cluster.nodes() if node.host.powered and node.observe_ready()
            )
            deployments |= {
                f"{one['metadata']['namespace']}/{one['metadata']['name']}": {
                    "ready": one["status"].get("readyReplicas", 0),
                    "wanted": one["spec"]["replicas"],
                }
                for one in found
            }
        return {"answers": answers, "nodes": dict(sorted(nodes.items())), "deployments": deployments}


def parse_capacity(answer: Mapping[str, Any]) -> RegionCapacity:
    """Make a region's capacity of the supervisor's answer."""
    pods = answer["deployments"]
    return RegionCapacity(
        answers=answer["answers"],
        nodes=answer["nodes"],
        ready={name: one["ready"] for name, one in pods.items()},
        wanted={name: one["wanted"] for name, one in pods.items()},
    )
