"""Pages of what Auto Scaling lists, with AWS's limits."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, TypeVar

from drdrill.aws.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drdrill.aws.protocol import Parameters

Listed = TypeVar("Listed")
_MOST = 100  # API reference, MaxRecords


def select_page(
    listed: Sequence[Listed], parameters: Parameters, *, usually: int = 50
) -> tuple[Sequence[Listed], dict[str, str]]:
    """Return the page that was asked for, and the `NextToken` member if more follow."""
    limit = parameters.get("MaxRecords", usually)
    if not 1 <= limit <= _MOST:
        raise AwsError("ValidationError", f"MaxRecords must be 1 to {_MOST}, and is {limit}.")
    token = parameters.get("NextToken", "")
    try:
        begin = int(base64.b64decode(token, validate=True)) if token else 0
    except (binascii.Error, ValueError) as error:
        raise AwsError("InvalidNextToken", f"The token '{token}' is invalid.") from error
    page = listed[max(begin, 0) : begin + limit]
    if begin + limit >= len(listed):
        return page, {}
    return page, {"NextToken": base64.b64encode(str(begin + limit).encode()).decode()}
