"""AWS's own command line through backups in a mirror: every call, every waiter, both regions."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.live.aws_cli import install_aws_cli
from tests.live.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.drill, pytest.mark.long]  # the command line looks every 30 s
SCRIPT = Path(__file__).with_name("programs") / "back_up.sh"


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    """Return a repository in which the mirror `a` stands, with AWS's command line on the PATH of whoever uses it."""
    repository = Repository.copy(tmp_path_factory.mktemp("live"))
    repository.variables["PATH"] = f"{install_aws_cli()}{os.pathsep}{os.environ['PATH']}"
    try:
        up = repository.run("env", "up", "--name", "a")
        assert up.returncode == 0, up.stderr
        yield repository
    finally:
        repository.clear()


def test_the_command_line(mirror: Repository) -> None:
    """Snapshot, copy to the other region, both restores, the final snapshot: the rows are where they should be."""
    ended = mirror.run("env", "exec", "--name", "a", "--", "sh", str(SCRIPT))
    assert ended.returncode == 0, ended.stderr + ended.stdout
    assert ended.stdout.splitlines() == [
        "creating", "creating", "eu-west-1", "creating", "creating", "away: kept", "again: kept", "active", "deleted",
        "deleting", "last",
    ]  # fmt: skip
