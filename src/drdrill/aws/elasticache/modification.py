"""Operations that change a replication group in its place, `ModifyReplicationGroup`, and the test of its failover."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from drdrill.aws.elasticache.creation import AS_IT_IS, check_availability
from drdrill.aws.elasticache.engine import check_node_type, find_engine
from drdrill.aws.elasticache.groups import not_available, request
from drdrill.aws.elasticache.model import NODE_GROUP, GroupRecord, Pending, Status
from drdrill.aws.elasticache.reconciler import apply_pending
from drdrill.aws.errors import AwsError, NotImplementedInMirrorError
from drdrill.aws.rds.maintenance import find_mistake

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.elasticache.region import CacheRegion
    from drdrill.aws.protocol import Parameters

Value = TypeVar("Value")
_KNOWN = frozenset({
    "ReplicationGroupId", "ReplicationGroupDescription", "PrimaryClusterId", "AutomaticFailoverEnabled",
    "MultiAZEnabled", "NodeGroupId", "PreferredMaintenanceWindow", "CacheParameterGroupName", "ApplyImmediately",
    "AutoMinorVersionUpgrade", "CacheNodeType", "Engine", "EngineVersion", "SecurityGroupIds",
})  # fmt: skip


class ModificationOperations:
    """The operations that change the groups of one region."""

    def __init__(self, region: CacheRegion) -> None:
        self._region = region

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return {
            "ModifyReplicationGroup": self.modify_replication_group,
            "TestFailover": self.test_failover,
        }

    def modify_replication_group(self, parameters: Parameters) -> Mapping[str, Any]:
        """Change a group: a part of it at once, what may mean an outage only now if that was asked for."""
        reconciler = self._region.find(parameters["ReplicationGroupId"])
        self._check(parameters, reconciler.record)
        self._region.require_security_groups(parameters.get("SecurityGroupIds", ()))
        return request(reconciler, lambda record: _modify(record, parameters))

    def _check(self, parameters: Parameters, record: GroupRecord) -> None:
        for name in sorted(parameters.keys() - _KNOWN):
            if name not in AS_IT_IS or parameters[name] != AS_IT_IS[name]:
                raise NotImplementedInMirrorError(
                    f"The parameter {name} of elasticache:ModifyReplicationGroup"
                )
        if "NodeGroupId" in parameters:
            check_shard(parameters["NodeGroupId"])
        engine = parameters.get("Engine", record.engine)
        number, family = find_engine(engine, parameters.get("EngineVersion", record.engine_version))
        if (engine, number) != (record.engine, record.engine_version):
            raise NotImplementedInMirrorError("A change of a replication group's engine or its version")
        if "CacheNodeType" in parameters:
            check_node_type(parameters["CacheNodeType"])
        self._check_group(parameters, family)
        if "PreferredMaintenanceWindow" in parameters and (
            mistake := find_mistake(parameters["PreferredMaintenanceWindow"])
        ):
            raise AwsError("InvalidParameterValue", mistake)
        if parameters.keys() & {"AutomaticFailoverEnabled", "MultiAZEnabled"}:
            check_availability(
                nodes=len(record.nodes),
                zones=len({node.zone for node in record.nodes}),
                automatic_failover=parameters.get("AutomaticFailoverEnabled", record.automatic_failover),
                multi_az=parameters.get("MultiAZEnabled", record.multi_az),
            )
        if "PrimaryClusterId" in parameters:
            _check_promotion(parameters, record)

    def _check_group(self, parameters: Parameters, family: str) -> None:
        if "CacheParameterGroupName" in parameters:
            group = self._region.parameter_groups.find(parameters["CacheParameterGroupName"])
            if group.family != family:
                text = f"Expected a parameter group of family {family} but found one of family {group.family}"
                raise AwsError("InvalidParameterCombination", text)

    def test_failover(self, parameters: Parameters) -> Mapping[str, Any]:
        """Start a failover of the shard: its primary is lost, a replica takes over, the lost node is replaced."""
        reconciler = self._region.find(parameters["ReplicationGroupId"])
        check_shard(parameters["NodeGroupId"])
        record = reconciler.record
        if not record.automatic_failover:
            text = f"Automatic failover is not enabled for the replication group {record.identifier}."
            raise AwsError("InvalidReplicationGroupState", text)
        if record.status is not Status.AVAILABLE:
            raise not_available(record)
        self._region.take_test()
        answer = request(reconciler, lambda one: replace(one, testing=True, status=Status.MODIFYING))
        reconciler.group.tell(f"Test Failover API called for node group {NODE_GROUP}")
        return answer


def _modify(record: GroupRecord, parameters: Parameters) -> GroupRecord:
    """Return a group's record as an accepted request makes it."""
    changed = replace(
        record,
        description=parameters.get("ReplicationGroupDescription", record.description),
        maintenance_window=parameters.get("PreferredMaintenanceWindow", record.maintenance_window).lower(),
        auto_minor_version_upgrade=parameters.get(
            "AutoMinorVersionUpgrade", record.auto_minor_version_upgrade
        ),
        parameter_group=parameters.get("CacheParameterGroupName", record.parameter_group).lower(),
        security_groups=tuple(dict.fromkeys(parameters.get("SecurityGroupIds", record.security_groups))),
    )
    promoted = parameters.get("PrimaryClusterId", record.primary).lower()
    if promoted != record.primary:
        changed = replace(changed, promoting=promoted, status=Status.MODIFYING)
    pending = Pending(
        node_type=_pend(parameters.get("CacheNodeType"), record.node_type, record.pending.node_type),
        automatic_failover=_pend(
            parameters.get("AutomaticFailoverEnabled"),
            record.automatic_failover,
            record.pending.automatic_failover,
        ),
        multi_az=_pend(parameters.get("MultiAZEnabled"), record.multi_az, record.pending.multi_az),
    )
    changed = replace(changed, pending=pending)
    return apply_pending(changed) if parameters.get("ApplyImmediately") else changed


def _pend(asked: Value | None, now: Value, pending: Value | None) -> Value | None:
    """Return what is pending after a request: who asks for what is so already takes back what was."""
    if asked is None:
        return pending
    return None if asked == now else asked


def check_shard(shard: str) -> None:
    """Raise AWS's error for a shard that there is not: a group has one."""
    if shard != NODE_GROUP:
        raise AwsError("NodeGroupNotFoundFault", f"Node group {shard} not found.", status=404)


def _check_promotion(parameters: Parameters, record: GroupRecord) -> None:
    """Raise AWS's error for a promotion that cannot be, or ours for one that waits."""
    cluster = parameters["PrimaryClusterId"].lower()
    if cluster not in {node.cluster for node in record.nodes}:
        text = f"CacheCluster {cluster} is not a member of the replication group {record.identifier}."
        raise AwsError("InvalidParameterValue", text)
    if parameters.get("AutomaticFailoverEnabled", record.automatic_failover):
        text = "Cannot manually promote a new master cache cluster while autofailover is enabled"
        raise AwsError("InvalidReplicationGroupState", text)
    if not parameters.get("ApplyImmediately"):
        raise NotImplementedInMirrorError("PrimaryClusterId without ApplyImmediately")
