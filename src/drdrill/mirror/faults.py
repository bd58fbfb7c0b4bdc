"""Breaks and heals a mirror, and looks at the effect. Implements `environment.port.FaultPort`.

Two halves a kind of fault: what breaks and mends runs in the supervisor (`fault_injectors`); what looks does so through
programs on other machines (`fault_observers`). Which kinds there are says `fault_families`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.core.errors import UsageError
from drdrill.environment.port import FaultRequest, Identity, Injection
from drdrill.mirror.control import Control
from drdrill.mirror.fault_families import families

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from drdrill.mirror.directory import MirrorDirectory
    from drdrill.mirror.fault_families import Family
    from drdrill.mirror.world import World


class EmbeddedFaults:
    """Breaks and heals a mirror through its supervisor, and looks at the effect from other hosts."""

    def __init__(self, world: World | None, directory: MirrorDirectory) -> None:
        """Take the world as seen from outside it; None: this process is itself on the operator's host."""
        self._directory = directory
        self._control = Control(directory.control)
        self._families = families(world, directory, self._control)

    @property
    def kinds(self) -> frozenset[str]:
        """Return the kinds of faults that it can inject, look at and heal."""
        return frozenset(self._families)

    @property
    def state_directory(self) -> Path:
        """Return the mirror's directory."""
        return self._directory.path

    def read_identity(self) -> Identity:
        """Return who this is."""
        return Identity(**self._control.ask("identity"))

    def inject(self, request: FaultRequest) -> Injection:
        """Break it; raises `UsageError` for a kind that nobody could see here."""
        return self._of(request.kind).inject(request)

    def heal(self, injection: Injection) -> Mapping[str, Any]:
        """Mend what that injection broke; where nobody knows what it was, all that its request named."""
        return self._of(injection.kind).heal(injection)

    def observe_effect(self, injection: Injection) -> Mapping[str, Any]:
        """Look whether the fault shows."""
        return self._of(injection.kind).observe_effect(injection)

    def observe_healed(self, injection: Injection) -> Mapping[str, Any]:
        """Look whether what it broke is whole again."""
        return self._of(injection.kind).observe_healed(injection)

    def _of(self, kind: str) -> Family:
        if kind not in self._families:
            raise UsageError(f"the embedded mirror cannot inject `{kind}`.")
        return self._families[kind]
