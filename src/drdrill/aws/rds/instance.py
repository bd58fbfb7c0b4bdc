"""One DB instance: its record, its servers, and which of them its endpoint leads to. Decides nothing."""

from __future__ import annotations

import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from drdrill.aws.cloudwatch import Metric
from drdrill.aws.rds.heartbeat import Heartbeat
from drdrill.aws.rds.model import EventRecord, InstanceRecord, Status, name_endpoint
from drdrill.aws.rds.replica_lag import SourcePositions
from drdrill.core.clock import NANOSECONDS
from drdrill.dataplane.postgresql import PostgresServer
from drdrill.dataplane.postgresql_programs import PORT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from drdrill.aws.rds.region import RdsRegion
    from drdrill.dataplane.postgresql_replication import ReplicationReading

TTL_SECONDS = 5  # of every RDS endpoint (RDS User Guide, "Failing over a Multi-AZ DB instance")
LINK_PORT = 5433
_STALE_NS = NANOSECONDS  # a reading that ten later ones did not follow says nothing of now


class Instance:
    """`record` is always what is true now. Its reconciler's threads change it; everybody may read it."""

    def __init__(
        self,
        record: InstanceRecord,
        region: RdsRegion,
        *,
        on_reading: Callable[[str, int, ReplicationReading | None, str | None], None],
    ) -> None:
        self.record = record
        self.region = region
        self.host_names: tuple[str, ...] = ()
        self.zones_used: tuple[str, ...] = ()  # of these machines, in the same order
        self._first_storage = record.allocated_storage
        self.named_ns: int | None = (
            None  # when it got the name that it has (boot time); None: when it was made
        )
        self.primary: PostgresServer | None = None
        self.parameters: Mapping[str, str] = {}  # of its group, as they are in force
        self.positions = SourcePositions()
        # Of its heartbeat.
        self.listeners: tuple[Callable[[str, int, ReplicationReading | None, str | None], None], ...] = (
            on_reading,
            self.positions.hear,
        )
        self._heartbeat: Heartbeat | None = None
        self._servers: list[PostgresServer] = []
        self._archive: Path | None = None
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Instance({self.record.identifier}, {self.record.status})"

    # -- its record ------------------------------------------------------------------------------------------

    def set(self, **changes: object) -> None:
        """Change the record; an accepted delete is not taken back by what was under way."""
        with self._lock:
            if self.record.status is Status.DELETING:
                changes.pop("status", None)
            self.record = replace(self.record, **changes)  # type: ignore[arg-type]  # the record's names and types

    def change_if(
        self, allowed: tuple[Status, ...], change: Callable[[InstanceRecord], InstanceRecord]
    ) -> bool:
        """Change the record if its status is an allowed one; false: it is not, and nothing changed."""
        with self._lock:
            if self.record.status not in allowed:
                return False
            self.record = change(self.record)
        return True

    def set_if(self, allowed: tuple[Status, ...], status: Status) -> bool:
        """Change the status if it is an allowed one; false: it is not, and nothing changed."""
        return self.change_if(allowed, lambda record: replace(record, status=status))

    def tell(self, code: str, message: str, category: str) -> None:
        """Publish an event."""
        self.region.keep_event(EventRecord.of(self.record, code, message, category, clock=self.region.clock))

    @property
    def zones(self) -> tuple[str, ...]:
        """The zones that its servers may stand in."""
        return self.region.subnet_groups.zones_for(self.record.subnet_group)

    def measure(self, metric: str, value: float, unit: str) -> None:
        """Publish a value of one of its metrics, as it is now."""
        dimensions = (("DBInstanceIdentifier", self.record.identifier),)
        self.region.on_metric(Metric("AWS/RDS", metric, dimensions), value, unit)

    def rename(self, identifier: str) -> None:
        """Take another name, under which it is found and its endpoint answers from now on."""
        old = self.record.identifier
        endpoint = name_endpoint(identifier, self.region.name)
        pending = self.record.pending.without("identifier")
        self.named_ns = self.region.clock.now_ns()  # the old name leads nowhere any more, the new one not yet
        self.region.rename(
            old, identifier, lambda: self.set(identifier=identifier, endpoint=endpoint, pending=pending)
        )
        if self.primary is not None:
            self.region.names.publish(endpoint, (self.primary.host.address,), ttl_seconds=TTL_SECONDS)

    def note_replica(self, arn: str | None, *, was: str | None = None) -> None:
        """Learn that a read replica follows from now on, under another name, or no more."""
        with self._lock:
            others = tuple(one for one in self.record.replica_arns if one not in (arn, was))
            self.record = replace(self.record, replica_arns=(*others, arn) if arn else others)

    @property
    def wants_standby(self) -> bool:
        """Whether it is a Multi-AZ instance, or is becoming one now."""
        record = self.record
        return bool(record.pending.multi_az if "multi_az" in record.pending.due else record.multi_az)

    # -- its servers -----------------------------------------------------------------------------------------

    def new_server(self, zone: str) -> PostgresServer:
        """Make a machine for a server of this instance; nothing runs on it yet."""
        name = f"{self.record.identifier}-{len(self.host_names) + 1}"
        host = self.region.fleet.create_host(name, zone, disk_bytes=self._disk_bytes)
        self.host_names += (host.name,)
        self.zones_used += (zone,)
        server = PostgresServer(host, log=self.region.logs / f"postgresql-{host.name}.log")
        server.parameters, server.archive = self.parameters, self._archive
        self._servers.append(server)
        return server

    def archive_to(self, folder: Path | None) -> None:
        """Have all servers archive their log to a folder from now on; None: to nowhere."""
        self._archive = folder
        for server in self._servers:
            server.archive = folder
        for server in self._servers:
            if server.runs:
                server.archive_to(folder)

    @property
    def _disk_bytes(self) -> int:
        """How large its disks are: those of a new instance as the mirror's are, later ones as much larger."""
        return self.region.settings.disk_bytes * self.record.allocated_storage // self._first_storage

    def grow_disks(self) -> None:
        """Make the disks of all servers as large as the allocated storage says."""
        for server in self._servers:
            self.region.fleet.grow_disk(server.host, disk_bytes=self._disk_bytes)

    def fence(self, server: PostgresServer) -> None:
        """Make sure that nothing of a server runs any more: its machine's power is reset, whatever its network does.

        On a machine without power nothing runs, nor does anything start by itself when it has some again, be it at this
        moment: it is left alone.
        """
        if server.host.powered:
            self.region.fleet.power_off(server.host)
            self.region.fleet.power_on(server.host)

    def release(self, server: PostgresServer) -> None:
        """Give a server's machine back."""
        self._servers.remove(server)
        self.region.fleet.release(server.host)

    def release_all(self) -> None:
        """Give everything back: the name, the servers, their machines."""
        self.stop_watching()
        self.region.names.withdraw(self.record.endpoint)
        for server in self._servers:
            self.region.fleet.release(server.host)
        self.primary = None

    def serve_from(self, server: PostgresServer) -> None:
        """Make this server the one that the endpoint's name leads to: only once it accepts what it is there for."""
        self.prove(server)
        self.primary = server
        delay = self.region.settings.asynchronous_delay
        if delay is not None:
            arguments = [str(LINK_PORT), str(PORT), str(delay.total_seconds())]
            link = [sys.executable, "-m", "drdrill.dataplane.link", *arguments]
            server.host.spawn(link, log=self.region.logs / f"link-{server.host.name}.log")
        self.region.names.publish(self.record.endpoint, (server.host.address,), ttl_seconds=TTL_SECONDS)
        self.set(zone=server.host.zone)
        self.watch(server)

    def prove(self, server: PostgresServer) -> None:
        """Have a server accept a write, or a read replica a read; raises psycopg's error when it does not."""
        if self.record.source_arn is None:
            server.accept_write()
        else:
            server.accept_read()

    # -- its health ------------------------------------------------------------------------------------------

    def watch(self, server: PostgresServer) -> None:
        """Begin to ask this server for its health, and nobody else any more."""
        self.stop_watching()
        replica = self.record.source_arn is not None
        self._heartbeat = Heartbeat(server, self.region.clock, self._hear, replica=replica)

    def stop_watching(self) -> None:
        """Ask nobody any more."""
        if self._heartbeat:
            self._heartbeat.stop()

    def _hear(self, host: str, at_ns: int, reading: ReplicationReading | None, error: str | None) -> None:
        for listener in self.listeners:
            listener(host, at_ns, reading, error)
        if reading is not None and reading.connections is not None:
            self.measure("DatabaseConnections", reading.connections, "Count")

    def is_silent(self) -> bool:
        """Tell whether the primary is lost, for all that its health check says."""
        heartbeat, primary = self._heartbeat, self.primary
        return bool(heartbeat and primary and self.is_lost(primary, heartbeat.silence_ns()))

    def is_lost(self, server: PostgresServer, silence_ns: int) -> bool:
        """Tell whether a server is lost: silent for the configured time; where that is zero, without power."""
        limit = self.region.settings.failure_detection
        return silence_ns > limit.total_seconds() * NANOSECONDS if limit else not server.host.powered

    def sync_state_of(self, server: PostgresServer | None) -> str:
        """Return how a standby follows now, in PostgreSQL's word; `` when it does not, or nobody knows."""
        heartbeat = self._heartbeat
        reading = heartbeat.last_reading() if heartbeat else None
        if heartbeat is None or reading is None or server is None or heartbeat.silence_ns() > _STALE_NS:
            return ""
        return next((one.sync_state for one in reading.standbys if one.name == server.host.name), "")

    def is_flushed(self, server: PostgresServer | None, position: int) -> bool:
        """Tell whether a standby has the primary's log as far as that on its disk, by the last reading."""
        reading = self._heartbeat.last_reading() if self._heartbeat else None
        return any(
            server is not None and one.name == server.host.name and (one.flushed or 0) >= position
            for one in (reading.standbys if reading else ())
        )
