"""DB parameter groups of one region: what they hold, in which version, and what of it takes a reboot.

A group only holds values. `ParameterKeeper` of every instance of the group gives them to PostgreSQL.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drdrill.aws.errors import AwsError
from drdrill.aws.keeping import KeptWithoutLock
from drdrill.aws.rds.model import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True)
class Setting:
    """A value as it was set by a version of its group; None: the engine's own again."""

    value: str | None
    at_reboot: bool
    version: int = 0


class ParameterGroup(KeptWithoutLock):
    """A group of parameters. Thread-safe."""

    def __init__(
        self, name: str, family: str, description: str, region: str, tags: tuple[tuple[str, str], ...] = ()
    ) -> None:
        self.name = name
        self.family = family
        self.description = description
        self.tags = tags
        self.arn = f"arn:aws:rds:{region}:{ACCOUNT}:pg:{name}"
        self._lock = threading.Lock()
        self._settings: dict[str, Setting] = {}
        self._version = 0

    def __repr__(self) -> str:
        return f"ParameterGroup({self.name}, version {self._version})"

    @property
    def version(self) -> int:
        """Which number its last change has."""
        return self._version

    def settings(self) -> Mapping[str, Setting]:
        """Return what is set by the group."""
        with self._lock:
            return {name: one for name, one in self._settings.items() if one.value is not None}

    def values(self) -> dict[str, str]:
        """Return the values that are set, as an instance that starts now gets them."""
        return {name: one.value for name, one in self.settings().items() if one.value is not None}

    def change(self, settings: Mapping[str, Setting], announce: Callable[[], None]) -> None:
        """Set values, or take them back; `announce` is called before anybody can see the new version."""
        with self._lock:
            announce()
            self._version += 1
            for name, one in settings.items():
                self._settings[name] = Setting(one.value, one.at_reboot, self._version)

    def changed_since(self, version: int) -> Mapping[str, str | None]:
        """Return what was to change at once, after a version."""
        with self._lock:
            return {
                name: one.value
                for name, one in self._settings.items()
                if one.version > version and not one.at_reboot
            }

    def settle(self, version: int, tell: Callable[[], None]) -> None:
        """Call `tell` if this is still the last version: what it says would not be true of a newer one."""
        with self._lock:
            if self._version == version:
                tell()


class ParameterGroups:
    """The groups of a region, the engine's default one among them. Thread-safe."""

    def __init__(self, region: str, engine_version: str) -> None:
        self.region = region
        self.family = f"postgres{engine_version.partition('.')[0]}"
        self.default = f"default.{self.family}"
        self._lock = threading.Lock()
        text = f"Default parameter group for {self.family}"
        self._groups = {self.default: ParameterGroup(self.default, self.family, text, region)}

    def find(self, name: str) -> ParameterGroup:
        """Return a group; raises AWS's DBParameterGroupNotFound."""
        with self._lock:
            found = self._groups.get(name.lower() or self.default)
        if found is None:
            raise AwsError("DBParameterGroupNotFound", f"DBParameterGroup not found: {name}", status=404)
        return found

    def add(self, group: ParameterGroup) -> None:
        """Enter a new group; raises AWS's DBParameterGroupAlreadyExists."""
        with self._lock:
            if group.name in self._groups:
                text = f"Parameter group {group.name} already exists"
                raise AwsError("DBParameterGroupAlreadyExists", text)
            self._groups[group.name] = group

    def remove(self, name: str) -> None:
        """Forget a group."""
        with self._lock:
            self._groups.pop(name, None)

    def own(self) -> tuple[ParameterGroup, ...]:
        """Return the groups that somebody made: all but the engine's."""
        return tuple(group for group in self.all() if group.name != self.default)

    def all(self) -> tuple[ParameterGroup, ...]:
        """Return all groups."""
        with self._lock:
            return tuple(self._groups.values())
