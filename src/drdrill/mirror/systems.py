"""What stands in a mirror: built by the company's own script, or made again of what a script built before."""

from __future__ import annotations

import secrets
import shutil
from datetime import timedelta
from typing import TYPE_CHECKING

from drdrill.core.errors import EnvironmentFailedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from drdrill.mirror.kept import KeptSystem
    from drdrill.mirror.world import World

_WITHIN = timedelta(
    minutes=5
)  # to keep it measured 3 s, to make it again 12 s; 5 times that on a loaded machine
_FOLDER = "operator"
_PASSWORD = "database-password"  # noqa: S105 (a file's name)


def choose_password(world: World) -> None:
    """Make the password of a new mirror's databases."""
    secret = world.directory.secrets / _PASSWORD
    secret.write_text(secrets.token_urlsafe(18), encoding="ascii")


def restore_system(world: World, kept: Path) -> None:
    """Make a kept system again in a world in which nothing stands; raises `EnvironmentFailedError`."""
    try:
        shutil.copy(kept / _FOLDER / _PASSWORD, world.directory.secrets)
    except OSError as error:
        raise EnvironmentFailedError(f"the password of its databases cannot be read: {error}") from error
    world.control.ask_patiently("restore_system", _WITHIN, folder=str(kept))


def keep_system(world: World, kept: KeptSystem, tell: Callable[[str], None]) -> None:
    """Keep what stands in a world; tell why where it cannot be kept, which is no failure of the world."""

    def write(folder: Path) -> None:
        (folder / _FOLDER).mkdir()
        shutil.copy(world.directory.secrets / _PASSWORD, folder / _FOLDER)
        world.control.ask_patiently("keep_system", _WITHIN, folder=str(folder))

    try:
        kept.keep(write)
    except (EnvironmentFailedError, OSError) as error:
        tell(f"this system could not be kept, so the next mirror is built anew: {error}")
