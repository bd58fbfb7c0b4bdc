"""Hosts that come into the world's network whole, or not at all."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from drdrill.core.errors import EnvironmentFailedError
from drdrill.mirror.zone_bridge import ZoneBridge
from tests.mirror.standing import PROGRAMS

if TYPE_CHECKING:
    from pathlib import Path


def test_a_boot_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    """A host that cannot be attached has no power either, so that it is booted once when it can; a new one is gone."""
    world = ["unshare", "-Urnmiu", "-p", "-f", "--kill-child", "--mount-proc"]
    command = [*world, sys.executable, str(PROGRAMS / "boot_twice.py"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["failed"] == [True, True]
    assert seen["left"] == {"powered": False, "inits": 1, "hosts": ["one", "router-eu-west-1"]}
    assert seen["after"] == {"powered": True, "inits": 3, "attached": True}


def test_addresses_are_given_again() -> None:
    """In turn, so that one that was given back rests; never one that a host has, and none when all are taken."""
    zone = ZoneBridge(None, "zone0", "gateway0", "uplink0", "10.20.0", 24)
    given = [zone.choose_address(()) for _ in range(241)]
    assert given[0] == given[240] == "10.20.0.10"
    assert len(set(given)) == 240
    assert zone.choose_address({"10.20.0.11", "10.20.0.12"}) == "10.20.0.13"
    with pytest.raises(EnvironmentFailedError, match=r"all 240 addresses of 10\.20\.0\.0 are taken"):
        zone.choose_address(set(given))
