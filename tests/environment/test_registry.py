"""Environments are found by name among the installed entry points."""

from __future__ import annotations

from importlib.metadata import EntryPoint, EntryPoints
from typing import TYPE_CHECKING

import pytest

from drdrill.core.errors import MissingPrerequisiteError, UsageError
from drdrill.environment.registry import GROUP, attach_faults, environment_names, load_environment
from tests.faults.fakes import StandingEnvironment

if TYPE_CHECKING:
    from pathlib import Path

ENTRIES = EntryPoints(
    [
        EntryPoint("embedded", "tests.faults.fakes:StandingEnvironment", GROUP),
        EntryPoint("incomplete", "a_package_that_nobody_has:Thing", GROUP),
        EntryPoint("renamed", "tests.faults.fakes:NoSuchClass", GROUP),
    ]
)


def test_names() -> None:
    """The names of all that is installed come in order."""
    assert environment_names(entries=ENTRIES) == ("embedded", "incomplete", "renamed")


def test_installed_here() -> None:
    """The embedded mirror comes with drdrill itself."""
    assert "embedded" in environment_names()


def test_load() -> None:
    """A name gives its class."""
    loaded: object = load_environment("embedded", entries=ENTRIES)
    assert loaded is StandingEnvironment


def test_attach(tmp_path: Path) -> None:
    """Attaching gives the class the control address and returns its port."""
    (tmp_path / "identity.json").write_text(
        '{"environment": "embedded", "instance": "m1", "expendable": true}', encoding="utf-8"
    )
    assert attach_faults("embedded", str(tmp_path), entries=ENTRIES).state_directory == tmp_path


def test_unknown() -> None:
    """An unknown name gets the nearest one, and what is installed."""
    with pytest.raises(
        UsageError, match=r"no environment `embeded`\. Did you mean `embedded`\? Installed: `embedded`"
    ):
        load_environment("embeded", entries=ENTRIES)


def test_known_but_not_installed() -> None:
    """A name that drdrill knows and that is not installed is told apart from a mistyped one."""
    with pytest.raises(UsageError, match=r"`aws` is not installed here\. Installed: `embedded`"):
        load_environment("aws", entries=ENTRIES)


@pytest.mark.parametrize("name", ["incomplete", "renamed"])
def test_cannot_be_loaded(name: str) -> None:
    """An environment that lacks something says what, and how to get it."""
    with pytest.raises(MissingPrerequisiteError, match=r"cannot be loaded from .*pip install"):
        load_environment(name, entries=ENTRIES)
