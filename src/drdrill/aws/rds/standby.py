"""The standby of a Multi-AZ instance: made in another zone, synchronous from when it is in sync, replaced when lost.

A thread of its own builds a new one, so that a loss of the primary is noticed meanwhile.

::

    none ──build──▶ adopting ──in sync──▶ protects ──lost──▶ none
                        └──late or lost──▶ none
"""

from __future__ import annotations

import logging
import queue
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg

from drdrill.aws.rds.instance import LINK_PORT
from drdrill.aws.rds.model import Status
from drdrill.core.clock import NANOSECONDS
from drdrill.core.errors import DrdrillError, EnvironmentFailedError
from drdrill.core.waiting import wait_until
from drdrill.dataplane.postgresql import Upstream
from drdrill.dataplane.postgresql_programs import PORT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drdrill.aws.rds.instance import Instance
    from drdrill.dataplane.postgresql import PostgresServer

_log = logging.getLogger(__name__)
_SYNC_WITHIN = timedelta(seconds=120)  # measured 0.3 to 3 s after a base backup
_REPLAYED_WITHIN = timedelta(seconds=10)  # measured 0.05 s
_POLL = timedelta(milliseconds=20)


class StandbyKeeper:
    """Gives an instance a standby as far as there can be one. Called from the reconciler's thread alone."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._clock = instance.region.clock
        self.server: PostgresServer | None = None
        self._seen_ns = 0
        self._adopting_since_ns: int | None = None  # it runs, but does not protect yet
        self._commits_wait = False
        self._left: PostgresServer | None = (
            None  # what the primary is to carry on without, and was not told yet
        )
        self._builder: threading.Thread | None = None
        self._built: queue.Queue[PostgresServer | None] = queue.Queue()

    @property
    def protects(self) -> bool:
        """Whether a standby protects: one that is still being made lacks rows."""
        return self.server is not None and self._adopting_since_ns is None

    def create(self, zone: str, primary: PostgresServer) -> None:
        """Make the first standby of a new instance, and wait until it is in sync.

        Raises `EnvironmentFailedError` when either is lost meanwhile.
        """
        self._adopt(self._make(zone, primary))

        def in_sync() -> bool:
            adopted = self._go_on_adopting()
            if self.server is None or self._instance.is_silent():
                raise EnvironmentFailedError("a machine was lost before the first standby was in sync")
            return adopted

        wait_until(in_sync, what="a standby in sync", within=_SYNC_WITHIN, every=_POLL)

    def abandon(self) -> None:
        """Give back a standby that was made for nothing: the new instance begins on another machine."""
        standby = self.leave()
        if standby is not None:
            self._instance.release(standby)

    def keep(self) -> None:
        """Look once and act once."""
        instance = self._instance
        if self._left is not None:
            self._carry_on_without(self._left)
        elif self._adopting_since_ns is not None:
            self._go_on_adopting()
        elif self.server is not None and self._is_lost():
            self._carry_on_alone()
        elif instance.wants_standby and self.server is None and self._builder is None:
            self._build()

    def note_primary(self) -> None:
        """Be told that another primary, or a restarted one, is watched from now on.

        That nobody looked meanwhile is no loss of the standby.
        """
        self._seen_ns = self._clock.now_ns()

    def restart(self, parameters: Mapping[str, str], position: int) -> None:
        """Start the standby anew with these parameters, after its primary, which stands at `position` in the log.

        One that does not come back is lost.
        """
        standby = self.server
        if standby is None:
            return
        try:
            standby.use_parameters(parameters, now=False)
            if standby.runs:
                wait_until(
                    lambda: standby.has_replayed(position),
                    what=f"the log on {standby.host.name}", within=_REPLAYED_WITHIN, every=_POLL,
                )  # fmt: skip
                standby.stop()
            standby.start()
            standby.prepare_promotion(self._instance.record.database)
        except (DrdrillError, psycopg.OperationalError, OSError) as error:
            _log.warning("%s did not restart: %s", standby, error)
            self._carry_on_alone()
        self.note_primary()

    def give_up(self) -> None:
        """Let the standby go, with its machine; raises psycopg's error while the primary does not answer."""
        if self._builder is not None:
            self._builder.join()
            self.take_built()
        standby, primary = self.server, self._instance.primary
        if standby is not None:
            if primary is not None:
                primary.require_synchronous("")
            self.server = self._adopting_since_ns = None
            self._instance.release(standby)
        self._instance.set(secondary_zone=None)

    def hand_over(self) -> PostgresServer | None:
        """Let go of the standby, which becomes the primary."""
        server, self.server = self.server, None
        return server

    def take_back(self, standby: PostgresServer) -> None:
        """Hold a server again that was handed over and did not become the primary."""
        self.server = standby

    def take_built(self) -> None:
        """Adopt what the builder made, if it is ready."""
        if self._builder is None or self._built.empty():
            return
        standby = self._built.get()
        self._builder = None
        if standby is not None:
            self._adopt(standby)

    def end(self) -> None:
        """Wait for a builder and let go of everything: the instance is being deleted."""
        if self._builder is not None:
            self._builder.join()
        self.server = None

    # -- losing it -------------------------------------------------------------------------------------------

    def _is_lost(self) -> bool:
        """Tell whether the standby is lost. That its machine has no power is known at once, silence is waited for."""
        if self._instance.sync_state_of(self.server):
            self._seen_ns = self._clock.now_ns()
        silence_ns = self._clock.now_ns() - self._seen_ns
        if self.server is None:
            return False
        return not self.server.host.powered or self._instance.is_lost(self.server, silence_ns)

    def leave(self) -> PostgresServer | None:
        """Take the standby's role away; nobody may promote it any more, for the primary may go on without it."""
        standby = self.server or self._left
        self.server = self._adopting_since_ns = self._left = None
        self._instance.set(secondary_zone=None)
        return standby

    def _carry_on_alone(self) -> None:
        """Acknowledge without the standby: AWS prefers availability when the standby is lost."""
        standby = self.leave()
        if standby is not None:
            self._left = standby
            self._carry_on_without(standby)

    def _carry_on_without(self, standby: PostgresServer) -> None:
        """Tell the primary; it may be lost as well, then it is told when it is back."""
        instance = self._instance
        if instance.primary is None:
            return
        instance.primary.require_synchronous("")
        self._left = None
        instance.fence(standby)
        text = "Multi-AZ standby was lost; a new one is being made."
        instance.tell("MIRROR-STANDBY-LOST", text, "availability")

    # -- making one ------------------------------------------------------------------------------------------

    def _build(self) -> None:
        instance, primary = self._instance, self._instance.primary
        zones = [zone for zone in instance.zones if primary and zone != primary.host.zone]
        # The zone that stood longest without a server of ours comes first, so that a lost zone comes last.
        latest = {zone: number for number, zone in enumerate(instance.zones_used)}
        zone = min(zones, key=lambda zone: latest.get(zone, -1))

        def build() -> None:
            try:
                self._built.put(self._make(zone, primary) if primary else None)
            except (DrdrillError, psycopg.Error, OSError) as error:
                text = f"A new standby could not be made: {error}"
                instance.tell("MIRROR-STANDBY-NOT-MADE", text, "availability")
                self._built.put(None)

        self._builder = threading.Thread(
            target=build, name=f"standby-{instance.record.identifier}", daemon=True
        )
        self._builder.start()

    def _make(self, zone: str, primary: PostgresServer) -> PostgresServer:
        instance = self._instance
        standby = instance.new_server(zone)
        asynchronous = instance.region.settings.asynchronous_delay is not None
        try:
            standby.copy_from(Upstream(primary.host.address, LINK_PORT if asynchronous else PORT))
            standby.start()
        except BaseException:
            instance.release(standby)
            raise
        return standby

    def _adopt(self, standby: PostgresServer) -> None:
        """Give a running standby its role; it protects only when `_go_on_adopting` says so."""
        self.server = standby
        self._adopting_since_ns, self._commits_wait = self._clock.now_ns(), False

    def _go_on_adopting(self) -> bool:
        """Look once how a new standby follows; from being in sync on, commits wait for it.

        With replication that is slow on purpose, streaming is all that is asked for.
        """
        instance, standby, since_ns = self._instance, self.server, self._adopting_since_ns
        primary = instance.primary
        if primary is None or standby is None or since_ns is None:
            return True
        state, asynchronous = (
            instance.sync_state_of(standby),
            instance.region.settings.asynchronous_delay is not None,
        )
        if state == "sync" or (state and asynchronous):
            standby.prepare_promotion(instance.record.database)
            self._adopting_since_ns = None
            self._seen_ns = self._clock.now_ns()
            instance.set(secondary_zone=standby.host.zone)
            if instance.record.status is not Status.CREATING:
                text = "The DB instance has a standby in another zone again."
                instance.tell("MIRROR-STANDBY-BACK", text, "availability")
            return True
        if state and not self._commits_wait:
            primary.require_synchronous(standby.host.name)
            self._commits_wait, self._seen_ns = True, self._clock.now_ns()
        late = self._clock.now_ns() - since_ns > _SYNC_WITHIN.total_seconds() * NANOSECONDS
        if late or (self._commits_wait and self._is_lost()):
            self._carry_on_alone()
        return False
