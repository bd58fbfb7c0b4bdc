"""The reconciler of one DB instance: makes real what the API was asked for, and reports what is real.

One thread an instance decides. What it does is what AWS documents of Multi-AZ instances: a synchronous standby in
another zone (`standby`); when the primary is lost it is fenced, the standby promoted, the endpoint's name moved, and
a new standby made. Losing the standby lets the primary carry on alone.
"""

from __future__ import annotations

import logging
import queue
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg

from drdrill.aws.rds.instance import Instance
from drdrill.aws.rds.model import InstanceRecord, Status
from drdrill.aws.rds.standby import StandbyKeeper

if TYPE_CHECKING:
    from collections.abc import Callable

    from drdrill.aws.rds.region import RdsRegion
    from drdrill.dataplane.postgresql import PostgresServer, ReplicationReading

_log = logging.getLogger(__name__)
_DECIDE_EVERY_SECONDS = 0.02
# What an instance says from the moment on at which it is asked for something.
_STATUSES = {"fail over": Status.REBOOTING, "reboot": Status.REBOOTING, "delete": Status.DELETING}


class Reconciler:
    """Decides for one DB instance, from its creation by `origin` to its end.

    `origin` fills the first server, which is not running yet, and starts it.
    """

    def __init__(
        self,
        record: InstanceRecord,
        region: RdsRegion,
        *,
        origin: Callable[[PostgresServer], None],
        on_reading: Callable[[str, int, ReplicationReading | None, str | None], None],
    ) -> None:
        self._instance = Instance(record, region, on_reading=on_reading)
        self._standby = StandbyKeeper(self._instance)
        self._region = region
        self._origin = origin
        self._lost: PostgresServer | None = None
        self._requests: queue.Queue[str] = queue.Queue()
        self._actions: dict[str, Callable[[], None]] = {
            "fail over": lambda: self._fail_over("user requested failover"),
            "reboot": self._restart,
        }
        self._thread = threading.Thread(target=self._live, name=f"rds-{record.identifier}", daemon=True)
        self._thread.start()

    # -- what the API sees -----------------------------------------------------------------------------------

    @property
    def record(self) -> InstanceRecord:
        """What is true of the instance now."""
        return self._instance.record

    @property
    def host_names(self) -> tuple[str, ...]:
        """The machines that the instance ever had."""
        return self._instance.host_names

    @property
    def primary(self) -> PostgresServer | None:
        """The server that holds the primary's role."""
        return self._instance.primary

    @property
    def standby(self) -> PostgresServer | None:
        """The server that holds the standby's role."""
        return self._standby.server

    @property
    def can_fail_over(self) -> bool:
        """Whether a standby protects: one that is still being made lacks rows."""
        return self._standby.protects

    def sync_state(self) -> str:
        """Return how the standby follows now, in PostgreSQL's word; `` when it does not."""
        return self._instance.sync_state_of(self._standby.server)

    def request(
        self,
        action: str,
        *,
        allowed: tuple[Status, ...],
        change: Callable[[InstanceRecord], InstanceRecord] = lambda record: record,
    ) -> bool:
        """Queue one of `_STATUSES` if the status allows it; the status, and what `change` says, have changed then."""
        status = _STATUSES[action]
        if not self._instance.change_if(allowed, lambda record: replace(change(record), status=status)):
            return False
        self._requests.put(action)
        return True

    def notice_power(self, host: str) -> None:
        """Be told that a host has power again. A fenced primary stays as it is: RDS replaced it."""
        lost = self._lost
        if lost is not None and lost.host.name == host and not self._region.settings.fencing:
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
            self._instance.set(status=Status.FAILED)
            self._instance.tell("RDS-EVENT-0031", f"DB instance put into failed state: {error}", "failure")
            while self._requests.get() != "delete":
                pass
            self._delete()

    def _decide(self) -> bool:
        """Look once and act once; false when the instance is gone."""
        try:
            action = self._requests.get(timeout=_DECIDE_EVERY_SECONDS)
        except queue.Empty:
            action = ""
        if action == "delete":
            self._delete()
            return False
        if action:
            self._actions[action]()
        self._standby.take_built()
        if self._instance.is_silent():
            self._recover()
            return True
        try:
            self._standby.keep()
        except psycopg.OperationalError as error:
            # The primary went away between two looks: its silence is what counts, and is seen by the next ones.
            _log.warning("the primary of %s did not answer: %s", self.record.identifier, error)
        return True

    def _create(self) -> None:
        instance, zones = self._instance, self._region.fleet.zones
        primary = instance.new_server(zones[0])
        self._origin(primary)
        self._serve_from(primary)
        if instance.record.multi_az:
            self._standby.create(zones[1], primary)
        instance.set(status=Status.AVAILABLE, created_at=self._region.clock.utc())
        instance.tell("RDS-EVENT-0005", "DB instance created", "creation")

    def _delete(self) -> None:
        self._instance.stop_watching()
        self._standby.end()
        self._instance.release_all()
        self._lost = None
        self._instance.tell("RDS-EVENT-0003", "DB instance deleted", "deletion")

    # -- losing the primary ----------------------------------------------------------------------------------

    def _recover(self) -> None:
        if self.can_fail_over:
            self._instance.set(status=Status.REBOOTING)
            self._fail_over("loss of the primary host or its network")
        elif self._instance.primary is not None:
            self._recover_in_place(self._instance.primary)

    def _recover_in_place(self, primary: PostgresServer) -> None:
        """Without a standby the instance is down until its machine has power again."""
        instance = self._instance
        if instance.record.status is Status.AVAILABLE:
            instance.set(status=Status.REBOOTING)
            instance.tell("RDS-EVENT-0020", "Recovery of the DB instance has started.", "recovery")
        if primary.host.powered:
            if primary.runs:
                primary.stop()  # it is silent, and two servers on one directory would be worse
            primary.start()
            self._serve_from(primary)
            instance.set(status=Status.AVAILABLE)
            instance.tell("RDS-EVENT-0021", "Recovery of the DB instance is complete.", "recovery")

    def _fail_over(self, reason: str) -> None:
        """Fence the primary, promote the standby, move the name; then the instance is available again."""
        instance, lost = self._instance, self._instance.primary
        standby = self._standby.hand_over() if self.can_fail_over and lost is not None else None
        if lost is None or standby is None:
            self._restart()  # the standby was lost since this was asked for; an incomplete one would lose rows
            return
        instance.tell("RDS-EVENT-0013", f"Multi-AZ instance failover started: {reason}.", "failover")
        instance.stop_watching()
        if self._region.settings.fencing:
            had_power = lost.host.powered
            self._region.fleet.power_off(lost.host)
            if had_power:  # fenced by a reset: its server is not started again, and no host is left dark
                self._region.fleet.power_on(lost.host)
        standby.promote()
        self._lost = lost
        self._serve_from(standby)
        instance.set(status=Status.AVAILABLE, secondary_zone=None)
        instance.tell("RDS-EVENT-0049", "Multi-AZ instance failover completed.", "failover")

    def _restart(self) -> None:
        instance, primary = self._instance, self._instance.primary
        if primary is None or not primary.host.powered:
            return  # its silence leads to recovery
        instance.stop_watching()
        primary.stop()
        primary.start()
        primary.accept_write()
        self._watch(primary)
        instance.set(status=Status.AVAILABLE)
        instance.tell("RDS-EVENT-0006", "DB instance restarted", "availability")

    def _serve_from(self, server: PostgresServer) -> None:
        self._standby.note_primary()
        self._instance.serve_from(server)

    def _watch(self, server: PostgresServer) -> None:
        self._standby.note_primary()
        self._instance.watch(server)
