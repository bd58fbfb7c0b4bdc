"""The keys of one region as its KMS describes them, which is the upstream's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.aws.errors import AwsError
from drdrill.aws.ports import KeyNotUsableError

if TYPE_CHECKING:
    from drdrill.aws.upstream_client import UpstreamClient

_FIRST_FAILURE = 500


class UpstreamKeys:
    """Asks KMS. Implements `ports.Keys`."""

    def __init__(self, upstream: UpstreamClient) -> None:
        self._upstream = upstream

    def find(self, key: str, /) -> str:
        """Return the ARN of a key; raises `KeyNotUsableError`, and AWS's error where KMS does not answer."""
        try:
            described = self._upstream.call("kms", "DescribeKey", KeyId=key)["KeyMetadata"]
        except AwsError as error:
            if error.status >= _FIRST_FAILURE:
                raise
            raise KeyNotUsableError(key) from error
        if not described["Enabled"]:
            raise KeyNotUsableError(key)
        return str(described["Arn"])
