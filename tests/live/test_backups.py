"""AWS's own command line through backups in a mirror: every call, every waiter, both regions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.live.repository import Repository

pytestmark = [pytest.mark.drill, pytest.mark.long]  # the command line looks every 30 s
SCRIPT = Path(__file__).with_name("programs") / "back_up.sh"


def test_the_command_line(mirror: Repository) -> None:
    """Snapshot, copy to the other region, both restores, the final snapshot: the rows are where they should be."""
    ended = mirror.run("env", "exec", "--name", "a", "--", "sh", str(SCRIPT))
    assert ended.returncode == 0, ended.stderr + ended.stdout
    assert ended.stdout.splitlines() == [
        "creating", "creating", "eu-west-1", "creating", "creating", "away: kept", "again: kept", "active", "deleted",
        "deleting", "last",
    ]  # fmt: skip
