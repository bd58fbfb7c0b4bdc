"""What the machine that deploys keeps: its repositories. Implements `drdrill.aws.keeping.Keeper`."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.mirror.delivery.machine import DeliveryMachine

_FILES = "repositories"


class DeliveryKeeper:
    """Keeps where the machine stands, if there is one, and what was pushed to it."""

    name = "delivery"
    after: tuple[str, ...] = ()

    def __init__(self, machine: DeliveryMachine) -> None:
        self._machine = machine

    def keep(self, folder: Path, /) -> str | None:
        """Copy the repositories, and return the zone; None where there is no machine."""
        repositories = self._machine.repositories
        if repositories is None:
            return None
        shutil.copytree(repositories, folder / _FILES, symlinks=True)
        return self._machine.zone

    def restore(self, kept: str | None, folder: Path, /) -> None:
        """Make the machine where it stood, and put the repositories there."""
        if kept is None:
            return
        self._machine.start(kept)
        repositories = self._machine.repositories
        assert repositories is not None  # noqa: S101  (started just now)
        shutil.copytree(folder / _FILES, repositories, symlinks=True, dirs_exist_ok=True)
