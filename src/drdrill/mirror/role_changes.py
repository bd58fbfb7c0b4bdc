"""When the writer's place changed in a store, by what the cloud told of its database instances.

Where a read replica was promoted, the store's writer is the old instance until then, and the new one from then on. What
either of them did at another time moved nobody who writes to the store, and must not be counted: a second writer could
hide behind it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.aws.rds.model import PROMOTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drdrill.aws.rds.model import EventRecord


def find_promotion(heir: Sequence[EventRecord]) -> int | None:
    """Return when a read replica was promoted, of its role changes (boot-time ns); None: that is not told yet."""
    return min((event.at_ns for event in heir if event.code == PROMOTED), default=None)


def join_heir(old_ns: Sequence[int], heir_ns: Sequence[int], promoted_ns: int) -> list[int]:
    """Return when the writer changed: of the old instance up to the promotion, that itself, and then of the heir."""
    before = [at_ns for at_ns in old_ns if at_ns <= promoted_ns]
    return [*before, promoted_ns, *(at_ns for at_ns in heir_ns if at_ns > promoted_ns)]
