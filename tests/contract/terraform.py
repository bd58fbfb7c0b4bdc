"""Terraform with its own AWS provider, as operators run it on their host: unmodified, without an endpoint setting."""

from __future__ import annotations

import os
import shutil
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from drdrill.core.errors import MissingPrerequisiteError
from drdrill.mirror.terraform import find_terraform
from tests.missing import not_run

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.mirror.embedded import Embedded

_WITHIN = timedelta(minutes=10)  # measured 1 to 2 min, most of it the provider's own waits


class Terraform:
    """A configuration in a folder of its own, run on the operator's host."""

    def __init__(self, environment: Embedded, folder: Path, program: Path) -> None:
        self._environment = environment
        self._folder = folder
        self._program = program

    def initialise(self, configuration: str, programs: Path) -> None:
        """Take a configuration out of a folder of them, and the provider."""
        shutil.copy(programs / configuration / "main.tf", self._folder)
        self.run("init", "-input=false")

    def destroy(self, *changes: str) -> None:
        """Destroy everything that was applied."""
        self.run("destroy", "-auto-approve", "-input=false", *_variables(changes))

    def run(self, *arguments: str) -> str:
        """Run Terraform and return what it wrote; raises `CommandFailedError` when it does not end with 0."""
        command = [str(self._program), f"-chdir={self._folder}"]
        return self._environment.run_for_operator([*command, *arguments, "-no-color"], within=_WITHIN)

    def apply(self, *changes: str) -> None:
        """Apply the configuration, with these variables."""
        self.run("apply", "-auto-approve", "-input=false", *_variables(changes))

    def plan_nothing(self, *changes: str) -> None:
        """Plan, and be told that there is nothing to do: exit status 0, where 2 is a change."""
        said = self.run("plan", "-detailed-exitcode", "-input=false", *_variables(changes))
        assert "No changes." in said


def _variables(changes: tuple[str, ...]) -> list[str]:
    return [f"-var={change}" for change in changes]


@pytest.fixture
def terraform(environment: Embedded, tmp_path: Path) -> Terraform:
    """Return Terraform with its provider at hand."""
    try:
        found = find_terraform(os.environ)
    except MissingPrerequisiteError as error:
        not_run("terraform", str(error))
    return Terraform(environment, tmp_path, found.program)
