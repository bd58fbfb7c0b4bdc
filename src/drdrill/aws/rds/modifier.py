"""Carries out what was asked of an instance by `ModifyDBInstance`, one step after the other, and says when it is true.

Every step can be taken again: what a loss of the primary interrupts goes on when there is one again. What was not to
be applied immediately waits for the maintenance window.

::

    available ──due──▶ modifying, renaming, resetting-master-credentials ──all true──▶ available
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from drdrill.aws.rds.maintenance import is_within
from drdrill.aws.rds.model import Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from drdrill.aws.rds.instance import Instance
    from drdrill.aws.rds.model import InstanceRecord
    from drdrill.aws.rds.standby import StandbyKeeper
    from drdrill.dataplane.postgresql import PostgresServer


class Modifier:
    """Makes pending changes true. Called from the reconciler's thread alone.

    `restart` and `fail_over` are the reconciler's; the instance says `resting` when they are over.
    """

    def __init__(
        self,
        instance: Instance,
        standby: StandbyKeeper,
        *,
        restart: Callable[[], bool],
        fail_over: Callable[[str], None],
    ) -> None:
        self._instance = instance
        self._standby = standby
        self._restart = restart
        self._fail_over = fail_over
        self._password: tuple[PostgresServer, int] | None = None  # where it was changed, and where in the log
        self.resting = Status.AVAILABLE  # what the instance says when nothing else is the matter

    def begin(self) -> None:
        """Begin with what is due, if anything is and it is not begun yet."""
        record = self._instance.record
        if self.resting is not Status.AVAILABLE or not record.pending.due:
            return
        self.resting = record.pending.status
        if "allocated_storage" in record.pending.due:
            self._grow()  # at once: without it, a full database may never answer again
        if record.pending.multi_az and "multi_az" in record.pending.due:
            self._tell("RDS-EVENT-0024", "Applying modification to convert to a Multi-AZ DB Instance.")

    def go_on(self) -> None:
        """Look once and take one step; raises psycopg's error while the primary does not answer."""
        instance = self._instance
        self._heed_the_window()
        self.begin()
        if self.resting is Status.AVAILABLE:
            return
        instance.change_if((Status.AVAILABLE,), lambda record: replace(record, status=self.resting))
        primary = instance.primary
        if instance.record.status is not self.resting or primary is None or not primary.host.powered:
            return  # it is being recovered, or deleted
        due = instance.record.pending.due
        for name, step in (
            ("backup_retention_days", self._retain),
            ("password", self._set_password),
            ("instance_class", self._change_class),
            ("multi_az", self._change_standby),
            ("identifier", self._rename),
        ):
            if name in due:
                step(primary)
                return
        if not instance.record.multi_az or self._standby.protects:
            self.resting = Status.AVAILABLE
            instance.set(status=Status.AVAILABLE)

    def _heed_the_window(self) -> None:
        """Make due what waits, if the maintenance window is open."""
        instance = self._instance
        pending, window = instance.record.pending, instance.record.maintenance_window
        if pending.names() == pending.due or not is_within(window, instance.region.clock.utc()):
            return

        def make_due(record: InstanceRecord) -> InstanceRecord:
            due = replace(record.pending, due=record.pending.names())
            return replace(record, pending=due, status=due.status)

        instance.change_if((Status.AVAILABLE,), make_due)

    # -- the steps -------------------------------------------------------------------------------------------

    def _grow(self) -> None:
        """Make the disks as much larger as the storage becomes."""
        self._done("allocated_storage", allocated_storage=self._instance.record.pending.allocated_storage)
        self._instance.grow_disks()
        self._tell("RDS-EVENT-0017", "Finished applying modification to allocated storage.")

    def _retain(self, _: PostgresServer) -> None:
        days = self._instance.record.pending.backup_retention_days
        self._done("backup_retention_days", backup_retention_days=days)

    def _set_password(self, primary: PostgresServer) -> None:
        """Change it, and wait until the standby has the change, too: a failover must not bring the old one back."""
        record = self._instance.record
        if self._password is None or self._password[0] is not primary:
            position = primary.set_password(record.master_username, str(record.pending.password))
            self._password = (primary, position)
        if self._standby.protects and not self._instance.is_flushed(self._standby.server, self._password[1]):
            return
        self._password = None
        self._done("password")
        self._tell("RDS-EVENT-0016", "Reset master credentials.")

    def _change_class(self, _: PostgresServer) -> None:
        """Have the outage that another machine means: of a failover with a standby, of a restart without one."""
        instance = self._instance
        self._tell("RDS-EVENT-0012", "Applying modification to database instance class.")
        if self._standby.protects:
            self._fail_over("database instance class modification")
        elif not self._restart():
            return
        self._done("instance_class", instance_class=instance.record.pending.instance_class)
        self._tell("RDS-EVENT-0014", "Finished applying modification to DB instance class.")

    def _change_standby(self, _: PostgresServer) -> None:
        if not self._instance.record.pending.multi_az:
            self._tell(
                "RDS-EVENT-0030", "Applying modification to convert to a standard (Single-AZ) DB Instance."
            )
            self._standby.give_up()
            self._done("multi_az", multi_az=False)
            text = "Finished applying modification to convert to a standard (Single-AZ) DB Instance."
            self._tell("RDS-EVENT-0029", text)
        elif self._standby.protects:
            self._done("multi_az", multi_az=True)
            self._tell(
                "RDS-EVENT-0025", "Finished applying modification to convert to a Multi-AZ DB Instance."
            )

    def _rename(self, _: PostgresServer) -> None:
        """Withdraw the name of the old endpoint, restart, publish the new one; the machines stay."""
        instance = self._instance
        instance.region.names.withdraw(instance.record.endpoint)
        if not self._restart():
            return  # what recovers it publishes the old name again
        instance.rename(str(instance.record.pending.identifier))

    def _done(self, name: str, **changes: object) -> None:
        self._instance.set(pending=self._instance.record.pending.without(name), **changes)

    def _tell(self, code: str, message: str) -> None:
        self._instance.tell(code, message, "configuration change")
