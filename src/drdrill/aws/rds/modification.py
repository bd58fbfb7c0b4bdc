"""`ModifyDBInstance`: what is refused, what is true at once, and what becomes pending.

AWS's rules of when a change is applied (RDS User Guide, "Settings for DB instances"): a password, a parameter group's
name, deletion protection and public access do not ask for `ApplyImmediately`; everything else waits for the
maintenance window without it, and with it takes along all that was pending before.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from drdrill.aws.errors import AwsError, NotImplementedInMirrorError
from drdrill.aws.rds.creation import (
    AS_IT_IS,
    IDENTIFIER,
    STORAGE_GIB,
    find_wrong_class,
    find_wrong_password,
    find_wrong_retention,
)
from drdrill.aws.rds.description import describe
from drdrill.aws.rds.instances import not_available
from drdrill.aws.rds.maintenance import find_mistake
from drdrill.aws.rds.model import Status
from drdrill.aws.rds.parameter_keeper import PENDING_REBOOT
from drdrill.aws.rds.security_groups import PARAMETER, read_security_groups
from drdrill.dataplane.postgresql_programs import PORT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from drdrill.aws.protocol import Parameters
    from drdrill.aws.rds.model import InstanceRecord
    from drdrill.aws.rds.reconciler import Reconciler
    from drdrill.aws.rds.region import RdsRegion

# Members of a request that become pending, and what they are in the record.
_PENDING = {
    "DBInstanceClass": "instance_class",
    "AllocatedStorage": "allocated_storage",
    "MultiAZ": "multi_az",
    "BackupRetentionPeriod": "backup_retention_days",
    "NewDBInstanceIdentifier": "identifier",
}
# Members that are true as soon as the request is accepted.
_AT_ONCE = {
    "PubliclyAccessible": "publicly_accessible",
    "DeletionProtection": "deletion_protection",
    "AutoMinorVersionUpgrade": "auto_minor_version_upgrade",
}
_KNOWN = frozenset({
    *_PENDING, *_AT_ONCE, "DBInstanceIdentifier", "ApplyImmediately", "MasterUserPassword", "DBParameterGroupName",
    "PreferredMaintenanceWindow", PARAMETER,
})  # fmt: skip
_ACTIONS = {
    Status.MODIFYING: "modify",
    Status.RENAMING: "rename",
    Status.RESETTING_CREDENTIALS: "reset credentials",
}
_LEAST_GROWTH_PERCENT = 10  # API reference: a smaller one is rounded up


class ModificationOperations:
    """The modification of the instances of one region."""

    def __init__(self, region: RdsRegion) -> None:
        self._region = region

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return {"ModifyDBInstance": self.modify_db_instance}

    def modify_db_instance(self, parameters: Parameters) -> Mapping[str, Any]:
        """Start to change an instance; what is applied now shows as pending until it is true."""
        reconciler = self._region.find(parameters["DBInstanceIdentifier"])
        record = reconciler.record
        for error in (*_find_refusals(parameters, record), *_find_gaps(parameters, record)):
            raise error
        if record.status not in _list_allowed(parameters):
            raise not_available(record)
        group = parameters.get("DBParameterGroupName")
        if group:
            parameters = {
                **parameters,
                "DBParameterGroupName": self._region.parameter_groups.find(group).name,
            }
        if PARAMETER in parameters:
            parameters = {**parameters, PARAMETER: read_security_groups(parameters, self._region)}
        new = str(parameters.get("NewDBInstanceIdentifier", "")).lower()
        if new not in ("", record.identifier, record.pending.identifier):
            changed = self._region.claim(new, lambda: _request(reconciler, parameters))
        else:
            changed = _request(reconciler, parameters)
        if not changed:
            raise not_available(reconciler.record)
        return {"DBInstance": describe(reconciler.record, self._region)}


def _request(reconciler: Reconciler, parameters: Parameters) -> bool:
    """Change the record, and have applied what is due; false when the status does not allow it any more."""

    def change(record: InstanceRecord) -> InstanceRecord:
        return plan_changes(record, parameters)

    pending = change(reconciler.record).pending
    if not pending.due:
        return reconciler.change(change, allowed=_list_allowed(parameters))
    return reconciler.request(_ACTIONS[pending.status], allowed=_list_allowed(parameters), change=change)


def _list_allowed(parameters: Parameters) -> tuple[Status, ...]:
    """Return the statuses in which a request is taken: who has no space left may have more."""
    return (
        (Status.AVAILABLE, Status.STORAGE_FULL) if "AllocatedStorage" in parameters else (Status.AVAILABLE,)
    )


def plan_changes(record: InstanceRecord, parameters: Parameters) -> InstanceRecord:
    """Return an instance's record as an accepted request makes it: what is true at once, and what is pending."""
    wanted = {_PENDING[name]: parameters[name] for name in _PENDING.keys() & parameters.keys()}
    if "identifier" in wanted:
        wanted["identifier"] = wanted["identifier"].lower()
    if "allocated_storage" in wanted and wanted["allocated_storage"] != record.allocated_storage:
        least = -(-record.allocated_storage * (100 + _LEAST_GROWTH_PERCENT) // 100)
        wanted["allocated_storage"] = max(wanted["allocated_storage"], least)
    # Who asks for what is so already takes back what is pending.
    changes: dict[str, Any] = {
        name: None if value == getattr(record, name) else value for name, value in wanted.items()
    }
    pending = replace(record.pending.without(*changes), **changes)
    due = set(pending.names()) if parameters.get("ApplyImmediately") else set()
    days = pending.backup_retention_days
    if days and record.backup_retention_days:
        due.add("backup_retention_days")  # from one number of days to another: as soon as possible
    if parameters.get("MasterUserPassword"):
        pending = replace(pending, password=parameters["MasterUserPassword"])
        due.add("password")
    at_once = {_AT_ONCE[name]: parameters[name] for name in _AT_ONCE.keys() & parameters.keys()}
    if "PreferredMaintenanceWindow" in parameters:
        at_once["maintenance_window"] = parameters["PreferredMaintenanceWindow"].lower()
    at_once["security_groups"] = parameters.get(PARAMETER, record.security_groups)
    group = parameters.get("DBParameterGroupName", record.parameter_group)
    if group != record.parameter_group:
        at_once |= {"parameter_group": group, "parameter_status": PENDING_REBOOT}
    return replace(record, pending=replace(pending, due=frozenset(due)), **at_once)


def _find_refusals(parameters: Parameters, record: InstanceRecord) -> Iterator[AwsError]:
    """Yield what AWS says against a request, in its words."""
    yield from find_wrong_class(parameters.get("DBInstanceClass", record.instance_class))
    yield from _find_wrong_backup(parameters, record)
    storage = parameters.get("AllocatedStorage", record.allocated_storage)
    if storage < record.allocated_storage:
        text = (
            f"Requested allocated storage {storage} GiB is less than the current {record.allocated_storage} GiB: "
            "allocated storage cannot be reduced."
        )
        yield AwsError("InvalidParameterCombination", text)
    elif storage not in STORAGE_GIB:
        yield AwsError("InvalidParameterValue", f"Invalid storage size for engine name postgres: {storage}")
    new = parameters.get("NewDBInstanceIdentifier")
    if new is not None and not IDENTIFIER.fullmatch(new):
        text = f"The parameter NewDBInstanceIdentifier is not a valid identifier: {new}"
        yield AwsError("InvalidParameterValue", text)
    if "MasterUserPassword" in parameters:
        yield from find_wrong_password(parameters["MasterUserPassword"])
        if record.source_arn is not None:
            text = "The master user password of a read replica cannot be changed: it is its source's."
            yield AwsError("InvalidParameterCombination", text)
    if "PreferredMaintenanceWindow" in parameters and (
        mistake := find_mistake(parameters["PreferredMaintenanceWindow"])
    ):
        yield AwsError("InvalidParameterValue", mistake)
    version = parameters.get("EngineVersion", record.engine_version)
    if record.engine_version not in (version, f"{version}.{record.engine_version.partition('.')[2]}"):
        text = f"Cannot upgrade postgres from {record.engine_version} to {version}"
        yield AwsError("InvalidParameterCombination", text)


def _find_wrong_backup(parameters: Parameters, record: InstanceRecord) -> Iterator[AwsError]:
    yield from find_wrong_retention(parameters)
    if parameters.get("BackupRetentionPeriod") == 0 and record.replica_arns:
        text = "Backups cannot be disabled for a DB instance that is the source of a read replica."
        yield AwsError("InvalidParameterCombination", text)


def _find_gaps(parameters: Parameters, record: InstanceRecord) -> Iterator[AwsError]:
    as_it_is: Mapping[str, object] = {
        **AS_IT_IS,
        "AllowMajorVersionUpgrade": False,
        "DBPortNumber": PORT,
        "DBSubnetGroupName": record.subnet_group,
        "EngineVersion": parameters.get("EngineVersion"),
        "StorageType": "gp3",
    }
    for name in sorted(parameters.keys() - _KNOWN):
        if name not in as_it_is or parameters[name] != as_it_is[name]:
            yield NotImplementedInMirrorError(f"The parameter {name} of rds:ModifyDBInstance")
    if parameters.get("MultiAZ") and record.source_arn is not None:
        yield NotImplementedInMirrorError("MultiAZ for a read replica")
