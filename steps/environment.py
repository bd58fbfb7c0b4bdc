"""Given: the system lives, users are on it, and all is well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bdd import given

if TYPE_CHECKING:
    from drdrill.drill import Drill


@given("users are served by the system in its steady state")
def bring_users_to_the_system(drill: Drill) -> None:
    """Bring the environment up, let users come, and wait until all is well."""
    drill.set_up()
    drill.observe_steady_state()
