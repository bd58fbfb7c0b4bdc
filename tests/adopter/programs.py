"""Running programs that have to succeed, as an adopter would: away from this checkout."""

from __future__ import annotations

import os
import subprocess
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_WITHIN = timedelta(
    minutes=8
)  # measured 50 s for a system with a cluster, 3 min for its drill on a machine with load 20
_TOO_LITTLE_EVIDENCE = (3, 4)  # INCONCLUSIVE, INVALID: a machine that is busy otherwise
_ATTEMPTS = 3


def succeed(command: Sequence[str], folder: Path) -> str:
    """Run a program that has to succeed, and return what it printed."""
    ended = _run(command, folder)
    assert ended.returncode == 0, f"{command}: {ended.stdout}{ended.stderr}"
    return ended.stdout


def succeed_at_last(command: Sequence[str], folder: Path) -> str:
    """Run a drill; where an overloaded machine gave too little evidence, run it again, three times in all."""
    for _ in range(_ATTEMPTS - 1):
        ended = _run(command, folder)
        if ended.returncode not in _TOO_LITTLE_EVIDENCE:
            assert ended.returncode == 0, f"{command}: {ended.stdout}{ended.stderr}"
            return ended.stdout
    return succeed(command, folder)


def _run(command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        command, check=False, cwd=folder, env=variables, capture_output=True, text=True,
        timeout=_WITHIN.total_seconds(),
    )  # fmt: skip
