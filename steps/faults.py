"""When: something breaks, and later comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bdd import parsers, when

if TYPE_CHECKING:
    from drdrill.drill import Drill


@when(parsers.re(r"the host of the database's (?P<role>primary|standby) loses power"))
def cut_the_power(drill: Drill, role: str) -> None:
    """Cut the power of the host of a database's member."""
    drill.inject("database_host_power_loss", role=role)


@when("the host has its power back")
def give_the_power_back(drill: Drill) -> None:
    """Give the host its power back."""
    drill.heal("database_host_power_loss")
