"""What `CreateDBInstance` refuses: what AWS would refuse, in its words, and what the mirror cannot do, by name.

Anything that a caller asks for and does not get is refused: nothing is accepted and silently left out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from drdrill.aws.errors import AwsError, NotImplementedInMirrorError
from drdrill.dataplane.postgresql import ADMINISTRATOR, PORT, REPLICATOR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drdrill.aws.protocol import Parameters

_IDENTIFIER = re.compile(r"[a-zA-Z](?!.*--)[a-zA-Z0-9-]{0,62}(?<!-)")
_MINIMUM_PASSWORD = 8
_RESERVED = frozenset({ADMINISTRATOR, REPLICATOR, "postgres"})
_KNOWN = frozenset({
    "DBName", "DBInstanceIdentifier", "AllocatedStorage", "DBInstanceClass", "Engine", "EngineVersion",
    "MasterUsername", "MasterUserPassword", "MultiAZ", "PubliclyAccessible", "DeletionProtection", "Tags", "Port",
    "BackupRetentionPeriod", "AvailabilityZone", "StorageType",
})  # fmt: skip


def check_create(parameters: Parameters, engine_version: str) -> None:
    """Raise the first error that AWS would raise, or else `NotImplementedInMirrorError`."""
    for error in (*_find_refusals(parameters, engine_version), *_find_gaps(parameters)):
        raise error


def _find_refusals(parameters: Parameters, engine_version: str) -> Iterator[AwsError]:
    identifier = str(parameters["DBInstanceIdentifier"])
    if not _IDENTIFIER.fullmatch(identifier):
        text = f"The parameter DBInstanceIdentifier is not a valid identifier: {identifier}"
        yield AwsError("InvalidParameterValue", text)
    version = str(parameters.get("EngineVersion", engine_version))
    ours = parameters["Engine"] == "postgres"  # of another engine's versions only its absence is known
    if ours and version.partition(".")[0] != engine_version.partition(".")[0]:
        yield AwsError("InvalidParameterCombination", f"Cannot find version {version} for postgres")
    if parameters.get("MultiAZ") and parameters.get("AvailabilityZone"):
        text = "Requesting a specific availability zone is not valid for Multi-AZ instances."
        yield AwsError("InvalidParameterCombination", text)
    for name in ("MasterUsername", "MasterUserPassword"):
        if not parameters.get(name):
            text = f"The parameter {name} must be provided and must not be blank."
            yield AwsError("InvalidParameterValue", text)
    if str(parameters.get("MasterUsername")).lower() in _RESERVED:
        name = parameters["MasterUsername"]
        text = f"MasterUsername {name} cannot be used as it is a reserved word used by the engine"
        yield AwsError("InvalidParameterValue", text)
    if len(parameters.get("MasterUserPassword", "")) < _MINIMUM_PASSWORD:
        text = "The parameter MasterUserPassword is not a valid password because it is shorter than 8 characters."
        yield AwsError("InvalidParameterValue", text)


def _find_gaps(parameters: Parameters) -> Iterator[AwsError]:
    for name in sorted(parameters.keys() - _KNOWN):
        yield NotImplementedInMirrorError(f"The parameter {name} of rds:CreateDBInstance")
    if parameters["Engine"] != "postgres":
        yield NotImplementedInMirrorError(f"The engine {parameters['Engine']}")
    if parameters.get("Port", PORT) != PORT:
        yield NotImplementedInMirrorError(f"A Port other than {PORT}")
    if parameters.get("BackupRetentionPeriod", 0):
        yield NotImplementedInMirrorError("A BackupRetentionPeriod above 0")
    if parameters.get("AvailabilityZone"):
        yield NotImplementedInMirrorError("The parameter AvailabilityZone of rds:CreateDBInstance")
