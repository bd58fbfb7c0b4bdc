"""What the operations of EKS have in common: pages of names, tags, parameters that have nothing behind them here."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from drdrill.aws.errors import AwsError, NotImplementedInMirrorError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from drdrill.aws.protocol import Parameters

_MOST = 100  # API reference, maxResults of every List operation
_MOST_TAGS, _LONGEST_KEY, _LONGEST_VALUE = 50, 128, 256  # API reference, CreateCluster


def select_names(names: Iterable[str], parameters: Parameters) -> tuple[list[str], dict[str, str]]:
    """Return the page of names that was asked for, in order, and the `nextToken` member if more follow."""
    limit = parameters.get("maxResults", _MOST)
    if not 1 <= limit <= _MOST:
        raise AwsError("InvalidParameterException", f"maxResults must be 1 to {_MOST}, and is {limit}.")
    try:
        after = base64.b64decode(parameters.get("nextToken", ""), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise AwsError("InvalidParameterException", "nextToken is not one of this service.") from error
    following = sorted(name for name in names if name > after)
    page = following[:limit]
    if len(page) == len(following):
        return page, {}
    return page, {"nextToken": base64.urlsafe_b64encode(page[-1].encode()).decode()}


def read_tags(parameters: Parameters) -> Mapping[str, str]:
    """Return the tags of a request; raises AWS's error for those that no resource can have."""
    tags: Mapping[str, str] = parameters.get("tags", {})
    for key, value in tags.items():
        if not 1 <= len(key) <= _LONGEST_KEY or key.lower().startswith("aws:") or len(value) > _LONGEST_VALUE:
            raise AwsError("InvalidParameterException", f"Tag is not valid: {key}={value}")
    if len(tags) > _MOST_TAGS:
        raise AwsError("InvalidParameterException", f"A resource can have at most {_MOST_TAGS} tags.")
    return dict(tags)


def refuse_parameters(operation: str, parameters: Parameters, known: Iterable[str]) -> None:
    """Raise an error that names the first parameter that the mirror does not know what to do with."""
    for name in sorted(parameters.keys() - set(known)):
        raise NotImplementedInMirrorError(f"The parameter {name} of eks:{operation}")
