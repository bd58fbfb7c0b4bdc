"""Operations that stop an instance and start it again.

AWS starts a stopped instance by itself after seven days; the mirror does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.aws.errors import AwsError, NotImplementedInMirrorError
from drdrill.aws.rds.description import describe
from drdrill.aws.rds.instances import not_available
from drdrill.aws.rds.model import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.protocol import Parameters
    from drdrill.aws.rds.region import RdsRegion


class StopOperations:
    """Stopping and starting the instances of one region."""

    def __init__(self, region: RdsRegion) -> None:
        self._region = region

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return {"StopDBInstance": self.stop_db_instance, "StartDBInstance": self.start_db_instance}

    def stop_db_instance(self, parameters: Parameters) -> Mapping[str, Any]:
        """Begin to stop an instance; `stopping` until nothing of it runs."""
        reconciler = self._region.find(parameters["DBInstanceIdentifier"])
        _refuse_others(parameters, "StopDBInstance")
        record = reconciler.record
        if record.source_arn is not None or record.replica_arns:
            role = "is a read replica" if record.source_arn is not None else "has a read replica"
            text = f"Cannot stop the DB instance {record.identifier}: it {role}."
            raise AwsError("InvalidDBInstanceState", text)
        if not reconciler.request("stop", allowed=(Status.AVAILABLE,)):
            raise not_available(reconciler.record)
        return {"DBInstance": describe(reconciler.record, self._region)}

    def start_db_instance(self, parameters: Parameters) -> Mapping[str, Any]:
        """Begin to start a stopped instance; `starting` until it accepts writes."""
        reconciler = self._region.find(parameters["DBInstanceIdentifier"])
        _refuse_others(parameters, "StartDBInstance")
        if not reconciler.request("start", allowed=(Status.STOPPED,)):
            record = reconciler.record
            text = (
                f"Instance {record.identifier} cannot be started as it is not stopped: it is {record.status}."
            )
            raise AwsError("InvalidDBInstanceState", text)
        return {"DBInstance": describe(reconciler.record, self._region)}


def _refuse_others(parameters: Parameters, operation: str) -> None:
    for name in sorted(parameters.keys() - {"DBInstanceIdentifier"}):
        raise NotImplementedInMirrorError(f"The parameter {name} of rds:{operation}")
