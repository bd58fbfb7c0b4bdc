"""The reconciler of one DB instance: makes real what the API was asked for, and reports what is real.

One thread an instance decides; a second one builds a new standby, so that a loss of the primary is noticed
meanwhile. What it does is what AWS documents of Multi-AZ instances: a synchronous standby in another zone; when
the primary is lost it is fenced, the standby promoted, the endpoint's name moved, and a new standby made. Losing
the standby lets the primary carry on alone.
"""

from __future__ import annotations

import logging
import queue
import sys
import threading
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg

from drdrill.aws.rds.heartbeat import Heartbeat
from drdrill.aws.rds.model import EventRecord, InstanceRecord, RdsSettings, Status
from drdrill.core.clock import NANOSECONDS, Clock
from drdrill.core.errors import DrdrillError
from drdrill.core.waiting import wait_until
from drdrill.dataplane.postgresql import PostgresServer, Upstream
from drdrill.dataplane.postgresql_programs import PORT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from drdrill.aws.ports import Fleet, Names
    from drdrill.dataplane.postgresql import ReplicationReading

TTL_SECONDS = 5  # of every RDS endpoint (RDS User Guide, "Failing over a Multi-AZ DB instance")
LINK_PORT = 5433
_log = logging.getLogger(__name__)
_DECIDE_EVERY_SECONDS = 0.02
_SYNC_WITHIN = timedelta(seconds=120)  # measured 0.3 to 3 s after a base backup
_POLL = timedelta(milliseconds=20)
_STALE_NS = NANOSECONDS  # a reading that ten later ones did not follow says nothing of now


class Reconciler:
    """Owns the servers of one DB instance. `record` is always what is true now."""

    def __init__(
        self,
        record: InstanceRecord,
        *,
        password: str,
        fleet: Fleet,
        names: Names,
        settings: RdsSettings,
        clock: Clock,
        logs: Path,
        on_event: Callable[[EventRecord], None],
        on_reading: Callable[[str, int, ReplicationReading | None, str | None], None],
    ) -> None:
        self.record = record
        self._password = password
        self._fleet = fleet
        self._names = names
        self._settings = settings
        self._clock = clock
        self._logs = logs
        self._on_event = on_event
        self._on_reading = on_reading
        self.host_names: tuple[str, ...] = ()
        self._asked_hosts = 0
        self._lost: PostgresServer | None = None
        self._primary: PostgresServer | None = None
        self._standby: PostgresServer | None = None
        self._heartbeat: Heartbeat | None = None
        self._standby_seen_ns = 0
        self._adopting_since_ns: int | None = None  # the standby runs, but does not protect yet
        self._commits_wait = False
        self._servers: list[PostgresServer] = []
        self._lock = threading.Lock()
        self._builder: threading.Thread | None = None
        self._built: queue.Queue[PostgresServer | None] = queue.Queue()
        self._requests: queue.Queue[str] = queue.Queue()
        self._thread = threading.Thread(target=self._live, name=f"rds-{record.identifier}", daemon=True)
        self._thread.start()

    # -- what the API sees -----------------------------------------------------------------------------------

    @property
    def primary(self) -> PostgresServer | None:
        """The server that holds the primary's role."""
        return self._primary

    @property
    def standby(self) -> PostgresServer | None:
        """The server that holds the standby's role."""
        return self._standby

    @property
    def can_fail_over(self) -> bool:
        """Whether a standby protects: one that is still being made lacks rows."""
        return self._standby is not None and self._adopting_since_ns is None

    def sync_state(self) -> str:
        """Return how the standby follows now, in PostgreSQL's word; `` when it does not."""
        heartbeat, standby = self._heartbeat, self._standby
        reading = heartbeat.last_reading() if heartbeat else None
        if heartbeat is None or reading is None or standby is None or heartbeat.silence_ns() > _STALE_NS:
            return ""
        return next((s.sync_state for s in reading.standbys if s.name == standby.host.name), "")

    def request(self, action: str, *, allowed: tuple[Status, ...]) -> bool:
        """Queue `reboot`, `fail over` or `delete` if the status allows it; it has changed already then."""
        with self._lock:
            if self.record.status not in allowed:
                return False
            status = Status.DELETING if action == "delete" else Status.REBOOTING
            self.record = replace(self.record, status=status)
        self._requests.put(action)
        return True

    def notice_power(self, host: str) -> None:
        """Be told that a host has power again. A fenced primary stays as it is: RDS replaced it."""
        lost = self._lost
        if lost is not None and lost.host.name == host and not self._settings.fencing:
            lost.start()

    def look_now(self) -> None:
        """Have it look at once instead of a moment later: failure detection may be modelled as zero."""
        self._requests.put("")

    # -- its life --------------------------------------------------------------------------------------------

    def _live(self) -> None:
        try:
            self._create()
            while self._decide():
                pass
        except Exception as error:  # noqa: BLE001 (whatever it was: the status must not lie for ever)
            _log.exception("the reconciler of %s gave up", self.record.identifier)
            self._set(status=Status.FAILED)
            self._tell("RDS-EVENT-0031", f"DB instance put into failed state: {error}", "failure")
            while self._requests.get() != "delete":
                pass
            self._delete()

    def _decide(self) -> bool:
        """Look once and act once; false when the instance is gone."""
        try:
            action = self._requests.get(timeout=_DECIDE_EVERY_SECONDS)
        except queue.Empty:
            action = ""
        match action:
            case "delete":
                self._delete()
                return False
            case "fail over":
                self._fail_over("user requested failover")
            case "reboot":
                self._restart()
        self._take_built_standby()
        if self._silent():
            self._recover()
            return True
        try:
            self._keep_standby()
        except psycopg.OperationalError as error:
            # The primary went away between two looks: its silence is what counts, and is seen by the next ones.
            _log.warning("the primary of %s did not answer: %s", self.record.identifier, error)
        return True

    def _keep_standby(self) -> None:
        if self._adopting_since_ns is not None:
            self._go_on_adopting()
        elif self._standby is not None and self._standby_lost():
            self._carry_on_alone()
        elif self.record.multi_az and self._standby is None and self._builder is None:
            self._build_standby()

    def _create(self) -> None:
        zones = self._fleet.zones
        primary = self._new_server(zones[0])
        primary.initialise()
        primary.start()
        primary.create_roles(
            master_user=self.record.master_username,
            master_password=self._password,
            database=self.record.database,
        )
        self._serve_from(primary)
        if self.record.multi_az:
            self._adopt(self._make_standby(zones[1], primary))
            wait_until(self._go_on_adopting, what="a standby in sync", within=_SYNC_WITHIN, every=_POLL)
        self._set(status=Status.AVAILABLE, created_at=self._clock.utc())
        self._tell("RDS-EVENT-0005", "DB instance created", "creation")

    def _serve_from(self, server: PostgresServer) -> None:
        """Make this server the primary that the endpoint's name leads to: only once it accepts a write."""
        server.accept_write()
        self._primary = server
        if self._settings.asynchronous_delay is not None:
            delay = self._settings.asynchronous_delay.total_seconds()
            link = [sys.executable, "-m", "drdrill.dataplane.link", str(LINK_PORT), str(PORT), str(delay)]
            server.host.spawn(link, log=self._logs / f"link-{server.host.name}.log")
        self._names.publish(self.record.endpoint, (server.host.address,), ttl_seconds=TTL_SECONDS)
        self._set(zone=server.host.zone)
        self._watch(server)

    def _watch(self, server: PostgresServer) -> None:
        if self._heartbeat:
            self._heartbeat.stop()
        self._standby_seen_ns = self._clock.now_ns()  # nobody looked before: that is no loss of the standby
        self._heartbeat = Heartbeat(server, self._clock, self._on_reading)

    # -- losing the primary ----------------------------------------------------------------------------------

    def _silent(self) -> bool:
        heartbeat, primary = self._heartbeat, self._primary
        return bool(heartbeat and primary and self._is_lost(primary, heartbeat.silence_ns()))

    def _is_lost(self, server: PostgresServer, silence_ns: int) -> bool:
        """Tell whether a server is lost: silent for the configured time; where that is zero, without power."""
        limit = self._settings.failure_detection
        return silence_ns > limit.total_seconds() * NANOSECONDS if limit else not server.host.powered

    def _recover(self) -> None:
        if self.can_fail_over:
            self._set(status=Status.REBOOTING)
            self._fail_over("loss of the primary host or its network")
        elif self._primary is not None:
            self._recover_in_place(self._primary)

    def _recover_in_place(self, primary: PostgresServer) -> None:
        """Without a standby the instance is down until its machine has power again."""
        if self.record.status is Status.AVAILABLE:
            self._set(status=Status.REBOOTING)
            self._tell("RDS-EVENT-0020", "Recovery of the DB instance has started.", "recovery")
        if primary.host.powered:
            if primary.runs:
                primary.stop()  # it is silent, and two servers on one directory would be worse
            primary.start()
            self._serve_from(primary)
            self._set(status=Status.AVAILABLE)
            self._tell("RDS-EVENT-0021", "Recovery of the DB instance is complete.", "recovery")

    def _fail_over(self, reason: str) -> None:
        """Fence the primary, promote the standby, move the name; then the instance is available again."""
        lost, standby = self._primary, self._standby
        if lost is None or standby is None or not self.can_fail_over:
            self._restart()  # the standby was lost since this was asked for; an incomplete one would lose rows
            return
        self._tell("RDS-EVENT-0013", f"Multi-AZ instance failover started: {reason}.", "failover")
        if self._heartbeat:
            self._heartbeat.stop()
        if self._settings.fencing:
            had_power = lost.host.powered
            self._fleet.power_off(lost.host)
            if had_power:  # fenced by a reset: its server is not started again, and no host is left dark
                self._fleet.power_on(lost.host)
        standby.promote()
        self._standby, self._lost = None, lost
        self._serve_from(standby)
        self._set(status=Status.AVAILABLE, secondary_zone=None)
        self._tell("RDS-EVENT-0049", "Multi-AZ instance failover completed.", "failover")

    def _restart(self) -> None:
        primary = self._primary
        if primary is None or not primary.host.powered:
            return  # its silence leads to recovery
        if self._heartbeat:
            self._heartbeat.stop()
        primary.stop()
        primary.start()
        primary.accept_write()
        self._watch(primary)
        self._set(status=Status.AVAILABLE)
        self._tell("RDS-EVENT-0006", "DB instance restarted", "availability")

    # -- having a standby ------------------------------------------------------------------------------------

    def _standby_lost(self) -> bool:
        if self.sync_state():
            self._standby_seen_ns = self._clock.now_ns()
        standby, silence_ns = self._standby, self._clock.now_ns() - self._standby_seen_ns
        return standby is not None and self._is_lost(standby, silence_ns)

    def _carry_on_alone(self) -> None:
        """Acknowledge without the standby: AWS prefers availability when the standby is lost."""
        standby, primary = self._standby, self._primary
        if standby is None or primary is None:
            return
        primary.require_synchronous("")
        self._fleet.power_off(standby.host)
        self._standby = self._adopting_since_ns = None
        self._set(secondary_zone=None)
        text = "Multi-AZ standby was lost; a new one is being made."
        self._tell("MIRROR-STANDBY-LOST", text, "availability")

    def _build_standby(self) -> None:
        primary = self._primary
        zones = [zone for zone in self._fleet.zones if primary and zone != primary.host.zone]
        # The zone that stood longest without a server of ours comes first, so that a lost zone is not asked twice.
        zone = zones[self._asked_hosts % len(zones)]

        def build() -> None:
            try:
                self._built.put(self._make_standby(zone, primary) if primary else None)
            except (DrdrillError, psycopg.Error, OSError) as error:
                self._tell(
                    "MIRROR-STANDBY-NOT-MADE", f"A new standby could not be made: {error}", "availability"
                )
                self._built.put(None)

        self._builder = threading.Thread(target=build, name=f"standby-{self.record.identifier}", daemon=True)
        self._builder.start()

    def _take_built_standby(self) -> None:
        if self._builder is None or self._built.empty():
            return
        standby = self._built.get()
        self._builder = None
        if standby is not None:
            self._adopt(standby)

    def _make_standby(self, zone: str, primary: PostgresServer) -> PostgresServer:
        standby = self._new_server(zone)
        asynchronous = self._settings.asynchronous_delay is not None
        try:
            standby.copy_from(Upstream(primary.host.address, LINK_PORT if asynchronous else PORT))
            standby.start()
        except BaseException:
            self._release(standby)
            raise
        return standby

    def _adopt(self, standby: PostgresServer) -> None:
        """Give a running standby its role; it protects only when `_go_on_adopting` says so."""
        self._standby = standby
        self._adopting_since_ns, self._commits_wait = self._clock.now_ns(), False

    def _go_on_adopting(self) -> bool:
        """Look once how a new standby follows; from being in sync on, commits wait for it.

        With replication that is slow on purpose, streaming is all that is asked for.
        """
        primary, standby, since_ns = self._primary, self._standby, self._adopting_since_ns
        if primary is None or standby is None or since_ns is None:
            return True
        state, asynchronous = self.sync_state(), self._settings.asynchronous_delay is not None
        if state == "sync" or (state and asynchronous):
            standby.open_control()
            self._adopting_since_ns = None
            self._standby_seen_ns = self._clock.now_ns()
            self._set(secondary_zone=standby.host.zone)
            if self.record.status is not Status.CREATING:
                text = "The DB instance has a standby in another zone again."
                self._tell("MIRROR-STANDBY-BACK", text, "availability")
            return True
        if state and not self._commits_wait:
            primary.require_synchronous(standby.host.name)
            self._commits_wait, self._standby_seen_ns = True, self._clock.now_ns()
        late = self._clock.now_ns() - since_ns > _SYNC_WITHIN.total_seconds() * NANOSECONDS
        if late or (self._commits_wait and self._standby_lost()):
            self._carry_on_alone()
        return False

    # -- small parts -----------------------------------------------------------------------------------------

    def _new_server(self, zone: str) -> PostgresServer:
        self._asked_hosts += 1
        name = f"{self.record.identifier}-{self._asked_hosts}"
        host = self._fleet.create_host(name, zone, disk_bytes=self._settings.disk_bytes)
        self.host_names += (host.name,)
        server = PostgresServer(host, log=self._logs / f"postgresql-{host.name}.log")
        self._servers.append(server)
        return server

    def _release(self, server: PostgresServer) -> None:
        self._servers.remove(server)
        self._fleet.release(server.host)

    def _delete(self) -> None:
        if self._heartbeat:
            self._heartbeat.stop()
        self._names.withdraw(self.record.endpoint)
        if self._builder is not None:
            self._builder.join()
        for server in self._servers:
            self._fleet.release(server.host)
        self._primary = self._standby = self._lost = None
        self._tell("RDS-EVENT-0003", "DB instance deleted", "deletion")

    def _set(self, **changes: object) -> None:
        with self._lock:
            if self.record.status is Status.DELETING:
                changes.pop("status", None)  # an accepted delete is not taken back by what was under way
            self.record = replace(self.record, **changes)  # type: ignore[arg-type]  # the record's names and types

    def _tell(self, code: str, message: str, category: str) -> None:
        self._on_event(EventRecord.of(self.record, code, message, category, clock=self._clock))
