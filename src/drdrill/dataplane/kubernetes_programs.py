"""Kubernetes' programs: the official ones where this machine has a fitting set, else those of our own build.

All come from one version. Our build is one program under several names (`kubeplane`), made by `kubernetes_build` and
kept in the cache; it also has the streaming server that a container runtime needs for exec and port-forward.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from drdrill.core.cache import cache_root, key_of
from drdrill.core.errors import EnvironmentFailedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import TextIO

SOURCE = Path(__file__).with_name("kubeplane")
SERVERS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet")
STREAMING = "cri-streaming"
SERVICES = "node-services"
NAMES = (*SERVERS, "kubectl", STREAMING, SERVICES)
CHECKSUM = "sha256"
_VERSION_FLAGS = {"kubectl": ("version", "--client")}
_REQUIRED = re.compile(r"^\s+k8s\.io/kubernetes v([\d.]+)$", re.MULTILINE)
_SAID = re.compile(r"\bv?(\d+)\.(\d+)\.(\d+)")
_ETCD = (3, 6)
_KUBECTL_SKEW = 1  # Kubernetes' own policy: one minor version older or newer than the API server
_ASK_WITHIN_SECONDS = 20.0  # measured 0.1 s, 0.6 s on a loaded machine


@dataclass(frozen=True, slots=True)
class KubernetesPrograms:
    """Where each program is. `streaming` and `services` are None with official binaries, which lack both."""

    version: str
    folder: Path | None  # of our build; None: they are found on PATH
    paths: Mapping[str, Path]

    def __repr__(self) -> str:
        return f"KubernetesPrograms({self.version}, {'on PATH' if self.folder is None else 'built'})"

    def __getitem__(self, name: str) -> str:
        return str(self.paths[name])

    @property
    def streaming(self) -> Path | None:
        """The streaming server."""
        return self.paths.get(STREAMING)

    @property
    def services(self) -> Path | None:
        """What leads the addresses and names of services to their endpoints."""
        return self.paths.get(SERVICES)


def read_version() -> str:
    """Return the version of Kubernetes that the build is of, such as `1.34.4`."""
    found = _REQUIRED.search((SOURCE / "go.mod").read_text(encoding="utf-8"))
    if found is None:
        raise EnvironmentFailedError(f"{SOURCE / 'go.mod'} does not say which Kubernetes it requires.")
    return found[1]


def find_programs(variables: Mapping[str, str] = os.environ) -> KubernetesPrograms | None:
    """Return the programs that this machine has, or None when they have to be built first; builds nothing.

    Raises `EnvironmentFailedError` when what was built is not what it was any more.
    """
    return _find_official(variables.get("PATH", os.defpath)) or _find_built(variables)


def require_programs(variables: Mapping[str, str] = os.environ) -> KubernetesPrograms:
    """Return the programs; raises `EnvironmentFailedError` with the remedy when this machine has none."""
    found = find_programs(variables)
    if found is None:
        raise EnvironmentFailedError(
            f"Kubernetes {read_version()} is not on this machine yet. `drdrill setup` builds it, once (5 minutes)."
        )
    return found


def is_being_built(variables: Mapping[str, str] = os.environ) -> bool:
    """Tell whether somebody on this machine is building them just now."""
    with _open_lock(variables) as lock:
        if lock is None:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def await_programs(variables: Mapping[str, str] = os.environ) -> KubernetesPrograms:
    """Return the programs, once whoever is building them just now has ended; raises as `require_programs` does."""
    with _open_lock(variables) as lock:
        if lock is not None:
            fcntl.flock(lock, fcntl.LOCK_SH)
    return require_programs(variables)


def expect_program(name: str, variables: Mapping[str, str] = os.environ) -> str:
    """Return where a program is, or will be when whoever builds it just now has ended."""
    if is_being_built(variables):
        return str(build_entry(variables) / "bin" / name)
    return require_programs(variables)[name]


@contextlib.contextmanager
def _open_lock(variables: Mapping[str, str]) -> Iterator[TextIO | None]:
    """Open the file that whoever builds them holds; None where nobody ever did."""
    try:
        lock = build_lock(variables).open(encoding="ascii")
    except FileNotFoundError:
        yield None
        return
    with lock:
        yield lock


def build_lock(variables: Mapping[str, str] = os.environ) -> Path:
    """Return the file that whoever builds them holds locked meanwhile; it need not exist."""
    return build_entry(variables).parent / ".building"


def build_entry(variables: Mapping[str, str] = os.environ) -> Path:
    """Return where the build is kept on this machine; it need not exist."""
    sources = [
        path.read_bytes() for path in sorted(SOURCE.iterdir()) if path.suffix in (".go", ".mod", ".sum")
    ]
    key = key_of(platform.machine().encode(), *sources)
    return cache_root(variables) / "kubernetes" / f"{read_version()}-{key}"


def checksum(program: Path) -> str:
    """Return the sha256 of a file (0.3 s for the 138 MB of the build)."""
    with program.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _find_built(variables: Mapping[str, str]) -> KubernetesPrograms | None:
    entry = build_entry(variables)
    if not entry.is_dir():
        return None
    noted = (entry / CHECKSUM).read_text(encoding="ascii").split()[0]
    if checksum(entry / "bin" / "kubeplane") != noted:
        raise EnvironmentFailedError(
            f"the programs of Kubernetes in {entry} are not those that were built there. Remove that folder; "
            "`drdrill setup` builds them anew."
        )
    folder = entry / "bin"
    return KubernetesPrograms(read_version(), folder, {name: folder / name for name in NAMES})


def _find_official(path: str) -> KubernetesPrograms | None:
    """Return the programs on a search path if the whole set is there and of fitting versions."""
    found = {name: shutil.which(name, path=path) for name in (*SERVERS, "kubectl")}
    if not all(found.values()):
        return None
    versions = {name: _ask_version(str(program), name) for name, program in found.items()}
    wanted = _parse(read_version())
    fitting = (
        versions["etcd"][:2] >= _ETCD
        and all(versions[name][:2] == wanted[:2] for name in SERVERS if name != "etcd")
        and versions["kubectl"][0] == wanted[0]
        and abs(versions["kubectl"][1] - wanted[1]) <= _KUBECTL_SKEW
    )
    if not fitting:
        return None
    version = ".".join(map(str, versions["kube-apiserver"]))
    return KubernetesPrograms(version, None, {name: Path(str(program)) for name, program in found.items()})


def _ask_version(program: str, name: str) -> tuple[int, int, int]:
    try:
        said = subprocess.run(
            [program, *_VERSION_FLAGS.get(name, ("--version",))], check=False, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, errors="replace", timeout=_ASK_WITHIN_SECONDS,
        ).stdout  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return (0, 0, 0)
    return _parse(said)


def _parse(said: str) -> tuple[int, int, int]:
    found = _SAID.search(said)
    return (int(found[1]), int(found[2]), int(found[3])) if found else (0, 0, 0)
