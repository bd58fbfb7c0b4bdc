"""Watches after a fault: since when users are served again, and since when the store has its redundancy back.

One watch for both, because redundancy may be back while users are still being waited for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from drdrill.core.clock import Clock
    from drdrill.drill.users import Users
    from drdrill.environment.port import Environment
    from drdrill.measure.outage import Outage


class Aftermath:
    """Looks when it is told to. `fault`: the host that was broken, and between which moments (boot-time ns)."""

    def __init__(
        self, environment: Environment, users: Users, resource: str, fault: tuple[str, int, int], clock: Clock
    ) -> None:
        self._environment = environment
        self._users = users
        self._resource = resource
        self._broken, self._fault_ns, self._fault_until_ns = fault
        self._clock = clock
        self._last_look_ns = self._fault_ns
        self.protected_ns: int | None = None
        self.resolution_ns = 0

    def look(self) -> bool:
        """Look at the store once; true as soon as it was seen protected by other hosts than the broken one."""
        if self.protected_ns is None:
            state = self._environment.observe_store(self._resource)
            seen_ns = self._clock.now_ns()
            if state.protected and all(member.host != self._broken for member in state.members):
                self.protected_ns = seen_ns
                self.resolution_ns = seen_ns - self._last_look_ns
            self._last_look_ns = seen_ns
        return self.protected_ns is not None

    def observe_outage(self) -> Outage:
        """Measure what users had of the fault, up to now."""
        return self._users.observe_outage(self._fault_ns, self._fault_until_ns)
