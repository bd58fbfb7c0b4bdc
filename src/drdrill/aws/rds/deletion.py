"""What `DeleteDBInstance` refuses, in AWS's words, and the final snapshot that it asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.aws.errors import AwsError, NotImplementedInMirrorError
from drdrill.aws.rds.snapshots import read_identifier

if TYPE_CHECKING:
    from drdrill.aws.protocol import Parameters
    from drdrill.aws.rds.model import InstanceRecord

_KNOWN = frozenset({
    "DBInstanceIdentifier", "SkipFinalSnapshot", "FinalDBSnapshotIdentifier", "DeleteAutomatedBackups",
})  # fmt: skip


def read_deletion(parameters: Parameters, record: InstanceRecord) -> str | None:
    """Return the identifier of the final snapshot, None: there is to be none; raises what AWS raises."""
    for name in sorted(parameters.keys() - _KNOWN):
        raise NotImplementedInMirrorError(f"The parameter {name} of rds:DeleteDBInstance")
    if record.deletion_protection:
        text = "Cannot delete protected DB Instance, please disable deletion protection and try again."
        raise AwsError("InvalidParameterCombination", text)
    skipped, final = parameters.get("SkipFinalSnapshot", False), parameters.get("FinalDBSnapshotIdentifier")
    if record.source_arn is not None and not skipped:
        text = "A final DB snapshot cannot be taken of a read replica: SkipFinalSnapshot must be specified."
        raise AwsError("InvalidParameterCombination", text)
    if skipped and final:
        text = "FinalDBSnapshotIdentifier can not be specified when deleting with SkipFinalSnapshot."
        raise AwsError("InvalidParameterCombination", text)
    if not skipped and not final:
        text = "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."
        raise AwsError("InvalidParameterCombination", text)
    return read_identifier(final, "FinalDBSnapshotIdentifier") if final else None
