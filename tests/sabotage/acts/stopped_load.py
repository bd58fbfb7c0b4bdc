"""A step that sends all users home before the fault. Becomes `steps/sabotage.py`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pytest_bdd import when

if TYPE_CHECKING:
    from drdrill.drill import Drill


@when("nobody asks any more")
def stop_all_clients(drill: Drill) -> None:
    """End all clients behind the drill's back."""
    environment = drill._environment
    assert environment is not None
    environment.stop_clients(within=timedelta(seconds=10))
