"""Tags as most of AWS's services take them: a list of keys and values, within limits that all of them share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from drdrill.aws.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drdrill.aws.protocol import Parameters

Tags = tuple[tuple[str, str], ...]
# Tagging AWS Resources User Guide, "Tag naming limits and requirements".
_MOST, _LONGEST_KEY, _LONGEST_VALUE = 50, 128, 256


@dataclass(frozen=True, slots=True)
class TagRules:
    """With which codes a service refuses tags that no resource can have, and which beginnings of keys are its own."""

    invalid: str
    duplicate: str
    too_many: str
    reserved: tuple[str, ...] = ("aws:",)

    def read(self, parameters: Parameters) -> Tags:
        """Return the tags of a request; raises AWS's errors."""
        tags: dict[str, str] = {}
        for tag in parameters.get("Tags", []):
            key, value = tag.get("Key", ""), tag.get("Value", "")
            if not 1 <= len(key) <= _LONGEST_KEY or key.lower().startswith(self.reserved):
                raise AwsError(self.invalid, f"Invalid tag key: {key}")
            if len(value) > _LONGEST_VALUE:
                raise AwsError(self.invalid, f"Invalid tag value: {value}")
            if key in tags:
                raise AwsError(self.duplicate, f"Duplicate tag key: {key}")
            tags[key] = value
        return self.check_number(tags)

    def check_number(self, tags: Mapping[str, str]) -> Tags:
        """Return tags as they are kept; raises AWS's error when they are too many."""
        if len(tags) > _MOST:
            raise AwsError(self.too_many, f"A resource can have at most {_MOST} tags.")
        return tuple(tags.items())


def describe_tags(tags: Tags) -> list[dict[str, str]]:
    """Return a list of tags as answers have it."""
    return [{"Key": key, "Value": value} for key, value in tags]
