"""Keys of AWS KMS as RDS is told of them: named by ARN, id or alias, and there in the region's KMS.

The mirror encrypts nothing; but a key that is not there, or not in the region, fails a restore as it would in reality.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from drdrill.aws.errors import AwsError
from drdrill.aws.ports import KeyNotUsableError

if TYPE_CHECKING:
    from drdrill.aws.protocol import Parameters
    from drdrill.aws.rds.region import RdsRegion

DEFAULT = "alias/aws/rds"
_ARN = re.compile(r"arn:aws:kms:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):(?P<name>(?:key|alias)/[\w/-]+)")
_NAME = re.compile(r"alias/[\w/-]+|(?:mrk-)?[0-9a-fA-F-]{32,36}")


def read_key(parameters: Parameters, region: RdsRegion) -> str | None:
    """Return the ARN of the key of a new instance, None: it is not encrypted; raises what AWS raises."""
    encrypted, key = parameters.get("StorageEncrypted", False), parameters.get("KmsKeyId")
    if key and not encrypted:
        raise AwsError("InvalidParameterCombination", "KmsKeyId can only be specified with StorageEncrypted.")
    return name_key(key or DEFAULT, region) if encrypted else None


def name_key(key: str, region: RdsRegion) -> str:
    """Return the ARN of a key that is named by ARN, id or alias.

    Raises AWS's KMSKeyNotAccessibleFault for one of another region, and for one that cannot be used there now.
    """
    arn = _ARN.fullmatch(key)
    if arn["region"] != region.name if arn else not _NAME.fullmatch(key):
        raise _not_accessible(key)
    try:
        return region.keys.find(key)
    except KeyNotUsableError as error:
        raise _not_accessible(key) from error


def _not_accessible(key: str) -> AwsError:
    return AwsError(
        "KMSKeyNotAccessibleFault",
        f"The specified KMS key [{key}] does not exist, is not enabled or you do not have permissions to access it.",
    )
