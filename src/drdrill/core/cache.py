"""What is fetched once a machine and kept outside the repository: `~/.cache/drdrill/KIND/KEY/`.

An entry is keyed by what it was made from, so that it is never out of date, and appears in one step: it is made
beside its place and renamed, so that a half-made one is never used and two processes may make it at once.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_KEY_LENGTH = 16


def cache_root(variables: Mapping[str, str]) -> Path:
    """Return the folder of drdrill's cache, by the XDG base directory specification; it need not exist."""
    named = variables.get("XDG_CACHE_HOME", "")
    # The specification: a relative path is invalid and to be ignored.
    return (Path(named) if os.path.isabs(named) else Path.home() / ".cache") / "drdrill"  # noqa: PTH117 (of text)


def key_of(*parts: bytes) -> str:
    """Return the key of an entry that is made from these."""
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:_KEY_LENGTH]


def keep(entry: Path, make: Callable[[Path], None]) -> Path:
    """Return the entry, made by `make` in the empty folder that it is given if nobody made it before."""
    if entry.is_dir():
        return entry
    entry.parent.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix=f".{entry.name}.", dir=entry.parent))
    try:
        make(making)
        making.chmod(0o755)
        try:
            making.rename(entry)
        except OSError:
            if not entry.is_dir():  # else somebody else was faster, with the same content
                raise
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return entry
