"""The generator is fetched once, as locked, and whatever keeps it from being fetched is said in words."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from drdrill.core.cache import cache_root, keep
from drdrill.core.errors import CommandFailedError, MissingPrerequisiteError
from drdrill.report.allure.generator import find_generator, find_node

SETTINGS = Path(__file__).parents[2] / "reports" / "allure"


def _program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (folder / name).chmod(0o755)


def _machine(tmp_path: Path, npm: str) -> dict[str, str]:
    """Return the variables of a machine with a Node and this npm, and an empty cache."""
    _program(tmp_path / "bin", "node", "echo v22.1.0")
    _program(tmp_path / "bin", "npm", npm)
    return {"PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.defpath}", "XDG_CACHE_HOME": str(tmp_path / "cache")}


def test_node_counts_from_version_20_on_with_its_npm(tmp_path: Path) -> None:
    """An old one, a broken one and one without npm are as good as none."""
    programs = tmp_path / "bin"
    assert find_node(str(programs)) is None
    _program(programs, "node", "echo v22.1.0")
    assert find_node(str(programs)) is None
    _program(programs, "npm", "")
    node = find_node(str(programs))
    assert node is not None
    assert node.version == "22.1.0"
    for said in ("echo v18.20.1", "echo what", "exit 1"):
        _program(programs, "node", said)
        assert find_node(str(programs)) is None


def test_packages_are_fetched_once(tmp_path: Path) -> None:
    """The second time nothing is fetched and nothing is told."""
    variables = _machine(tmp_path, "ls package-lock.json && mkdir node_modules && echo fetched >> ../count")
    told: list[str] = []
    for _ in range(2):
        found = find_generator(SETTINGS, tell=told.append, variables=variables)
    assert len(told) == 1
    assert (tmp_path / "cache" / "drdrill" / "allure" / "count").read_text().count("fetched") == 1
    assert found.script.is_relative_to(tmp_path / "cache")


def test_packages_that_cannot_be_fetched_leave_nothing_behind(tmp_path: Path) -> None:
    """The error says what is missing, what npm said, and the next try begins anew."""
    variables = _machine(tmp_path, "mkdir node_modules; echo 'npm error ENOTFOUND' >&2; exit 1")
    with pytest.raises(MissingPrerequisiteError, match=r"(?s)could not be fetched.*ENOTFOUND"):
        find_generator(SETTINGS, tell=lambda _: None, variables=variables)
    assert list((tmp_path / "cache" / "drdrill" / "allure").iterdir()) == []


def test_a_repository_without_the_locks_is_told_so(tmp_path: Path) -> None:
    """The file that is missing is named."""
    with pytest.raises(MissingPrerequisiteError, match=r"package\.json"):
        find_generator(tmp_path, tell=lambda _: None, variables=_machine(tmp_path, ""))


def test_a_generator_that_fails_says_why(tmp_path: Path) -> None:
    """Command, status and what it printed are in the error."""
    variables = _machine(tmp_path, "mkdir node_modules")
    generator = find_generator(SETTINGS, tell=lambda _: None, variables=variables)
    _program(tmp_path / "bin", "node", "echo out of memory; exit 7")
    with pytest.raises(CommandFailedError, match=r"(?s)status 7.*out of memory"):
        generator.run("generate", folder=tmp_path, variables={})


def test_the_cache_follows_the_xdg_specification(tmp_path: Path) -> None:
    """A relative folder is invalid and ignored."""
    assert cache_root({"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / "drdrill"
    assert cache_root({"XDG_CACHE_HOME": "here"}) == cache_root({}) == Path.home() / ".cache" / "drdrill"


def test_two_that_fetch_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    """Who is slower uses what the other made, and throws its own away."""
    entry = tmp_path / "kind" / "key"

    def make(folder: Path) -> None:
        (folder / "mine").touch()
        entry.mkdir()
        (entry / "theirs").touch()

    assert keep(entry, make) == entry
    assert [path.name for path in entry.iterdir()] == ["theirs"]
    assert [path.name for path in entry.parent.iterdir()] == ["key"]


def test_the_lock_is_exact_and_names_no_registry() -> None:
    """One version of everything, each with its hash, from wherever this machine fetches its packages."""
    lock = json.loads((SETTINGS / "package-lock.json").read_text(encoding="utf-8"))
    wanted = json.loads((SETTINGS / "package.json").read_text(encoding="utf-8"))["dependencies"]
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert {name: packages[f"node_modules/{name}"]["version"] for name in wanted} == wanted
    assert all(package["integrity"] and "resolved" not in package for package in packages.values())
    assert "--hash=sha256:" in (SETTINGS / "node.txt").read_text(encoding="utf-8")
