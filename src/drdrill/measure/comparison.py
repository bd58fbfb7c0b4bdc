"""Where a stored verdict differs from what its files give: the check that anybody can repeat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.measure.document import in_version

if TYPE_CHECKING:
    from collections.abc import Iterator


_LONGEST = 160


class _Absent:
    """What stands where a document has no such name; a null is something else."""

    def __repr__(self) -> str:
        return "nothing"


_ABSENT = _Absent()


def find_differences(stored: Any, computed: Any, path: str = "") -> Iterator[str]:
    """Yield every place where two documents differ: its path, what was stored, what was computed.

    What a document of an older version of the format did not have yet is no difference.
    """
    older = not path and _version(stored) < _version(computed)
    if older:
        computed = in_version(computed, _version(stored))
    if isinstance(stored, dict) and isinstance(computed, dict):
        for key in sorted({*stored, *computed}):
            below = f"{path}.{key}" if path else key
            if older and (key not in stored or key == "schema_version"):
                continue
            yield from find_differences(stored.get(key, _ABSENT), computed.get(key, _ABSENT), below)
    elif isinstance(stored, list) and isinstance(computed, list) and len(stored) == len(computed):
        for number, (one, other) in enumerate(zip(stored, computed, strict=True)):
            yield from find_differences(one, other, f"{path}[{number}]")
    elif stored != computed:
        yield f"{path}: stored {_shorten(stored)}, computed {_shorten(computed)}"


def _shorten(value: Any) -> str:
    """Return a value as it is shown: of a long one its begin, and of a list how many it has."""
    text = repr(value)
    if len(text) <= _LONGEST:
        return text
    many = f" ({len(value)} of them)" if isinstance(value, list) else ""
    return f"{text[:_LONGEST]}…{many}"


def _version(document: Any) -> int:
    version = document.get("schema_version") if isinstance(document, dict) else None
    return version if isinstance(version, int) else 0
