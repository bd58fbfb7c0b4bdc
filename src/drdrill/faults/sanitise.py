"""Turns whatever an action or Chaos Toolkit hands back into plain JSON, and takes secrets out of it."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping
from typing import TypeAlias

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None

REDACTED = "[redacted]"
TOO_DEEP = "[too deep]"
_DEEPEST = 32  # deeper than any reading of ours; ends what refers to itself
_SECRET = re.compile(
    r"passw(or)?d|passphrase|secret|token|credential|(private|access|api)[-_]?key", re.IGNORECASE
)


def is_secret_name(name: str) -> bool:
    """Tell whether a field of that name is likely to hold a secret."""
    return _SECRET.search(name) is not None


def to_json(value: object, *, depth: int = 0) -> Json:
    """Return a copy that `json` can write: foreign objects become text, infinity and NaN become null."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, str):
        return str(value)
    return TOO_DEEP if depth >= _DEEPEST else _composite_to_json(value, depth + 1)


def fields_to_json(value: Mapping[str, object], *, depth: int = 1) -> dict[str, Json]:
    """Return a copy of a mapping that `json` can write, as `to_json` does."""
    return {str(key): to_json(item, depth=depth) for key, item in value.items()}


def redact(value: Json) -> Json:
    """Return a copy in which every field with a secret-looking name holds `[redacted]`."""
    if isinstance(value, dict):
        return redact_fields(value)
    return [redact(item) for item in value] if isinstance(value, list) else value


def redact_fields(value: Mapping[str, Json]) -> dict[str, Json]:
    """Return a copy of a mapping without secrets, as `redact` does."""
    return {key: REDACTED if item and is_secret_name(key) else redact(item) for key, item in value.items()}


def _composite_to_json(value: object, depth: int) -> Json:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return fields_to_json(fields, depth=depth)
    if isinstance(value, Mapping):
        return fields_to_json(value, depth=depth)
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode("utf-8", errors="replace")
    if isinstance(value, set | frozenset):
        return [to_json(item, depth=depth) for item in sorted(value, key=str)]
    if isinstance(value, list | tuple):
        return [to_json(item, depth=depth) for item in value]
    return str(value)
