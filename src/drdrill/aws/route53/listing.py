"""Pages of what Route 53 lists: how many at most, and where the next one begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from drdrill.aws.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Sequence

Item = TypeVar("Item")


def cut_page(items: Sequence[Item], said: Any, *, most: int) -> tuple[Sequence[Item], Item | None, str]:
    """Return a page, the first item after it if there is one, and `MaxItems` as it is answered."""
    try:
        size = most if said is None else int(said)
    except ValueError:
        size = 0
    if size < 1:
        raise AwsError("InvalidInput", f"MaxItems must be a number from 1 to {most}, not {said!r}.")
    size = min(size, most)
    return items[:size], (items[size] if len(items) > size else None), str(size)
