"""Whose ledger is whose: which service each client asks, and which zones the numbers in its codes stand for.

Read from the journal's `load.started`. Clients that it says nothing of ask the drill's own service, and their codes
hold addresses. Knows no thresholds and no rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from drdrill.record.ledger import ClientKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from drdrill.record.journal import Event
    from drdrill.record.ledger import ClientLedger


@dataclass(frozen=True, slots=True)
class Load:
    """Clients that were started together. `services`: which service a client asks, by its name.

    `zones`: what the numbers in the place of a server's address stand for in their codes, from 1 on; empty: those are
    addresses. `watchers`: in which region each one stands that watches for two writers.
    """

    clients: tuple[str, ...]
    services: Mapping[str, str]
    zones: tuple[str, ...]
    watchers: Mapping[str, str] = field(default_factory=dict)

    def holds(self, name: str) -> bool:
        """Tell whether a client is one of these; what was started as `prober` may be several, from `prober-0` on."""
        return name in self.services or any(
            name == started or name.startswith(f"{started}-") for started in self.clients
        )


def read_loads(events: Iterable[Event]) -> tuple[Load, ...]:
    """Return what every `load.started` of a journal says; raises what an event gives that lacks something."""
    return tuple(
        Load(
            tuple(str(name) for name in event.data["clients"]),
            {str(name): str(service) for name, service in (event.data.get("services") or {}).items()},
            tuple(str(zone) for zone in event.data.get("zones") or ()),
            {str(name): str(region) for name, region in (event.data.get("watchers") or {}).items()},
        )
        for event in events
        if event.kind == "load.started"
    )


@dataclass(frozen=True, slots=True)
class Clientele:
    """All clients of a drill. `service`: the one that is judged, which those ask of whom nothing else is said."""

    loads: tuple[Load, ...]
    service: str

    def service_of(self, name: str) -> str:
        """Return which service a client asks."""
        return next((load.services[name] for load in self.loads if name in load.services), self.service)

    def zones_of(self, name: str) -> tuple[str, ...]:
        """Return the zones that numbers in a client's codes stand for; empty: they are addresses."""
        return next((load.zones for load in self.loads if load.zones and load.holds(name)), ())

    def is_travelling(self, ledger: ClientLedger) -> bool:
        """Tell whether a client is one step of users' journeys: there for load, and told zones."""
        return ledger.client.kind is ClientKind.LOAD and bool(self.zones_of(ledger.client.name))

    @property
    def started(self) -> tuple[str, ...]:
        """Return the names under which clients of the judged service were started; watchers are no users of it."""
        names = (name for load in self.loads for name in load.clients if name not in load.watchers)
        return tuple(name for name in names if self.service_of(name) == self.service)

    @property
    def watchers(self) -> dict[str, str]:
        """Return in which region each one stands that watches for two writers, by its name."""
        return {name: region for load in self.loads for name, region in load.watchers.items()}

    @property
    def zones(self) -> tuple[str, ...]:
        """Return all zones that numbers stand for."""
        return tuple(dict.fromkeys(zone for load in self.loads for zone in load.zones))

    def asking(self, ledgers: Sequence[ClientLedger], service: str) -> tuple[ClientLedger, ...]:
        """Return the ledgers of those who ask a service; positive controls are there for the judged one."""
        return tuple(
            ledger
            for ledger in ledgers
            if (self.service if _is_control(ledger) else self.service_of(ledger.client.name)) == service
        )


def _is_control(ledger: ClientLedger) -> bool:
    return ledger.client.kind is ClientKind.CONTROL
