"""The RDS API of one region: its operations by name, each group of them in a module of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.aws.rds.backups_operations import AutomatedBackupOperations
from drdrill.aws.rds.engine import EngineOperations
from drdrill.aws.rds.events import EventOperations
from drdrill.aws.rds.instances import InstanceOperations
from drdrill.aws.rds.modification import ModificationOperations
from drdrill.aws.rds.parameter_group_operations import ParameterGroupOperations
from drdrill.aws.rds.replicas import ReplicaOperations
from drdrill.aws.rds.restore import RestoreOperations
from drdrill.aws.rds.snapshots_copy import SnapshotCopyOperations
from drdrill.aws.rds.snapshots_operations import SnapshotOperations
from drdrill.aws.rds.stopping import StopOperations
from drdrill.aws.rds.subnet_group_operations import SubnetGroupOperations
from drdrill.aws.rds.tags import TagOperations

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.protocol import Parameters
    from drdrill.aws.rds.region import RdsRegion


class RdsService:
    """RDS in one region, as the gate calls it. Thread-safe."""

    name = "rds"

    def __init__(self, region: RdsRegion) -> None:
        self.region = region
        self._operations = {
            **InstanceOperations(region).table(),
            **EventOperations(region).table(),
            **ModificationOperations(region).table(),
            **ParameterGroupOperations(region).table(),
            **SubnetGroupOperations(region).table(),
            **EngineOperations(region).table(),
            **StopOperations(region).table(),
            **TagOperations(region).table(),
            **ReplicaOperations(region).table(),
            **SnapshotOperations(region).table(),
            **SnapshotCopyOperations(region).table(),
            **RestoreOperations(region).table(),
            **AutomatedBackupOperations(region).table(),
        }

    def operations(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations that are implemented."""
        return self._operations
