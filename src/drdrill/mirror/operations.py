"""What the supervisor does when it is asked over the control socket: look, break, heal, sample, stop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drdrill.aws.rds.instance import TTL_SECONDS
from drdrill.core.errors import UsageError
from drdrill.dataplane.link import LinkCondition
from drdrill.environment.port import StoreRole
from drdrill.mirror.bad_statements import BadStatements
from drdrill.mirror.damaged_backups import DamagedBackups
from drdrill.mirror.fault_operations import FaultOperations
from drdrill.mirror.link_faults import LinkFaults
from drdrill.mirror.restores import describe_restore
from drdrill.mirror.role_changes import find_promotion, join_heir
from drdrill.mirror.sampling import Sampling

if TYPE_CHECKING:
    from drdrill.aws.rds import RdsRegion
    from drdrill.aws.rds.model import EventRecord
    from drdrill.aws.rds.reconciler import Reconciler
    from drdrill.aws.rds.replica_links import OutgoingLinks
    from drdrill.core.clock import Clock
    from drdrill.mirror.network import Network

Answer = Mapping[str, Any]


class Operations:
    """The operations, by name in `table`. Each is called from a thread of the control server."""

    def __init__(
        self,
        mirror: str,
        network: Network,
        rds: Mapping[str, RdsRegion],
        clock: Clock,
        stop: Callable[[], None],
    ) -> None:
        self._mirror = mirror
        self._network = network
        self._rds = rds
        self._clock = clock
        self._stop = stop
        self._sampling = Sampling()
        self._followers: dict[str, set[str]] = {}  # ids of the replicas that an instance was seen to have
        self._faults = FaultOperations(network, clock, find=self._find, everyone=self._everyone)
        self._link_faults = LinkFaults(
            clock,
            find=self._find,
            everyone=self._everyone,
            links_of=lambda region: rds[region].links,
            bystander=self._faults.find_bystander,
        )
        for region in rds.values():
            region.on_reading = self._sampling.take

    def table(self) -> Mapping[str, Callable[..., Answer]]:
        """Return the operations by name."""
        return {
            "identity": self.identity,
            "hosts": self.hosts,
            "stores": self.stores,
            "store": self.store,
            "restore": self.restore,
            **self._faults.table(),
            **self._link_faults.table(),
            **BadStatements(self._clock, find=self._find).table(),
            **DamagedBackups(self._network, self._rds, self._clock, find=self._find).table(),
            "shape_link": self.shape_link,
            "restore_link": self.restore_link,
            "start_sampling": self.start_sampling,
            "stop_sampling": self.stop_sampling,
            "stop": self.stop,
        }

    def identity(self) -> Answer:
        """Say who this is. A mirror that drdrill built may be broken: that is what it is for."""
        return {"environment": "embedded", "instance": self._mirror, "expendable": True}

    def hosts(self) -> Answer:
        """List the hosts with zone, address, power, and init's pid in the world."""
        return {
            "hosts": [
                {
                    "name": host.name,
                    "region": host.region,
                    "zone": host.zone,
                    "address": host.address,
                    "powered": host.powered,
                    "init_pid": host.init_pid,
                }
                for host in self._network.hosts()
            ]
        }

    def stores(self) -> Answer:
        """Describe all database instances."""
        return {"stores": [self._describe(reconciler) for reconciler in self._everyone()]}

    def store(self, resource: str) -> Answer:
        """Describe one database instance as it is now."""
        return self._describe(self._find(resource))

    def restore(self, resource: str) -> Answer:
        """Describe what a database instance was restored from."""
        reconciler = self._find(resource)
        return describe_restore(self._rds[reconciler.record.region], reconciler, self._clock)

    def shape_link(
        self,
        source: str,
        destination: str,
        *,
        delay_seconds: float = 0.0,
        bytes_per_second: int | None = None,
        cut: bool = False,
    ) -> Answer:
        """Change how the link is on which the databases of a region stream to another one; say how it was."""
        wanted = LinkCondition(delay_seconds, bytes_per_second, cut)
        return asdict(self._links_of(source, destination).shape(destination, wanted))

    def restore_link(self, source: str, destination: str) -> Answer:
        """Have the link between two regions be as it usually is; say how it was."""
        return asdict(self._links_of(source, destination).shape(destination, None))

    def _links_of(self, source: str, destination: str) -> OutgoingLinks:
        if source not in self._rds or destination not in self._rds or source == destination:
            raise UsageError(f"there is no link from {source} to {destination} in this mirror.")
        return self._rds[source].links

    def start_sampling(self, resource: str, output: str) -> Answer:
        """Append every reading of an instance's replication to a file, while whoever asks holds it."""
        self._sampling.start(self._find(resource).record.resource_id, Path(output))
        return {}

    def stop_sampling(self) -> Answer:
        """Stop all sampling."""
        self._sampling.stop()
        return {}

    def stop(self) -> Answer:
        """End the world, a moment after this answer is on its way."""
        threading.Timer(0.05, self._stop).start()
        return {}

    def _everyone(self) -> tuple[Reconciler, ...]:
        return tuple(one for region in self._rds.values() for one in region.instances())

    def _find(self, resource: str) -> Reconciler:
        for reconciler in self._everyone():
            if resource in (reconciler.record.identifier, reconciler.record.arn):
                return reconciler
        raise UsageError(f"there is no database instance `{resource}` in this mirror.")

    def _describe(self, reconciler: Reconciler) -> Answer:
        """Describe an instance; where its read replica was promoted, what that became, and what is left of the source.

        Its own servers are members still: where they live again, there are two primaries.
        """
        promoted = self._find_promoted(reconciler)
        if promoted is None:
            return self._describe_alone(reconciler)
        old, new = self._describe_alone(reconciler), self._describe(promoted)
        told_ns = find_promotion(self._role_changes_of(promoted))
        promoted_ns = self._clock.now_ns() if told_ns is None else told_ns  # not told yet: it is being done
        return {
            **new,
            "resource": old["resource"],
            "database": old["database"],
            "named_ns": old["named_ns"],
            "members": [*new["members"], *old["members"]],
            "role_changes_ns": join_heir(old["role_changes_ns"], new["role_changes_ns"], promoted_ns),
            "events": sorted([*old["events"], *new["events"]], key=lambda event: int(event["at_ns"])),
        }

    def _find_promoted(self, reconciler: Reconciler) -> Reconciler | None:
        """Return the instance that a read replica of this one became, if there was one when it was described last."""
        everyone, own = self._everyone(), reconciler.record
        followers = self._followers.setdefault(own.resource_id, set())
        followers |= {one.record.resource_id for one in everyone if one.record.source_arn == own.arn}
        promoted = (
            one for one in everyone if one.record.resource_id in followers and one.record.source_arn is None
        )
        return next(promoted, None)

    def _describe_alone(self, reconciler: Reconciler) -> Answer:
        record, sync_state = reconciler.record, reconciler.sync_state()
        of_its_own = StoreRole.PRIMARY if record.source_arn is None else StoreRole.REPLICA
        replicas = [one for one in self._everyone() if one.record.source_arn == record.arn]
        servers = (
            (of_its_own, reconciler.primary, ""),
            (StoreRole.STANDBY, reconciler.standby, sync_state),
            *((StoreRole.REPLICA, one.primary, reconciler.sync_state_of(one.primary)) for one in replicas),
        )
        members = [
            {
                "host": server.host.name,
                "zone": server.host.zone,
                "address": server.host.address,
                "role": role.value,
                "sync_state": state,
            }
            for role, server, state in servers
            if server is not None
        ]
        return {
            "resource": record.identifier,
            "database": record.resource_id,
            "region": record.region,
            "status": record.status.value,
            "endpoint": record.endpoint,
            "ttl_seconds": TTL_SECONDS,
            "members": members,
            "protected": record.secondary_zone is not None and sync_state == "sync",
            "role_changes_ns": [event.at_ns for event in self._role_changes_of(reconciler)],
            "named_ns": reconciler.instance.named_ns,
            "events": self._events_of(reconciler),
        }

    def _role_changes_of(self, reconciler: Reconciler) -> tuple[EventRecord, ...]:
        record = reconciler.record
        return self._rds[record.region].role_changes(record.resource_id)

    def _events_of(self, reconciler: Reconciler) -> list[Mapping[str, Any]]:
        record = reconciler.record
        return [
            {"at_ns": event.at_ns, "code": event.code, "message": event.message}
            for event in self._rds[record.region].events()
            if event.resource_id == record.resource_id
        ]
