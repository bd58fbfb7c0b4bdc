"""Kubernetes' programs: official ones where a fitting set is there, else a build that is made once and checked."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from drdrill.core.errors import EnvironmentFailedError, MissingPrerequisiteError
from drdrill.dataplane.kubernetes_build import BuildProgress, prepare_programs
from drdrill.dataplane.kubernetes_programs import (
    NAMES,
    SERVERS,
    SOURCE,
    build_entry,
    find_programs,
    read_version,
    require_programs,
)

if TYPE_CHECKING:
    from pathlib import Path

_GO = """\
case "$1" in
env) echo go1.26.0 ;;
mod) ;;
list) printf 'one\\n\\ntwo\\n' ;;
build) echo built >> "$COUNT"; while [ "$1" != -o ]; do shift; done; echo program > "$2"; echo one; echo two ;;
esac
"""


def _program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (folder / name).chmod(0o755)


def _machine(tmp_path: Path, go: str | None = _GO) -> dict[str, str]:
    """Return the variables of a machine with this `go`, without Kubernetes, and with an empty cache."""
    (tmp_path / "bin").mkdir()
    if go is not None:
        _program(tmp_path / "bin", "go", go)
    return {
        "PATH": f"{tmp_path / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "COUNT": str(tmp_path / "count"),
    }


def _official(tmp_path: Path, *, kubernetes: str, kubectl: str, etcd: str = "etcd Version: 3.6.4") -> None:
    for name in SERVERS:
        _program(tmp_path / "bin", name, f"echo '{etcd if name == 'etcd' else f'Kubernetes v{kubernetes}'}'")
    _program(tmp_path / "bin", "kubectl", f"echo 'Client Version: v{kubectl}'")


def test_they_are_built_once_and_the_build_is_told(tmp_path: Path) -> None:
    """The second time nothing is built and nothing told; every name is there, as a link to one program."""
    variables, told = _machine(tmp_path), list[BuildProgress]()
    for _ in range(2):
        programs = prepare_programs(told.append, variables)
    assert (tmp_path / "count").read_text() == "built\n"
    assert [(one.done, one.total) for one in told if one.total] == [(0, 2), (1, 2), (2, 2)]
    assert set(programs.paths) == set(NAMES)
    assert all(path.resolve().name == "kubeplane" for path in programs.paths.values())
    assert programs.version == read_version()


def test_what_a_killed_build_left_is_removed(tmp_path: Path) -> None:
    """The half of a build whose process was killed goes with the next one."""
    variables = _machine(tmp_path)
    entry = build_entry(variables)
    (entry.parent / f".{entry.name}.half" / "bin").mkdir(parents=True)
    prepare_programs(lambda _: None, variables)
    assert sorted(path.name for path in entry.parent.iterdir()) == [".building", entry.name]


def test_a_build_that_was_damaged_is_not_used(tmp_path: Path) -> None:
    """The checksum that was noted when it was built is compared, and the remedy is said."""
    variables = _machine(tmp_path)
    prepare_programs(lambda _: None, variables)
    (build_entry(variables) / "bin" / "kubeplane").write_text("another", encoding="ascii")
    with pytest.raises(EnvironmentFailedError, match=r"not those that were built there\. Remove that folder"):
        find_programs(variables)


def test_a_build_that_fails_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    """What Go said is shown; the next try begins anew."""
    variables = _machine(
        tmp_path, 'case "$1" in env) echo go1.26.0 ;; *) echo no route to the proxy; exit 1 ;; esac'
    )
    with pytest.raises(MissingPrerequisiteError, match=r"(?s)must be reachable once.*no route to the proxy"):
        prepare_programs(lambda _: None, variables)
    assert not build_entry(variables).exists()
    assert find_programs(variables) is None


@pytest.mark.parametrize(
    ("go", "said"),
    [(None, "there is no `go`"), ("echo go1.19.3", "go1.19.3 is too old")],
    ids=["none", "old"],
)
def test_without_a_go_that_can_the_remedy_is_said(tmp_path: Path, go: str | None, said: str) -> None:
    """Neither a missing Go nor an old one ends in an error of a compiler."""
    variables = _machine(tmp_path, go)
    if go is None and any((folder / "go").exists() for folder in map(type(tmp_path), ("/usr/bin", "/bin"))):
        pytest.skip("this machine has Go where every machine has its programs")
    with pytest.raises(MissingPrerequisiteError, match=f"{said}.*Install Go 1.24 or later"):
        prepare_programs(lambda _: None, variables)


def test_official_programs_of_a_fitting_version_are_used_instead(tmp_path: Path) -> None:
    """The whole set on PATH of the same minor version is taken as it is; it has no streaming server."""
    variables = _machine(tmp_path, None)
    minor = ".".join(read_version().split(".")[:2])
    _official(tmp_path, kubernetes=f"{minor}.0", kubectl=f"{minor}.9")
    programs = require_programs(variables)
    assert programs.version == f"{minor}.0"
    assert programs["kubelet"] == str(tmp_path / "bin" / "kubelet")
    assert programs.streaming is None


@pytest.mark.parametrize(
    ("kubernetes", "kubectl", "etcd"),
    [
        ("1.30.1", "1.34.0", "3.6.4"),
        ("1.34.1", "1.31.0", "3.6.4"),
        ("1.34.1", "1.34.1", "3.4.0"),
        ("no", "no", "no"),
    ],
    ids=["old servers", "old kubectl", "old etcd", "says nothing"],
)
def test_official_programs_of_another_version_are_left_alone(
    tmp_path: Path, kubernetes: str, kubectl: str, etcd: str
) -> None:
    """A set that does not fit together is as good as none."""
    variables = _machine(tmp_path, None)
    _official(tmp_path, kubernetes=kubernetes, kubectl=kubectl, etcd=f"etcd Version: {etcd}")
    assert find_programs(variables) is None
    with pytest.raises(EnvironmentFailedError, match="drdrill setup"):
        require_programs(variables)


def test_the_module_names_one_version_of_everything() -> None:
    """Every staging module is replaced by the one that belongs to the Kubernetes that is required."""
    lines = (SOURCE / "go.mod").read_text(encoding="utf-8").splitlines()
    staged = {line.split(" v")[-1] for line in lines if "=> k8s.io/" in line}
    assert staged == {"0." + read_version().removeprefix("1.")}
