"""Where a region's backups are: a folder of the mirror's directory, on no host's disk.

Implements `aws.ports.BackupStore`.
Hosts see it as they see the whole file system; their own disks are what a loss of power or of the host takes.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class FolderStore:
    """The backups of one region."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def create_folder(self, name: str, /) -> Path:
        """Make an empty folder, readable by nobody else: PostgreSQL refuses a data directory that others may read."""
        self._path.mkdir(exist_ok=True)
        folder = self._path / name
        folder.mkdir(mode=0o700)
        return folder

    def remove_folder(self, folder: Path, /) -> None:
        """Remove a folder with what is in it."""
        shutil.rmtree(folder, ignore_errors=True)
