"""Which role changes moved a store's writer, where a read replica was promoted beside its source."""

from __future__ import annotations

from datetime import UTC, datetime

from drdrill.aws.rds.model import PROMOTED, EventRecord
from drdrill.mirror.role_changes import find_promotion, join_heir

FAILED_OVER = "RDS-EVENT-0049"


def _events(*told: tuple[int, str]) -> list[EventRecord]:
    at = datetime(2026, 11, 28, tzinfo=UTC)
    return [EventRecord(at, at_ns, "payments", "arn", code, "", ()) for at_ns, code in told]


def test_the_old_instance_counts_until_its_heir_is_promoted() -> None:
    """A failover of an instance that lives again beside its heir moves nobody: it may be a second writer."""
    assert join_heir([10], [20], 20) == [10, 20]
    assert join_heir([10, 30], [20], 20) == [10, 20]


def test_an_heir_counts_from_its_promotion_on() -> None:
    """A failover of the replica before it was promoted moved no writer."""
    heir = _events((10, FAILED_OVER), (20, PROMOTED), (30, FAILED_OVER))
    assert find_promotion(heir) == 20
    assert join_heir([], [event.at_ns for event in heir], 20) == [20, 30]


def test_a_promotion_that_is_not_told_yet() -> None:
    """It is being done now: everything of the heir is before it, and everything of the old instance, too."""
    assert find_promotion(_events((10, FAILED_OVER))) is None
    assert join_heir([12], [10], 15) == [12, 15]
