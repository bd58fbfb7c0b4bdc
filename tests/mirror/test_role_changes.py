"""Which role changes moved a store's writer, where a read replica was promoted beside its source."""

from __future__ import annotations

from typing import Any

from drdrill.mirror.role_changes import PROMOTED, find_promotion, find_role_changes, join_heir

FAILED_OVER = "RDS-EVENT-0049"


def _events(*told: tuple[int, str]) -> list[dict[str, Any]]:
    return [{"at_ns": at_ns, "code": code, "message": ""} for at_ns, code in told]


def test_failovers_and_promotions_change_the_writer() -> None:
    """Of everything that is told of an instance, completed failovers and promotions count."""
    assert find_role_changes(_events((1, "RDS-EVENT-0005"), (2, FAILED_OVER), (3, PROMOTED))) == [2, 3]


def test_the_old_instance_counts_until_its_heir_is_promoted() -> None:
    """A failover of an instance that lives again beside its heir moves nobody: it may be a second writer."""
    assert join_heir([10], [20], 20) == [10, 20]
    assert join_heir([10, 30], [20], 20) == [10, 20]


def test_an_heir_counts_from_its_promotion_on() -> None:
    """A failover of the replica before it was promoted moved no writer."""
    heir = _events((10, FAILED_OVER), (20, PROMOTED), (30, FAILED_OVER))
    assert find_promotion(heir) == 20
    assert join_heir([], find_role_changes(heir), 20) == [20, 30]


def test_a_promotion_that_is_not_told_yet() -> None:
    """It is being done now: everything of the heir is before it, and everything of the old instance, too."""
    assert find_promotion(_events((10, FAILED_OVER))) is None
    assert join_heir([12], [10], 15) == [12, 15]
