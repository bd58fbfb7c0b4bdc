"""How environments are found: entry points of the group `drdrill.environments`, loaded when asked for."""

from __future__ import annotations

from importlib.metadata import EntryPoints, entry_points
from typing import TYPE_CHECKING, cast

from drdrill.core.errors import MissingPrerequisiteError, UsageError
from drdrill.plan.nearest import nearest_word

if TYPE_CHECKING:
    from drdrill.environment.port import Environment, FaultPort

GROUP = "drdrill.environments"

# The names that plans, options and folders use everywhere; one of them may well not be installed.
CANONICAL = ("embedded", "localstack_kind", "aws")


def environment_names(*, entries: EntryPoints | None = None) -> tuple[str, ...]:
    """Return the names of the environments that are installed, in order."""
    return tuple(sorted(_entries(entries).names))


def load_environment(name: str, *, entries: EntryPoints | None = None) -> type[Environment]:
    """Return the class of an installed environment; `entries` replaces what is installed.

    Raises `UsageError` for a name that is unknown or not installed, and `MissingPrerequisiteError` for one
    that is installed without something that it imports.
    """
    found = _entries(entries)
    if name not in found.names:
        raise UsageError(_not_found(name, sorted(found.names)))
    entry = found[name]
    try:
        return cast("type[Environment]", entry.load())
    except (ImportError, AttributeError) as error:
        raise MissingPrerequisiteError(
            f"The environment `{name}` is installed but cannot be loaded from {entry.value}: {error}. "
            f"Install drdrill with what this environment needs, for instance `pip install 'drdrill[mirror]'`."
        ) from error


def attach_faults(environment: str, control: str, *, entries: EntryPoints | None = None) -> FaultPort:
    """Return the fault port of an environment that already stands, for a process that did not bring it up.

    `control` is what `DRDRILL_CONTROL` holds. Raises as `load_environment` does, and what `attach` raises.
    """
    return load_environment(environment, entries=entries).attach(control)


def _entries(entries: EntryPoints | None) -> EntryPoints:
    return entry_points(group=GROUP) if entries is None else entries


def _not_found(name: str, installed: list[str]) -> str:
    listing = f"Installed: {', '.join(f'`{known}`' for known in installed) or 'none'}."
    if name in CANONICAL:
        return f"The environment `{name}` is not installed here. {listing}"
    near = nearest_word(name, [*CANONICAL, *installed])
    return f"There is no environment `{name}`. " + (f"Did you mean `{near}`? " if near else "") + listing
