"""The reconciler of one DB instance: makes real what the API was asked for, and reports what is real.

One thread an instance decides. What it does is what AWS documents of Multi-AZ instances: a synchronous standby in
another zone (`standby`), and a failover to it when the primary is lost (`recovery`).
"""

from __future__ import annotations

import logging
import queue
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg

from drdrill.aws.rds.backups import BackupKeeper
from drdrill.aws.rds.first_servers import FirstServers
from drdrill.aws.rds.instance import Instance
from drdrill.aws.rds.model import InstanceRecord, Status
from drdrill.aws.rds.modifier import Modifier
from drdrill.aws.rds.parameter_keeper import APPLYING, ParameterKeeper
from drdrill.aws.rds.recovery import Recovery
from drdrill.aws.rds.replica_follower import ReplicaFollower, let_replicas_go
from drdrill.aws.rds.restart import Restarter
from drdrill.aws.rds.restore_point import RestoreFailedError
from drdrill.aws.rds.standby import StandbyKeeper
from drdrill.aws.rds.storage import StorageWatch

if TYPE_CHECKING:
    from collections.abc import Callable

    from drdrill.aws.rds.region import RdsRegion
    from drdrill.dataplane.postgresql import PostgresServer
    from drdrill.dataplane.postgresql_replication import ReplicationReading

_log = logging.getLogger(__name__)
_DECIDE_EVERY_SECONDS = 0.05  # half of what its health check takes to ask again
# What an instance says from the moment on at which it is asked for something.
_STATUSES = {
    "fail over": Status.REBOOTING,
    "reboot": Status.REBOOTING,
    "delete": Status.DELETING,
    "promote": Status.MODIFYING,
    "modify": Status.MODIFYING,
    "rename": Status.RENAMING,
    "reset credentials": Status.RESETTING_CREDENTIALS,
    "stop": Status.STOPPING,
    "start": Status.STARTING,
}


class Reconciler:
    """Decides for one DB instance, from its creation by `origin` to its end.

    `origin` fills the first server, which is not running yet, and starts it; of a read replica it is the source.
    """

    def __init__(
        self,
        record: InstanceRecord,
        region: RdsRegion,
        *,
        origin: Callable[[PostgresServer], None] | Reconciler,
        on_reading: Callable[[str, int, ReplicationReading | None, str | None], None],
    ) -> None:
        self._instance = Instance(record, region, on_reading=on_reading)
        self._standby = StandbyKeeper(self._instance)
        self._storage = StorageWatch(self._instance)
        self.backups = BackupKeeper(self._instance)
        self._parameters = ParameterKeeper(self._instance)
        self._restarter = Restarter(
            self._instance, self._standby, self._parameters, resting=lambda: self._modifier.resting
        )
        self._recovery = Recovery(
            self._instance,
            self._standby,
            restart=self._restarter.restart,
            follow=self._follow,
            resting=lambda: self._modifier.resting,
        )
        self._modifier = Modifier(
            self._instance,
            self._standby,
            restart=self._restarter.restart,
            fail_over=self._recovery.fail_over,
        )
        self._region = region
        self._follower: ReplicaFollower | None = None
        fill: Callable[[PostgresServer], None]
        if isinstance(origin, Reconciler):
            self._follower = ReplicaFollower(self._instance, origin.instance)
            fill = self._follower.fill
        else:
            fill = origin
        self._first_servers = FirstServers(
            self._instance,
            self._standby,
            fill=fill,
            serve_from=self._recovery.serve_from,
            await_streaming=self._follower.await_streaming if self._follower else None,
        )
        self._requests: queue.Queue[str] = queue.Queue()
        self._actions: dict[str, Callable[[], object]] = {
            "fail over": lambda: self._recovery.fail_over("user requested failover"),
            "reboot": self._restarter.restart,
            "stop": self._restarter.stop,
            "start": self._restarter.start,
            "modify": self._modifier.begin,
            "rename": self._modifier.begin,
            "reset credentials": self._modifier.begin,
            "promote": self._promote,
        }
        self._thread = threading.Thread(target=self._live, name=f"rds-{record.identifier}", daemon=True)
        self._thread.start()

    # -- what the API sees -----------------------------------------------------------------------------------

    @property
    def record(self) -> InstanceRecord:
        """What is true of the instance now."""
        return self._instance.record

    @property
    def instance(self) -> Instance:
        """What it decides for: its replicas follow it."""
        return self._instance

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
        return self.sync_state_of(self._standby.server)

    def sync_state_of(self, server: PostgresServer | None) -> str:
        """Return how a server follows now, the standby or that of a read replica."""
        return self._instance.sync_state_of(server)

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

    def change(
        self, change: Callable[[InstanceRecord], InstanceRecord], *, allowed: tuple[Status, ...]
    ) -> bool:
        """Change what is true as soon as it is said, if the status allows it."""
        return self._instance.change_if(allowed, change)

    def note_parameters(self) -> None:
        """Be told that the parameter group is about to change."""
        self._instance.set(parameter_status=APPLYING)

    def notice_power(self, host: str) -> None:
        """Be told that a host has power again."""
        self._recovery.notice_power(host)

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
            unusable = isinstance(error, RestoreFailedError)
            status = Status.INCOMPATIBLE_RESTORE if unusable else Status.FAILED
            self._instance.set(status=status)
            self._instance.tell("RDS-EVENT-0031", f"DB instance put into {status} state: {error}", "failure")
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
        try:
            if action:
                self._actions[action]()
            self._look()
        except (psycopg.OperationalError, OSError) as error:
            # The primary went away between two looks, or has no space left for a word of ours. Its silence is what
            # counts, and is seen by the next looks; what was not done is done by one of them.
            _log.warning("the primary of %s did not answer: %s", self.record.identifier, error)
        return True

    def _look(self) -> None:
        """Look once at everything that goes on by itself."""
        if self._restarter.idle:
            return
        self._standby.take_built()
        if self._instance.is_silent():
            self._recovery.recover()
            return
        self._follow()
        self._standby.keep()
        self._storage.look()
        self._parameters.keep((self.primary, self.standby))
        self.backups.apply_retention()
        self._modifier.go_on()

    def _create(self) -> None:
        instance = self._instance
        self.backups.apply_retention()
        self._first_servers.make()
        status = Status.BACKING_UP if self.backups.wanted else Status.AVAILABLE
        # One that was kept and is made again was created when it was first.
        created_at = instance.record.created_at or self._region.clock.utc()
        instance.set(status=status, created_at=created_at)
        instance.tell("RDS-EVENT-0005", "DB instance created", "creation")
        self.backups.start()

    def _follow(self) -> None:
        if self._follower:
            self._follower.keep()

    def _promote(self) -> None:
        if self._follower:
            self._follower.promote()

    def _delete(self) -> None:
        let_replicas_go(self._instance)
        if self._follower:
            self._follower.end()
        self._instance.stop_watching()
        self._standby.end()
        self.backups.end()
        self._instance.release_all()
        self._recovery.end()
        self._instance.tell("RDS-EVENT-0003", "DB instance deleted", "deletion")
