"""An injector that breaks nothing and says that it did. Becomes `chaos/sabotage.py`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from drdrill import faults
from drdrill.core.clock import SystemClock
from drdrill.environment.port import Injection, StoreRole
from drdrill.faults.catalogue import read_kind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from drdrill.environment.port import FaultPort, FaultRequest, Identity


class PretendingPort:
    """The environment's own port in all but the injection."""

    def __init__(self, port: FaultPort) -> None:
        self._port = port

    @property
    def state_directory(self) -> Path:
        """Return the real one."""
        return self._port.state_directory

    def read_identity(self) -> Identity:
        """Return the real one."""
        return self._port.read_identity()

    def inject(self, request: FaultRequest) -> Injection:
        """Break nothing, and name the host that would have been broken."""
        now_ns = SystemClock().now_ns()
        host = {"host": f"{request.resource}-1", "address": "10.20.0.10", "zone": "eu-west-1a"}
        return Injection(request.kind, host["host"], now_ns, now_ns, {"hosts": [host]})

    def heal(self, injection: Injection) -> Mapping[str, Any]:
        """Heal really."""
        return self._port.heal(injection)

    def observe_effect(self, injection: Injection) -> Mapping[str, Any]:
        """Look really."""
        return self._port.observe_effect(injection)

    def observe_healed(self, injection: Injection) -> Mapping[str, Any]:
        """Look really."""
        return self._port.observe_healed(injection)


def inject(kind: str, store: str, role: str) -> dict[str, Any]:
    """Pretend to break a member of a store."""
    session = faults.current_session()
    pretending = replace(session, port=PretendingPort(session.port))
    active = pretending.inject(read_kind(kind), store, StoreRole(role))
    return {"resource": active.presumed_injection().resource}
