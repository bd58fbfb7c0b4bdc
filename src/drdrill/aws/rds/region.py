"""RDS in one region, as all of its operations share it: machines and names, instances, events."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from drdrill.aws.errors import AwsError
from drdrill.dataplane.postgresql_programs import read_version

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from drdrill.aws.ports import Fleet, Names
    from drdrill.aws.rds.model import EventRecord, RdsSettings
    from drdrill.aws.rds.reconciler import Reconciler
    from drdrill.core.clock import Clock
    from drdrill.dataplane.postgresql import ReplicationReading

_EVENTS_KEPT = 1000


class RdsRegion:
    """Thread-safe: the gate calls from many threads, and every instance has its own.

    `elsewhere` holds all regions by name, this one too: snapshots are copied and replicas made across regions.
    """

    def __init__(self, fleet: Fleet, names: Names, settings: RdsSettings, clock: Clock, logs: Path) -> None:
        self.fleet = fleet
        self.names = names
        self.settings = settings
        self.clock = clock
        self.logs = logs
        self.engine_version = read_version()
        self.elsewhere: Mapping[str, RdsRegion] = {fleet.region: self}
        self.on_reading: Callable[[str, str, int, ReplicationReading | None, str | None], None] = lambda *_: (
            None
        )
        self._lock = threading.Lock()
        self._instances: dict[str, Reconciler] = {}
        self._events: list[EventRecord] = []

    @property
    def name(self) -> str:
        """The region's name."""
        return self.fleet.region

    def find(self, identifier: str) -> Reconciler:
        """Return the reconciler of an instance by name or ARN; raises AWS's DBInstanceNotFound."""
        wanted = identifier.lower()
        with self._lock:
            found = self._instances.get(wanted) or next(
                (one for one in self._instances.values() if one.record.arn == wanted), None
            )
        if found is None:
            raise AwsError("DBInstanceNotFound", f"DBInstance {identifier} not found.", status=404)
        return found

    def add(self, identifier: str, make: Callable[[], Reconciler]) -> Reconciler:
        """Enter a new instance, made only if the name is free; raises AWS's DBInstanceAlreadyExists."""
        with self._lock:
            if identifier in self._instances:
                raise AwsError("DBInstanceAlreadyExists", "DB instance already exists")
            self._instances[identifier] = made = make()
        return made

    def instances(self) -> tuple[Reconciler, ...]:
        """Return the reconcilers of all instances."""
        with self._lock:
            return tuple(self._instances.values())

    def events(self) -> tuple[EventRecord, ...]:
        """Return all events that are kept, oldest first."""
        with self._lock:
            return tuple(self._events)

    def keep_event(self, event: EventRecord) -> None:
        """Publish an event; that of an instance's deletion takes the instance off the list."""
        with self._lock:
            self._events = [*self._events[-_EVENTS_KEPT:], event]
            if event.code == "RDS-EVENT-0003":
                self._instances.pop(event.identifier, None)
