"""When: the system recovers, by itself or by the company's failover code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bdd import when

if TYPE_CHECKING:
    from drdrill.drill import Drill


@when("users are served again")
def wait_for_users_to_be_served(drill: Drill) -> None:
    """Wait until users are served again, stably."""
    drill.await_recovery()


@when("the database is protected again")
def wait_for_protection(drill: Drill) -> None:
    """Wait until redundancy is back."""
    drill.await_protection()
