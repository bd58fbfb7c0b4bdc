"""The ElastiCache API of one region: its operations by name, each group of them in a module of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.aws.elasticache.engine import EngineOperations
from drdrill.aws.elasticache.events import EventOperations
from drdrill.aws.elasticache.groups import GroupOperations
from drdrill.aws.elasticache.modification import ModificationOperations
from drdrill.aws.elasticache.parameter_groups import ParameterGroupOperations
from drdrill.aws.elasticache.replica_counts import ReplicaCountOperations
from drdrill.aws.elasticache.subnet_groups import SubnetGroupOperations
from drdrill.aws.elasticache.tags import TagOperations

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.elasticache.region import CacheRegion
    from drdrill.aws.protocol import Parameters


class ElastiCacheService:
    """ElastiCache in one region, as the gate calls it. Thread-safe."""

    name = "elasticache"

    def __init__(self, region: CacheRegion) -> None:
        self.region = region
        self._operations = {
            **GroupOperations(region).table(),
            **ModificationOperations(region).table(),
            **ReplicaCountOperations(region).table(),
            **SubnetGroupOperations(region).table(),
            **ParameterGroupOperations(region).table(),
            **EngineOperations().table(),
            **EventOperations(region).table(),
            **TagOperations(region).table(),
        }

    def operations(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations that are implemented."""
        return self._operations
