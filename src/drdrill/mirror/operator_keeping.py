"""What operators have in their home: state and settings of their tools. Implements `drdrill.aws.keeping.Keeper`."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_OF_THE_MIRROR = (".kube",)  # written by the mirror itself, for its own clusters


class OperatorKeeper:
    """Keeps the disk of the operator's host."""

    name = "home"
    after: tuple[str, ...] = ()

    def __init__(self, home: Path) -> None:
        self._home = home

    def keep(self, folder: Path, /) -> None:
        """Copy everything that is not the mirror's own."""
        shutil.copytree(
            self._home, folder / "files", symlinks=True, ignore=shutil.ignore_patterns(*_OF_THE_MIRROR)
        )

    def restore(self, _: None, folder: Path, /) -> None:
        """Put everything where it was."""
        shutil.copytree(folder / "files", self._home, symlinks=True, dirs_exist_ok=True)
