"""RDS in one region, as all of its operations share it: machines and names, instances, events."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from drdrill.aws.errors import AwsError
from drdrill.aws.rds.backups_log import ArchivedLogs
from drdrill.aws.rds.model import ROLE_CHANGES
from drdrill.aws.rds.parameter_groups import ParameterGroups
from drdrill.aws.rds.replica_links import OutgoingLinks
from drdrill.aws.rds.snapshots import Snapshots
from drdrill.aws.rds.subnet_groups import SubnetGroups
from drdrill.dataplane.postgresql_programs import read_version

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from drdrill.aws.cloudwatch import Metric
    from drdrill.aws.ports import Fleet, Keys, Names, SecurityGroups, Subnets
    from drdrill.aws.rds.model import EventRecord, RdsSettings
    from drdrill.aws.rds.reconciler import Reconciler
    from drdrill.aws.rds.restore_point import RestoredFrom
    from drdrill.core.clock import Clock
    from drdrill.dataplane.postgresql_replication import ReplicationReading

_EVENTS_KEPT = 1000


class RdsRegion:
    """Thread-safe: the gate calls from many threads, and every instance has its own.

    `elsewhere` holds all regions by name, this one too: snapshots are copied and replicas made across regions, of those
    that it `hears`.
    """

    def __init__(
        self,
        fleet: Fleet,
        names: Names,
        settings: RdsSettings,
        clock: Clock,
        logs: Path,
        *,
        subnets: Subnets,
        keys: Keys,
        security_groups: SecurityGroups,
    ) -> None:
        self.fleet = fleet
        self.names = names
        self.settings = settings
        self.clock = clock
        self.logs = logs
        self.keys = keys
        self.security_groups = security_groups
        self.engine_version = read_version()
        self.parameter_groups = ParameterGroups(fleet.region, self.engine_version)
        self.subnet_groups = SubnetGroups(fleet, subnets)
        self.snapshots = Snapshots()
        self.logs_archived = ArchivedLogs()
        self.elsewhere: Mapping[str, RdsRegion] = {fleet.region: self}
        self.hears: Callable[[str], bool] = lambda _: True
        self.on_reading: Callable[[str, str, int, ReplicationReading | None, str | None], None] = lambda *_: (
            None
        )
        self.on_metric: Callable[[Metric, float, str], None] = lambda *_: None
        self.links = OutgoingLinks(settings.inter_region_link, logs)
        self.restored: dict[str, RestoredFrom] = {}  # by the resource id of what was made of it
        self._lock = threading.Lock()
        self._instances: dict[str, Reconciler] = {}
        self._events: list[EventRecord] = []
        self._role_changes: dict[str, tuple[EventRecord, ...]] = {}  # by resource id: none of them falls off

    @property
    def name(self) -> str:
        """The region's name."""
        return self.fleet.region

    def reach(self, region: str) -> RdsRegion | None:
        """Return another region, or this one; None: there is none. Raises what AWS says when it does not answer."""
        there = self.elsewhere.get(region)
        if there is not None and not self.hears(region):
            text = f"Amazon RDS in {region} does not answer."
            raise AwsError("InternalFailure", text, status=500)
        return there

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
            self._refuse_taken(identifier)
            self._instances[identifier] = made = make()
        return made

    def claim(self, identifier: str, claim: Callable[[], bool]) -> bool:
        """Call what makes a name an instance's pending one, if it is free; raises AWS's DBInstanceAlreadyExists."""
        with self._lock:
            self._refuse_taken(identifier)
            return claim()

    def rename(self, old: str, new: str, change: Callable[[], None]) -> None:
        """Have an instance found by its new name, which `change` gives it, and no more by the old one."""
        with self._lock:
            change()
            self._instances[new] = self._instances.pop(old)

    def _refuse_taken(self, identifier: str) -> None:
        pending = {one.record.pending.identifier for one in self._instances.values()}
        if identifier in self._instances or identifier in pending:
            raise AwsError("DBInstanceAlreadyExists", "DB instance already exists")

    def instances(self) -> tuple[Reconciler, ...]:
        """Return the reconcilers of all instances."""
        with self._lock:
            return tuple(self._instances.values())

    def events(self) -> tuple[EventRecord, ...]:
        """Return all events that are kept, oldest first."""
        with self._lock:
            return tuple(self._events)

    def role_changes(self, resource_id: str) -> tuple[EventRecord, ...]:
        """Return every event by which an instance's primary became another one, also those that are kept no more."""
        with self._lock:
            return self._role_changes.get(resource_id, ())

    def keep_event(self, event: EventRecord) -> None:
        """Publish an event; that of an instance's deletion takes the instance off the list."""
        with self._lock:
            self._events = [*self._events[-_EVENTS_KEPT:], event]
            if event.code in ROLE_CHANGES:
                earlier = self._role_changes.get(event.resource_id, ())
                self._role_changes[event.resource_id] = (*earlier, event)
            if event.code == "RDS-EVENT-0003":
                self._instances.pop(event.identifier, None)
                self._role_changes.pop(event.resource_id, None)
