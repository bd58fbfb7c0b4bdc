"""Given: the system lives, users are on it, and all is well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bdd import given, parsers

if TYPE_CHECKING:
    from drdrill.drill import Drill


@given(parsers.re(r"users are served by the system in its steady state(?P<peak> at peak load)?"))
def bring_users_to_the_system(drill: Drill, peak: str | None) -> None:
    """Bring the environment up, let users come, and wait until all is well."""
    drill.set_up(peak=bool(peak))
    drill.observe_steady_state()


@given("the database is replicated to the recovery region")
def replicate_the_database(drill: Drill) -> None:
    """Have the company make its read replica, and wait until all is well with it."""
    drill.replicate_across_regions()


@given("a service beside the database's primary writes to its address")
def put_a_service_beside_the_primary(drill: Drill) -> None:
    """Start a client in the primary's zone that knows no other address."""
    drill.put_client_beside("primary")
