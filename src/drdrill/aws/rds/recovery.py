"""What becomes of a DB instance whose primary is lost: a failover to its standby, or its own machine's return.

The primary is fenced, the standby promoted, the endpoint's name moved; the keeper of the standby makes a new one.

::

    lost ──standby protects, has power──▶ fenced ──▶ promoted ──▶ serves
      │                                                └──does not answer──┐
      └──no such standby──▶ waits for the primary's power ◀────────────────┘
                                       └──▶ starts ──▶ serves, without the standby that was lost with it
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import psycopg

from drdrill.aws.rds.model import Status
from drdrill.core.errors import DrdrillError, NotObservedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from drdrill.aws.rds.instance import Instance
    from drdrill.aws.rds.standby import StandbyKeeper
    from drdrill.dataplane.postgresql import PostgresServer

_log = logging.getLogger(__name__)
_STARTS = 3  # a machine may lose its power again, and have it back, while a server starts


class Recovery:
    """Brings an instance back. Called from the reconciler's thread alone, besides `notice_power`.

    `restart`, `follow` (a read replica's source) and `resting`, what the instance says when nothing is the matter, are
    the reconciler's.
    """

    def __init__(
        self,
        instance: Instance,
        standby: StandbyKeeper,
        *,
        restart: Callable[[], bool],
        follow: Callable[[], None],
        resting: Callable[[], Status],
    ) -> None:
        self._instance = instance
        self._standby = standby
        self._restart = restart
        self._follow = follow
        self._resting = resting
        self._lost: PostgresServer | None = None
        self._starts_failed = 0  # in a row, on a machine that has power

    def notice_power(self, host: str) -> None:
        """Be told that a host has power again. A fenced primary stays as it is: RDS replaced it."""
        lost = self._lost
        if lost is None or lost.host.name != host or self._instance.region.settings.fencing:
            return
        if not lost.runs:
            lost.start()

    def end(self) -> None:
        """Let go of everything: the instance is deleted."""
        self._lost = None

    def recover(self) -> None:
        """Have the standby take over, or the primary come back: one step of it, as far as there is power."""
        standby = self._standby.server
        # That a standby without power cannot take over is plain at once. Whoever has power again first is waited for.
        if self._standby.protects and standby is not None and standby.host.powered:
            self._instance.set(status=Status.REBOOTING)
            self.fail_over("loss of the primary host or its network")
        elif self._instance.primary is not None:
            self._recover_in_place(self._instance.primary)

    def _recover_in_place(self, primary: PostgresServer) -> None:
        """Without a standby that could take over, the instance is down until its machine has power again.

        The primary has every acknowledged row. A standby that was lost with it is let go first: what the primary
        acknowledges from now on it lacks.
        """
        instance = self._instance
        if instance.record.status in (Status.AVAILABLE, Status.BACKING_UP, Status.STORAGE_FULL):
            instance.set(status=Status.REBOOTING)
            instance.tell("RDS-EVENT-0020", "Recovery of the DB instance has started.", "recovery")
        if not primary.host.powered:
            return
        standby = self._standby.leave()
        if standby is not None:
            instance.fence(standby)
        if primary.runs:
            instance.fence(primary)  # it is silent, and two servers on one directory would be worse
        try:
            primary.start()
            if primary.synchronous_standby:
                primary.require_synchronous("")
            self.serve_from(primary)
        except (psycopg.OperationalError, DrdrillError) as error:
            # It was lost again, hangs, or its network is still away: the next look tries again.
            _log.warning("the primary of %s is not back: %s", self._instance, error)
            self._starts_failed += isinstance(error, DrdrillError) and primary.host.powered
            if self._starts_failed >= _STARTS:
                raise
            return
        self._starts_failed = 0
        self._follow()  # a promotion that this interrupted goes on before anybody is told
        instance.set(status=self._resting())
        instance.tell("RDS-EVENT-0021", "Recovery of the DB instance is complete.", "recovery")

    def fail_over(self, reason: str) -> None:
        """Fence the primary, promote the standby, move the name; then the instance is available again."""
        instance, lost = self._instance, self._instance.primary
        standby = self._standby.hand_over() if self._standby.protects and lost is not None else None
        if lost is None or standby is None:
            self._restart()  # the standby was lost since this was asked for: an incomplete one lacks rows
            return
        instance.tell("RDS-EVENT-0013", f"Multi-AZ instance failover started: {reason}.", "failover")
        instance.stop_watching()
        if instance.region.settings.fencing:
            instance.fence(lost)
        try:
            self._promote_standby(standby, lost)
        except (psycopg.OperationalError, DrdrillError) as error:
            # It is lost, too. Nobody knows whether it heard: it is fenced, and the one that has every row comes back.
            _log.warning("the standby of %s did not take over: %s", self._instance, error)
            self._standby.take_back(standby)
            self._recover_in_place(lost)
            return
        self._lost, instance.primary = lost, standby
        instance.set(secondary_zone=None)
        try:
            self.serve_from(standby)
        except psycopg.OperationalError as error:  # lost as soon as it was the primary: it comes back as such
            _log.warning("the new primary of %s does not serve: %s", self._instance, error)
        else:
            instance.set(status=self._resting())
        instance.tell("RDS-EVENT-0049", "Multi-AZ instance failover completed.", "failover")

    def _promote_standby(self, standby: PostgresServer, lost: PostgresServer) -> None:
        """Make the standby the primary; where nobody else has every row, one that hangs is started anew for that."""
        try:
            standby.promote()
        except (psycopg.OperationalError, NotObservedError) as error:
            if lost.host.powered or not standby.host.powered:
                raise
            _log.warning("the standby of %s is started anew: %s", self._instance, error)
            self._instance.fence(standby)
            standby.start()
            standby.promote()

    def serve_from(self, server: PostgresServer) -> None:
        """Make a server the one that the endpoint leads to; raises psycopg's error when it does not serve."""
        self._standby.note_primary()
        self._instance.serve_from(server)
