"""The EKS API of one region: its operations by name, each group of them in a module of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.aws.eks.access_operations import AccessOperations
from drdrill.aws.eks.cluster_operations import ClusterOperations
from drdrill.aws.eks.nodegroup_operations import NodegroupOperations

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.eks.region import EksRegion
    from drdrill.aws.protocol import Parameters


class EksService:
    """EKS in one region, as the gate calls it. Thread-safe. `caller`: the ARN of whoever calls."""

    name = "eks"

    def __init__(self, region: EksRegion, caller: str) -> None:
        self.region = region
        self._operations = {
            **ClusterOperations(region, caller).table(),
            **NodegroupOperations(region).table(),
            **AccessOperations(region).table(),
        }

    def operations(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations that are implemented."""
        return self._operations
