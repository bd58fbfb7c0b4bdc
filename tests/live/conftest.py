"""Copies of the drill repository for whole drills; whatever a test does, nothing of them is left running."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.live.aws_cli import install_aws_cli
from tests.live.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    """Return a copy of the drill repository."""
    copy = Repository.copy(tmp_path)
    try:
        yield copy
    finally:
        copy.clear()


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    """Return a repository in which the mirror `a` stands, with AWS's command line on the PATH of whoever uses it."""
    repository = Repository.copy(tmp_path_factory.mktemp("live"))
    repository.variables["PATH"] = f"{install_aws_cli()}{os.pathsep}{os.environ['PATH']}"
    try:
        up = repository.run("env", "up", "--only", "databases", "--name", "a")
        assert up.returncode == 0, up.stderr
        yield repository
    finally:
        repository.clear()
