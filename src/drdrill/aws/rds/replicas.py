"""Operations on read replicas: make one, in the source's region or in another, and promote it.

How a replica follows its source stands in `replica_follower`, what a request for one may say in `replica_request`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from drdrill.aws.errors import AwsError, NotImplementedInMirrorError
from drdrill.aws.rds.description import describe
from drdrill.aws.rds.instances import make_instance, not_available
from drdrill.aws.rds.model import ACCOUNT, Status
from drdrill.aws.rds.replica_request import check_replica, describe_new, read_source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.protocol import Parameters
    from drdrill.aws.rds.reconciler import Reconciler
    from drdrill.aws.rds.region import RdsRegion

_RETENTION_DAYS = range(36)
_PROMOTION = frozenset({"DBInstanceIdentifier", "BackupRetentionPeriod"})


class ReplicaOperations:
    """The operations on the read replicas of one region."""

    def __init__(self, region: RdsRegion) -> None:
        self._region = region

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return {
            "CreateDBInstanceReadReplica": self.create_db_instance_read_replica,
            "PromoteReadReplica": self.promote_read_replica,
        }

    def create_db_instance_read_replica(self, parameters: Parameters) -> Mapping[str, Any]:
        """Start to make a read replica; it is `creating` until it streams from its source and answers reads."""
        source = self._find_source(parameters)
        check_replica(parameters, source.record, self._region)
        record = describe_new(parameters, source.record, self._region)
        self._region.add(record.identifier, lambda: make_instance(record, self._region, origin=source))
        return {"DBInstance": describe(record, self._region)}

    def _find_source(self, parameters: Parameters) -> Reconciler:
        """Return the instance that is to be followed; raises what AWS raises when it cannot be."""
        wanted = read_source(parameters, self._region.name)
        region = self._region.reach(wanted.region)
        if region is None or wanted.account != ACCOUNT:
            raise AwsError("DBInstanceNotFound", f"DBInstance {wanted.identifier} not found.", status=404)
        return region.find(wanted.identifier)

    def promote_read_replica(self, parameters: Parameters) -> Mapping[str, Any]:
        """Start to promote a replica: `modifying` until it has left its source and accepts writes."""
        reconciler = self._region.find(parameters["DBInstanceIdentifier"])
        days = parameters.get("BackupRetentionPeriod", 1)  # AWS's default
        if days not in _RETENTION_DAYS:
            text = f"Invalid backup retention period: {days}. Must be between 0 and {_RETENTION_DAYS[-1]}"
            raise AwsError("InvalidParameterValue", text)
        for name in sorted(parameters.keys() - _PROMOTION):
            raise NotImplementedInMirrorError(f"The parameter {name} of rds:PromoteReadReplica")
        if reconciler.record.source_arn is None:
            raise AwsError("InvalidDBInstanceState", "DB Instance is not a read replica.")
        promoted = reconciler.request(
            "promote",
            allowed=(Status.AVAILABLE,),
            change=lambda record: replace(record, backup_retention_days=days),
        )
        if not promoted:
            raise not_available(reconciler.record)
        return {"DBInstance": describe(reconciler.record, self._region)}
