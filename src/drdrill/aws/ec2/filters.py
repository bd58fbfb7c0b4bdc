"""What the Describe operations of EC2 have in common: filters with wildcards, and pages, with AWS's limits."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, TypeVar

from drdrill.aws.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from drdrill.aws.protocol import Parameters

Listed = TypeVar("Listed")
Tags = tuple[tuple[str, str], ...]
_FEWEST, _MOST = 5, 1000  # of a page; API reference, MaxResults of DescribeInstances
_WILDCARDS = {r"\*": ".*", r"\?": "."}


def read_filters(
    parameters: Parameters,
    fields: Mapping[str, Callable[[Listed], tuple[str, ...]]],
    tags: Callable[[Listed], Tags] = lambda _: (),
) -> Callable[[Listed], bool]:
    """Return what says whether something passes all `Filters`; raises AWS's error for a filter that there is not.

    A filter passes if one of its values fits; `tag` among the fields is for `tag:KEY` and `tag-key`.
    """
    checks: list[tuple[Callable[[Listed], tuple[str, ...]], list[re.Pattern[str]]]] = []
    for one in parameters.get("Filters", []):
        name, patterns = one.get("Name", ""), [_compile(value) for value in one.get("Values", [])]
        if name.startswith("tag:") and "tag" in fields:
            checks.append((_read_tag(tags, name.removeprefix("tag:")), patterns))
        elif name == "tag-key" and "tag" in fields:
            checks.append((lambda listed: tuple(key for key, _ in tags(listed)), patterns))
        elif name in fields and name != "tag":
            checks.append((fields[name], patterns))
        else:
            raise AwsError("InvalidParameterValue", f"The filter '{name}' is invalid")
    return lambda listed: all(_fits(read(listed), patterns) for read, patterns in checks)


def _read_tag(tags: Callable[[Listed], Tags], wanted: str) -> Callable[[Listed], tuple[str, ...]]:
    return lambda listed: tuple(value for key, value in tags(listed) if key == wanted)


def _compile(value: str) -> re.Pattern[str]:
    pattern = re.escape(value)
    for wildcard, meaning in _WILDCARDS.items():
        pattern = pattern.replace(wildcard, meaning)
    return re.compile(pattern, re.DOTALL)


def _fits(values: tuple[str, ...], patterns: list[re.Pattern[str]]) -> bool:
    return any(pattern.fullmatch(value) for pattern in patterns for value in values)


def select_page(
    listed: Iterable[Listed], parameters: Parameters, *, key: Callable[[Listed], str]
) -> tuple[list[Listed], dict[str, str]]:
    """Return the page that was asked for, in the order of unique keys, and the `NextToken` member if more follow."""
    after, limit = _read_token(parameters.get("NextToken", "")), parameters.get("MaxResults")
    following = sorted((one for one in listed if key(one) > after), key=key)
    if limit is None:
        return following, {}
    if not _FEWEST <= limit <= _MOST:
        text = f"Value ( {limit} ) for parameter maxResults is invalid; it must be {_FEWEST} to {_MOST}."
        raise AwsError("InvalidParameterValue", text)
    page = following[:limit]
    if len(page) == len(following):
        return page, {}
    return page, {"NextToken": base64.urlsafe_b64encode(key(page[-1]).encode()).decode()}


def _read_token(token: str) -> str:
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise AwsError("InvalidNextToken", f"The token '{token}' is invalid") from error
