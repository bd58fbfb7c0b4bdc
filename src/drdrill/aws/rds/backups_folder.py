"""A folder of a backup that may be read while it is deleted: it goes when its last reader has done."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from drdrill.aws.ports import BackupStore


class SharedFolder:
    """A folder in a region's backup store. Thread-safe."""

    def __init__(self, store: BackupStore, name: str) -> None:
        self._store = store
        self.path: Path = store.create_folder(name)
        self._lock = threading.Lock()
        self._readers = 0
        self._discarded = False

    def __repr__(self) -> str:
        return f"SharedFolder({self.path.name})"

    def hold(self) -> bool:
        """Keep it until `let_go`, whoever discards it meanwhile; false: it was discarded already."""
        with self._lock:
            if not self._discarded:
                self._readers += 1
            return not self._discarded

    def let_go(self) -> None:
        """End what `hold` began."""
        with self._lock:
            self._readers -= 1
            gone = self._discarded and not self._readers
        if gone:
            self._store.remove_folder(self.path)

    def discard(self) -> None:
        """Remove it as soon as nobody reads it."""
        with self._lock:
            self._discarded = True
            gone = not self._readers
        if gone:
            self._store.remove_folder(self.path)


def hold_all(folders: Sequence[SharedFolder]) -> bool:
    """Keep all of these, or none; false: one was discarded already."""
    held = [folder for folder in folders if folder.hold()]
    if len(held) == len(folders):
        return True
    for folder in held:
        folder.let_go()
    return False
