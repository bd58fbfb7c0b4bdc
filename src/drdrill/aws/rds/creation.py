"""What `CreateDBInstance` refuses: what AWS would refuse, in its words, and what the mirror cannot do, by name.

Anything that a caller asks for and does not get is refused: nothing is accepted and silently left out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from drdrill.aws.errors import AwsError, NotImplementedInMirrorError
from drdrill.aws.rds.maintenance import find_mistake
from drdrill.dataplane.postgresql_programs import ADMINISTRATOR, PORT, REPLICATOR

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from drdrill.aws.protocol import Parameters

IDENTIFIER = re.compile(r"[a-zA-Z](?!.*--)[a-zA-Z0-9-]{0,62}(?<!-)")
_CLASS = re.compile(r"db\.[a-z][a-z0-9-]*\.[a-z0-9-]+")
_USER = re.compile(r"[a-zA-Z][a-zA-Z0-9_]{0,62}")
_DATABASE = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,62}")
_PASSWORD = re.compile(r"[!-~]*")
_PASSWORD_LACKS = frozenset('/@"')
_PASSWORD_LENGTH = range(8, 129)
STORAGE_GIB = range(20, 65537)
_RETENTION_DAYS = range(36)
_RESERVED = frozenset({ADMINISTRATOR, REPLICATOR, "admin", "rds_superuser", "rdsrepladmin"})
_EXISTING = frozenset({ADMINISTRATOR, "postgres", "template0", "template1"})
_KNOWN = frozenset({
    "DBName", "DBInstanceIdentifier", "AllocatedStorage", "DBInstanceClass", "Engine", "EngineVersion",
    "MasterUsername", "MasterUserPassword", "MultiAZ", "PubliclyAccessible", "DeletionProtection", "Tags", "Port",
    "BackupRetentionPeriod", "AvailabilityZone", "StorageType", "AutoMinorVersionUpgrade", "DBParameterGroupName",
    "DBSubnetGroupName", "PreferredMaintenanceWindow", "StorageEncrypted", "KmsKeyId", "VpcSecurityGroupIds",
})  # fmt: skip


# What an instance of the mirror is like anyway, so that asking for it is no gap.
AS_IT_IS: Mapping[str, object] = {
    "CopyTagsToSnapshot": False,
    "EnableIAMDatabaseAuthentication": False,
    "EnablePerformanceInsights": False,
    "LicenseModel": "postgresql-license",
    "MonitoringInterval": 0,
    "NetworkType": "IPV4",
}


def check_create(parameters: Parameters, engine_version: str) -> None:
    """Raise the first error that AWS would raise, or else `NotImplementedInMirrorError`."""
    for error in (*_find_refusals(parameters, engine_version), *_find_gaps(parameters)):
        raise error


def _find_refusals(parameters: Parameters, engine_version: str) -> Iterator[AwsError]:
    identifier = str(parameters["DBInstanceIdentifier"])
    if not IDENTIFIER.fullmatch(identifier):
        text = f"The parameter DBInstanceIdentifier is not a valid identifier: {identifier}"
        yield AwsError("InvalidParameterValue", text)
    version = str(parameters.get("EngineVersion", engine_version))
    ours = parameters["Engine"] == "postgres"  # of another engine's versions only its absence is known
    if ours and version.partition(".")[0] != engine_version.partition(".")[0]:
        yield AwsError("InvalidParameterCombination", f"Cannot find version {version} for postgres")
    window = parameters.get("PreferredMaintenanceWindow")
    if window and (mistake := find_mistake(window)):
        yield AwsError("InvalidParameterValue", mistake)
    if parameters.get("MultiAZ") and parameters.get("AvailabilityZone"):
        text = "Requesting a specific availability zone is not valid for Multi-AZ instances."
        yield AwsError("InvalidParameterCombination", text)
    yield from find_wrong_class(parameters["DBInstanceClass"])
    if parameters.get("AllocatedStorage", STORAGE_GIB.start) not in STORAGE_GIB:
        text = f"Invalid storage size for engine name postgres: {parameters['AllocatedStorage']}"
        yield AwsError("InvalidParameterValue", text)
    yield from find_wrong_retention(parameters)
    yield from _find_wrong_names(parameters)


def _find_wrong_names(parameters: Parameters) -> Iterator[AwsError]:
    for name in ("MasterUsername", "MasterUserPassword"):
        if not parameters.get(name):
            text = f"The parameter {name} must be provided and must not be blank."
            yield AwsError("InvalidParameterValue", text)
    user = str(parameters.get("MasterUsername"))
    if user.lower() in _RESERVED or user.lower().startswith("pg_"):
        text = f"MasterUsername {user} cannot be used as it is a reserved word used by the engine"
        yield AwsError("InvalidParameterValue", text)
    if not _USER.fullmatch(user):
        text = (
            "The parameter MasterUsername is not valid: a letter, then letters, digits and `_`, at most 63."
        )
        yield AwsError("InvalidParameterValue", text)
    yield from find_wrong_password(str(parameters.get("MasterUserPassword")))
    database = parameters.get("DBName")
    if database is not None and not _DATABASE.fullmatch(database):
        text = "The parameter DBName must begin with a letter and contain only alphanumeric characters."
        yield AwsError("InvalidParameterValue", text)
    if str(database).lower() in _EXISTING:
        text = f"Database name {database} cannot be used as it is a reserved word used by the engine"
        yield AwsError("InvalidParameterValue", text)


def find_wrong_class(instance_class: str) -> Iterator[AwsError]:
    """Yield what AWS says of something that is no class."""
    if not _CLASS.fullmatch(instance_class):
        yield AwsError("InvalidParameterValue", f"Invalid DB Instance class: {instance_class}")


def find_wrong_retention(parameters: Parameters) -> Iterator[AwsError]:
    """Yield what AWS says of a number of days for which it keeps no backups."""
    days = parameters.get("BackupRetentionPeriod", _RETENTION_DAYS.start)
    if days not in _RETENTION_DAYS:
        text = f"Invalid backup retention period: {days}. Must be between 0 and 35."
        yield AwsError("InvalidParameterValue", text)


def find_wrong_password(password: str) -> Iterator[AwsError]:
    """Yield what AWS says of a password that no master user can have."""
    if len(password) not in _PASSWORD_LENGTH:
        how = "shorter than 8" if len(password) < _PASSWORD_LENGTH.start else "longer than 128"
        text = f"The parameter MasterUserPassword is not a valid password because it is {how} characters."
        yield AwsError("InvalidParameterValue", text)
    if not _PASSWORD.fullmatch(password) or _PASSWORD_LACKS & set(password):
        text = (
            "The parameter MasterUserPassword is not a valid password. "
            "Only printable ASCII characters besides '/', '@', '\"', ' ' may be used."
        )
        yield AwsError("InvalidParameterValue", text)


def _find_gaps(parameters: Parameters) -> Iterator[AwsError]:
    for name in sorted(parameters.keys() - _KNOWN):
        if name in AS_IT_IS and parameters[name] == AS_IT_IS[name]:
            continue
        yield NotImplementedInMirrorError(f"The parameter {name} of rds:CreateDBInstance")
    if parameters["Engine"] != "postgres":
        yield NotImplementedInMirrorError(f"The engine {parameters['Engine']}")
    if parameters.get("Port", PORT) != PORT:
        yield NotImplementedInMirrorError(f"A Port other than {PORT}")
    if parameters.get("AvailabilityZone"):
        yield NotImplementedInMirrorError("The parameter AvailabilityZone of rds:CreateDBInstance")
