"""Building Kubernetes' programs with Go, once a machine, from the module in `kubeplane/`.

The sources come from the Go module proxy that Go is configured for, and are checked against `go.sum`. Go keeps them and
what it compiled in its own caches, where it always does, so that an interrupted build goes on where it was.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import signal
import subprocess
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drdrill.core.cache import keep
from drdrill.core.errors import CommandFailedError, DrdrillError, MissingPrerequisiteError
from drdrill.dataplane.kubernetes_programs import (
    CHECKSUM,
    NAMES,
    SOURCE,
    KubernetesPrograms,
    build_entry,
    build_lock,
    checksum,
    find_programs,
    read_version,
    require_programs,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

_OLDEST_GO = (1, 24)
_PROGRAM = "kubeplane"
_STAMPED = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
_FIXED_DATE = "1970-01-01T00:00:00Z"  # the same program from the same source, whenever it is built
_FLAGS = ("-trimpath", "-mod=readonly", "-buildvcs=false")
_PRIORITY = 10  # below whatever else is done meanwhile: a mirror that comes up waits more than it computes


@dataclass(frozen=True, slots=True)
class BuildProgress:
    """How far a build is: packages compiled of those that have to be; both 0 while it is not known."""

    doing: str
    done: int = 0
    total: int = 0


class BuildEndedError(DrdrillError):
    """A build that was ended from another thread."""


class BuildSwitch:
    """Ends a build from another thread. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._off = False
        self._process: subprocess.Popen[str] | None = None

    def turn_off(self) -> None:
        """End what runs, and let nothing begin any more."""
        with self._lock:
            self._off = True
            if self._process is not None and self._process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)  # the compilers that it started, too

    def start(self, command: list[str], variables: Mapping[str, str]) -> subprocess.Popen[str]:
        """Start Go in the module's folder, behind whatever else this machine does; raises `BuildEndedError`."""
        with self._lock:
            self.require_on()
            self._process = subprocess.Popen(
                command, cwd=SOURCE, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                text=True, errors="replace", env=dict(variables), start_new_session=True,
            )  # fmt: skip
            os.setpriority(os.PRIO_PGRP, self._process.pid, _PRIORITY)
            return self._process

    def require_on(self) -> None:
        """Raise `BuildEndedError` when it was turned off."""
        if self._off:
            raise BuildEndedError("the build of Kubernetes' programs was ended.")


def prepare_programs(
    tell: Callable[[BuildProgress], None],
    variables: Mapping[str, str] = os.environ,
    switch: BuildSwitch | None = None,
) -> KubernetesPrograms:
    """Return Kubernetes' programs, built first if this machine does not have them (4 minutes on two cores).

    Two processes that want them at once build once. Raises `MissingPrerequisiteError` when they cannot be built.
    """
    found = find_programs(variables)
    if found is not None:
        return found
    entry = build_entry(variables)
    entry.parent.mkdir(parents=True, exist_ok=True)
    with build_lock(variables).open("w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell(BuildProgress("waiting for another build of Kubernetes"))
            fcntl.flock(lock, fcntl.LOCK_EX)
        for half in entry.parent.glob(f".{entry.name}.*"):  # of whoever was killed while it was built
            shutil.rmtree(half, ignore_errors=True)
        keep(entry, lambda folder: _build(folder, tell, variables, switch or BuildSwitch()))
    return require_programs(variables)


def _build(
    folder: Path, tell: Callable[[BuildProgress], None], variables: Mapping[str, str], switch: BuildSwitch
) -> None:
    go = _find_go(variables)
    clean = {**variables, "CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": ""}
    version = read_version()
    tell(BuildProgress(f"fetching the sources of Kubernetes {version}"))
    for _ in _run([go, "mod", "download"], clean, switch):
        pass
    tell(BuildProgress("looking for what has to be compiled"))
    stale = list(
        _run([go, "list", *_FLAGS, "-deps", "-f", "{{if .Stale}}{{.ImportPath}}{{end}}", "."], clean, switch)
    )
    total = sum(1 for line in stale if line.strip())
    binaries = folder / "bin"
    binaries.mkdir()
    command = [go, "build", "-v", *_FLAGS, f"-ldflags={_stamp(version)}", "-o", str(binaries / _PROGRAM), "."]
    compiling = f"compiling Kubernetes {version}, once on this machine"
    tell(BuildProgress(compiling, 0, total))
    for number, _ in enumerate(_run(command, clean, switch), 1):
        tell(BuildProgress(compiling, min(number, total), total))
    for name in NAMES:
        (binaries / name).symlink_to(_PROGRAM)
    (folder / CHECKSUM).write_text(f"{checksum(binaries / _PROGRAM)}  bin/{_PROGRAM}\n", encoding="ascii")


def _stamp(version: str) -> str:
    """Return the linker's flags that tell the programs their version, as the official builds are told."""
    major, minor, _ = version.split(".")
    values = {
        "gitVersion": f"v{version}", "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean", "gitCommit": "",
        "buildDate": _FIXED_DATE,
    }  # fmt: skip
    stamps = (f"-X {package}.{name}={value}" for package in _STAMPED for name, value in values.items())
    return " ".join(("-s -w", *stamps))


def _find_go(variables: Mapping[str, str]) -> str:
    go = shutil.which("go", path=variables.get("PATH", os.defpath))
    oldest = ".".join(map(str, _OLDEST_GO))
    remedy = f"Install Go {oldest} or later, or the official binaries of Kubernetes {read_version()} and etcd on PATH."
    if go is None:
        raise MissingPrerequisiteError(
            f"Kubernetes' programs are not on this machine, and there is no `go` to build them. {remedy}"
        )
    said = subprocess.run([go, "env", "GOVERSION"], check=False, capture_output=True, text=True).stdout
    found = re.match(r"go(\d+)\.(\d+)", said)
    if found and (int(found[1]), int(found[2])) < _OLDEST_GO:
        raise MissingPrerequisiteError(f"{said.strip()} is too old to build Kubernetes. {remedy}")
    return go


def _run(command: list[str], variables: Mapping[str, str], switch: BuildSwitch) -> Iterator[str]:
    """Run Go in the module's folder and yield the lines that it writes; raises `MissingPrerequisiteError`."""
    said: list[str] = []
    with switch.start(command, variables) as process:
        assert process.stdout is not None  # noqa: S101  (a pipe was asked for)
        try:
            for line in process.stdout:
                said.append(line)
                yield line
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)  # the compilers that it started, too
            raise
    switch.require_on()
    if process.returncode:
        error = CommandFailedError(["go", *command[1:3]], process.returncode, "".join(said))
        raise MissingPrerequisiteError(
            f"Kubernetes' programs could not be built; the Go module proxy must be reachable once.\n{error}"
        ) from error
