"""A change of a source bucket that one rule takes to one destination."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from drdrill.aws.s3.rules import Rule


class ChangeKind(StrEnum):
    """What is replicated."""

    OBJECT = "object"
    DELETE_MARKER = "delete marker"
    TAGS = "tags"  # of an object that was replicated before


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an object, wherever its bucket is."""

    bucket: str
    key: str
    version_id: str


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be replicated. `at_ns`: when the source acknowledged it; `parts`: the numbers of an object's parts."""

    kind: ChangeKind
    source: Version
    region: str
    rule: Rule
    size_bytes: int
    at_ns: int
    parts: tuple[int, ...] = ()
