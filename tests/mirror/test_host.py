"""A host on which other namespaces are, as those of pods on a node."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.mirror.standing import PROGRAMS

if TYPE_CHECKING:
    from pathlib import Path


def test_a_host_that_hangs_hangs_with_its_pods(tmp_path: Path) -> None:
    """What runs in a PID namespace inside the host's is stopped, woken and killed with it; what is outside is not."""
    world = ["unshare", "-Urnmiu", "-p", "-f", "--kill-child", "--mount-proc"]
    command = [*world, sys.executable, str(PROGRAMS / "hang_host.py"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["during"] == {"1000": "S", "1001": "T", "1002": "T", "1003": "T"}
    assert seen["after"] == {"1000": "S", "1001": "S", "1002": "S", "1003": "S"}
    assert seen["left"] == {"1000": "S"}
    assert min(seen["stopped"], seen["woken"]) >= 5  # shells are beside the sleepers
    assert seen["killed"] >= 3  # with the first one of a namespace the kernel kills the others


def test_a_host_that_starts_programs_hangs_whole(tmp_path: Path) -> None:
    """What is started while the others are being stopped hangs, too: of a database that forks no backend lives."""
    world = ["unshare", "-Urnmiu", "-p", "-f", "--kill-child", "--mount-proc"]
    command = [*world, sys.executable, str(PROGRAMS / "hang_forking_host.py"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["stopped"] > 100
    for states in (seen["at_once"], seen["later"]):
        assert "T" in states
        assert not {"R", "S"} & set(states)
