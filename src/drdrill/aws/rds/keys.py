"""Keys of AWS KMS as RDS is told of them: names with a region. The mirror encrypts nothing and has no KMS to ask."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING

from drdrill.aws.errors import AwsError
from drdrill.aws.rds.model import ACCOUNT

if TYPE_CHECKING:
    from drdrill.aws.protocol import Parameters

_DEFAULT = "alias/aws/rds"
_ARN = re.compile(r"arn:aws:kms:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):(?P<name>(?:key|alias)/[\w/-]+)")
_NAME = re.compile(r"alias/[\w/-]+|(?:mrk-)?[0-9a-fA-F-]{32,36}")


def read_key(parameters: Parameters, region: str) -> str | None:
    """Return the ARN of the key of a new instance, None: it is not encrypted; raises what AWS raises."""
    encrypted, key = parameters.get("StorageEncrypted", False), parameters.get("KmsKeyId")
    if key and not encrypted:
        raise AwsError("InvalidParameterCombination", "KmsKeyId can only be specified with StorageEncrypted.")
    return name_key(key or _DEFAULT, region) if encrypted else None


def name_key(key: str, region: str) -> str:
    """Return the ARN of a key that is named by ARN, id or alias; raises KMSKeyNotAccessibleFault for another region's.

    What an alias stands for only KMS knows: here every alias has a key of its own, always the same.
    """
    arn = _ARN.fullmatch(key)
    if (arn is None and not _NAME.fullmatch(key)) or (arn is not None and arn["region"] != region):
        raise AwsError(
            "KMSKeyNotAccessibleFault",
            f"Specified KMS key [{key}] does not exist, is not enabled or you do not have permissions to access it.",
        )
    account, name = (arn["account"], arn["name"]) if arn else (ACCOUNT, key)
    if name.startswith("alias/"):
        name = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{region}/{account}/{name}"))
    return f"arn:aws:kms:{region}:{account}:key/{name.removeprefix('key/')}"
