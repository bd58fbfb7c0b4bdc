"""`drdrill env`: standing mirrors — up, status, down, a shell in them, and healing what was left broken."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from drdrill.cli.env_status import status
from drdrill.cli.env_users import users
from drdrill.cli.repository import find_repository
from drdrill.core.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from drdrill.mirror.directory import MirrorDirectory
    from drdrill.mirror.embedded import Embedded

_CLASSES = {"databases": "database"}  # what a mirror may be of alone, and the class of drills that it is for
_NAME = click.option("--name", default="default", show_default=True, help="The mirror's name.")


@click.group(
    name="env",
    epilog="""\b
Examples:
  drdrill env up
  drdrill env exec -- aws rds describe-db-instances
  drdrill env shell
  drdrill env down

\b
Exit status: 0; 2 wrong usage; 5 the machine or the mirror is broken; of `exec` and `shell`: the program's.""",
)
def command() -> None:
    """Bring an environment up, look into it, take it down."""


@command.command(
    name="up", epilog="\b\nExamples:\n  drdrill env up --name mine\n  drdrill env up --only databases"
)
@_NAME
@click.option(
    "--only",
    type=click.Choice(list(_CLASSES)),
    help="Not the whole system: what drills of this class need. Up in 3 s, and needs neither Terraform nor Go.",
)
def up(name: str, only: str | None) -> None:
    """Bring the company's system up in a mirror that stands until it is taken down.

    It is built once on a machine, which takes minutes, kept, and made again in seconds.
    """
    from drdrill.cli.setup import show_build
    from drdrill.cli.signals import interruptible
    from drdrill.mirror.seed import Seed

    with interruptible(), ExitStack() as stack:
        # Before anything else is imported; where there is no `unshare`, the prerequisites say so.
        seed = None
        with suppress(OSError):
            seed = stack.enter_context(Seed())
        console, root = _begin()

        def tell(line: str) -> None:
            console.print(line, markup=False, soft_wrap=True)

        with show_build(console, beside="bringing the mirror up") as tell_kubernetes:
            telling = {"tell": tell, "tell_kubernetes": tell_kubernetes}
            environment = _environment(root, name, standing=True, whole=only is None, seed=seed, **telling)
            environment.__enter__()
    option = "" if name == "default" else f" --name {name}"
    console.print(f"the mirror `{name}` is up. Next:")
    look = "drdrill env status" if only is None else f"drdrill run {_CLASSES[only]} --mirror {name}"
    console.print(f"  drdrill env shell{option}\n  {look}\n  drdrill env down{option}")


command.add_command(status)
command.add_command(users)


@command.command(name="down", epilog="\b\nExamples:\n  drdrill env down\n  drdrill env down --all")
@_NAME
@click.option("--all", "all_of_them", is_flag=True, help="All mirrors that stand by themselves.")
def down(name: str, all_of_them: bool) -> None:
    """Take a mirror down; nothing of it is left, also when its owner was killed."""
    from drdrill.mirror.directory import list_mirrors
    from drdrill.mirror.world import take_down

    console, root = _begin()
    if all_of_them:
        wanted = [directory for directory in list_mirrors(root) if directory.read_owner() is None]
    else:
        wanted = [require_mirror(root, name)]
        owner = wanted[0].read_owner()
        if owner is not None and owner.lives():
            raise UsageError(
                f"the mirror `{name}` belongs to a run that is going on (process {owner.pid}); end that run instead."
            )
    for directory in wanted:
        take_down(directory)
        console.print(f"the mirror `{directory.name}` is down; nothing of it is left.")
    if not wanted:
        console.print("no mirror stands.")


@command.command(name="shell", epilog="\b\nExample:\n  drdrill env shell")
@_NAME
def shell(name: str) -> int:
    """Open a shell where operators work: AWS's real names lead to the mirror, with credentials and programs."""
    _, root = _begin()
    with _environment(root, name) as environment:
        prompt = {"PS1": f"[{name}] \\w \\$ "}
        program = ["bash", "--norc", "--noprofile"]
        return subprocess.run(
            _here(environment.operator_command(program)),
            check=False,
            env={**environment.operator_environment(), **prompt},
        ).returncode


@command.command(
    name="exec",
    context_settings={"ignore_unknown_options": True},
    epilog="\b\nExample:\n  drdrill env exec -- aws rds describe-db-instances",
)
@_NAME
@click.argument("program", nargs=-1, type=click.UNPROCESSED, required=True, metavar="-- COMMAND...")
def execute(name: str, program: tuple[str, ...]) -> int:
    """Run a command where operators work; its exit status is passed on."""
    _, root = _begin()
    with _environment(root, name) as environment:
        return subprocess.run(
            _here(environment.operator_command(program)), check=False, env=environment.operator_environment()
        ).returncode


@command.command(name="heal", epilog="\b\nExample:\n  drdrill env heal")
@_NAME
def heal(name: str) -> int:
    """Heal every fault that is recorded as active in a mirror."""
    from datetime import timedelta

    from drdrill.core.errors import EXIT_BROKEN
    from drdrill.faults import heal_all

    console, root = _begin()
    with _environment(root, name) as environment:
        healings = heal_all(environment.faults, None, within=timedelta(seconds=30))
    for healing in healings:
        state = "healed" if healing.whole else "mended, but not seen whole yet"
        console.print(f"{healing.kind} in {healing.store}: {state}.")
    if not healings:
        console.print(f"nothing is broken in the mirror `{name}`.")
    return 0 if all(healing.whole for healing in healings) else EXIT_BROKEN


def _begin() -> tuple[Console, Path]:
    from rich.console import Console

    from drdrill.cli.remains import tell_remains

    console, root = Console(highlight=False, stderr=True), find_repository()
    tell_remains(root, console)
    return console, root


def _environment(root: Path, name: str, *, standing: bool = False, **options: Any) -> Embedded:
    from drdrill.mirror.embedded import Embedded
    from drdrill.plan import load_plan

    if not standing:
        require_mirror(root, name)
    plan = load_plan(root / "scenarios" / "plan.yaml")
    return Embedded(root, plan, name=name, standing=standing, **options)


def open_mirror(root: Path, name: str) -> Embedded:
    """Return a standing mirror by its name, to be entered; raises `UsageError` when there is none."""
    return _environment(root, name)


def require_mirror(root: Path, name: str) -> MirrorDirectory:
    """Return a mirror by its name; raises `UsageError` with the nearest one when there is none."""
    from drdrill.mirror.directory import find_mirror, list_mirrors
    from drdrill.plan.nearest import suggest

    found = find_mirror(root, name)
    if found.path.is_dir():
        return found
    standing = [directory.name for directory in list_mirrors(root)]
    remedy = suggest(name, standing, what="Standing") if standing else "`drdrill env up` brings one up."
    raise UsageError(f"there is no mirror `{name}`. {remedy}")


def _here(command: list[str]) -> list[str]:
    """Let what is run on a host begin in the current folder: entering a host would lead to the root folder."""
    return [command[0], f"--wd={Path.cwd()}", *command[1:]]
