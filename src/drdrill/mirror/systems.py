"""What stands in a mirror: built by the company's own script, or made again of what a script built before."""

from __future__ import annotations

import secrets
import shutil
from datetime import timedelta
from typing import TYPE_CHECKING

from drdrill.core.errors import ControlLostError, EnvironmentFailedError, MissingPrerequisiteError
from drdrill.mirror.terraform import find_terraform

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from drdrill.mirror.configuration import System
    from drdrill.mirror.kept import KeptSystem
    from drdrill.mirror.world import World

# To keep it was measured to take 3 s, to make it again 13 s. Longer than all that its parts wait for, one after the
# other: what they say of a part that does not come is to be heard.
_WITHIN = timedelta(minutes=20)
_FOLDER = "operator"
_PASSWORD = "database-password"  # noqa: S105 (a file's name)


def identify_programs(system: System, environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return what tells the programs that build a system from others; raises `MissingPrerequisiteError`."""
    if "terraform" not in system.needs:
        return ()
    try:
        return find_terraform(environment).identify()
    except MissingPrerequisiteError as error:
        without = "`drdrill env up --only databases` brings up what drills of databases need, without it."
        raise MissingPrerequisiteError(f"{error} {without}") from error


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
    _ask(world, "restore_system", kept)


def keep_system(world: World, kept: KeptSystem, tell: Callable[[str], None]) -> None:
    """Keep what stands in a world; tell why where it cannot be kept, which is no failure of the world."""

    def write(folder: Path) -> None:
        (folder / _FOLDER).mkdir()
        shutil.copy(world.directory.secrets / _PASSWORD, folder / _FOLDER)
        _ask(world, "keep_system", folder)

    try:
        kept.keep(write)
    except (EnvironmentFailedError, OSError) as error:
        tell(f"this system could not be kept, so the next mirror is built anew: {error}")


def deploy_services(
    world: World, system: System, run: Callable[[str, str], None], tell: Callable[[str], None]
) -> None:
    """Have the company's script bring its services into what stands; `run` takes it, and the name of its log."""
    if system.deploy is None:
        return
    tell("deploying the services")
    world.control.ask("start_ci")
    run(system.deploy, "deploy.log")


def _ask(world: World, operation: str, folder: Path) -> None:
    try:
        world.control.ask_patiently(operation, _WITHIN, folder=str(folder))
    except ControlLostError as error:
        if not world.process.lives():
            raise
        raise EnvironmentFailedError(f"`{operation}` was not done in time: {error}") from error
