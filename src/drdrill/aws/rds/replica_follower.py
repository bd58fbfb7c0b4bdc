"""How a read replica follows its source: through failovers and restarts, to its promotion or its source's end.

Called from the replica's reconciler thread alone, besides `hear`.

::

    follows ──source deleted, same region──▶ promoted
       │ └────source deleted, other region─▶ terminated ──promote──▶ promoted
       └──────promote──────────────────────────────────────────────▶ promoted

What follows no more streams from nowhere: its source's address is taken out before it is promoted.
"""

from __future__ import annotations

import logging
import shutil
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg

from drdrill.aws.rds.model import PROMOTED, Replication, Status
from drdrill.core.clock import NANOSECONDS
from drdrill.core.errors import CommandFailedError, DrdrillError, EnvironmentFailedError
from drdrill.core.waiting import wait_until
from drdrill.dataplane.postgresql import Upstream
from drdrill.dataplane.postgresql_replication import read_timeline

if TYPE_CHECKING:
    from drdrill.aws.rds.instance import Instance
    from drdrill.aws.rds.replica_links import OutgoingLinks
    from drdrill.dataplane.postgresql import PostgresServer
    from drdrill.dataplane.postgresql_replication import ReplicationReading

_log = logging.getLogger(__name__)
_ERROR_AFTER_NS = 2 * NANOSECONDS  # measured: a failover of the source is followed within 0.3 s of its end
_LOOK_AT_FORK_EVERY_NS = NANOSECONDS
_COPIES = 3
_SOURCE_WITHIN = timedelta(seconds=60)  # measured 2.2 s: a failover
_STREAMS_WITHIN = timedelta(seconds=60)  # measured 0.2 s after a base backup
_LAST_ROWS_WITHIN = timedelta(seconds=5)
_REPLICAS_GONE_WITHIN = timedelta(seconds=15)  # measured 0.3 s
_POLL = timedelta(milliseconds=20)


class ReplicaFollower:
    """Keeps one read replica behind its source."""

    def __init__(self, instance: Instance, source: Instance) -> None:
        self._instance = instance
        self._clock = instance.region.clock
        self._source: Instance | None = source
        self._followed: PostgresServer | None = None
        self._promoting = False
        self._arn = instance.record.arn
        self._heard: tuple[int, ReplicationReading] | None = None
        self._streamed_ns = self._turned_ns = self._looked_at_fork_ns = self._clock.now_ns()
        self._on_timeline = True  # of the source: it has streamed since the source's primary changed
        instance.listeners = (*instance.listeners, self.hear)
        source.note_replica(self._arn)

    def fill(self, server: PostgresServer) -> None:
        """Make the replica's first server a copy of its source, and start it.

        A failover of the source, or a busy machine, breaks a copy off: it is begun again.
        """
        for attempt in range(1, _COPIES + 1):
            primary = wait_until(
                self._find_primary, what="a source that runs", within=_SOURCE_WITHIN, every=_POLL
            )
            assert primary is not None  # noqa: S101  (waited for)
            try:
                server.copy_from(self._upstream_to(primary))
            except (CommandFailedError, EnvironmentFailedError) as error:
                if attempt == _COPIES or not server.host.powered:
                    raise
                _log.warning("copy %d for %s failed: %s", attempt, self._instance, error)
                shutil.rmtree(server.data, ignore_errors=True)
                continue
            server.start()
            self._followed, self._turned_ns = primary, self._clock.now_ns()
            return

    def _find_primary(self) -> PostgresServer | None:
        primary = self._source.primary if self._source and self._hears(self._source) else None
        return primary if primary is not None and primary.host.powered and primary.runs else None

    def await_streaming(self) -> None:
        """Wait until a new replica streams, or is one no more: its source may be deleted meanwhile."""

        def streams() -> bool:
            self.keep()
            if self._instance.is_silent():
                raise EnvironmentFailedError("the machine of a new read replica was lost before it streamed")
            apart = self._source is None and not self._promoting
            return apart or self._instance.record.replication is Replication.REPLICATING

        wait_until(streams, what="a read replica that streams", within=_STREAMS_WITHIN, every=_POLL)

    def hear(self, _host: str, at_ns: int, reading: ReplicationReading | None, _error: str | None) -> None:
        """Take a reading of the replica's server (in its heartbeat's thread), and measure its lag."""
        following = reading.following if reading else None
        if reading is None or following is None:
            return
        self._heard = at_ns, reading
        source = self._source
        heard = source is not None and self._hears(source)
        lag = source.positions.lag_seconds(following.replayed, at_ns) if source and heard else None
        if lag is not None:
            self._instance.measure("ReplicaLag", lag, "Seconds")

    # -- following -------------------------------------------------------------------------------------------

    def keep(self) -> None:
        """Look once and act once; what fails is tried again, as long as the source and the replica may come back."""
        try:
            self._keep()
        except (psycopg.Error, DrdrillError, OSError) as error:
            _log.info("%s does not follow: %s", self._instance, error)

    def _keep(self) -> None:
        server, source = self._instance.primary, self._source
        if self._promoting:
            self._finish_promotion()
            return
        if server is None or source is None:
            return
        if not self._hears(source):
            self._judge(server)
            return
        self._note_names(source)
        if source.record.status is Status.DELETING:
            self._lose_source(server, source)
            return
        primary = source.primary
        if primary is not None and server.host.powered and primary.host.powered:
            self._turn_to(primary, server)
        self._judge(server)

    def end(self) -> None:
        """Stop following: the replica is being deleted."""
        if self._source is not None:
            self._source.note_replica(None, was=self._arn)
            self._source = None

    def _note_names(self, source: Instance) -> None:
        """Learn a new name of the source, and tell it of a new one of the replica."""
        record = self._instance.record
        if record.source_arn != source.record.arn:
            self._instance.set(source_arn=source.record.arn)
        if record.arn != self._arn:
            source.note_replica(record.arn, was=self._arn)
            self._arn = record.arn

    def _turn_to(self, primary: PostgresServer, server: PostgresServer) -> None:
        """Stream from the source's primary: another one after a failover, the same one over a new link."""
        same = primary is self._followed
        if same and (self._is_near() or self._links_of_source().lives(self._instance.region.name, primary)):
            return
        server.follow(self._upstream_to(primary))
        self._followed, self._turned_ns = primary, self._clock.now_ns()
        self._on_timeline = self._on_timeline and same

    def _judge(self, server: PostgresServer) -> None:
        """Say whether it replicates, by its own word; begin anew where it went another way than its source."""
        now_ns = self._clock.now_ns()
        at_ns, reading = self._heard or (0, None)
        following = reading.following if reading else None
        if following is not None and following.timeline is not None and at_ns > self._turned_ns:
            self._on_timeline = True
            self._streamed_ns = max(self._streamed_ns, at_ns)
        silent_ns = now_ns - self._streamed_ns
        if self._streamed_ns > self._turned_ns and silent_ns < _ERROR_AFTER_NS:
            self._say(Replication.REPLICATING)
        elif silent_ns > _ERROR_AFTER_NS and self._instance.record.status is Status.AVAILABLE:
            self._say(Replication.ERROR, "The read replica does not stream from its source.")
        if (
            self._on_timeline
            or following is None
            or now_ns - self._looked_at_fork_ns < _LOOK_AT_FORK_EVERY_NS
            or not (self._source and self._hears(self._source))
        ):
            return
        self._looked_at_fork_ns = now_ns
        if self._followed is not None and self._has_parted(self._followed, following.replayed):
            self._begin_anew(self._followed, server)

    def _has_parted(self, primary: PostgresServer, replayed: int) -> bool:
        """Tell whether the replica has rows that the promoted standby never had: then it can follow it no more."""
        try:
            with closing(primary.connect()) as connection:
                return replayed > read_timeline(connection).begins_at
        except psycopg.Error as error:
            _log.warning("the source of %s did not tell its timeline: %s", self._instance, error)
            return False

    def _begin_anew(self, primary: PostgresServer, old: PostgresServer) -> None:
        """Make a new copy beside the old one, which is read until the new one streams."""
        instance = self._instance
        text = "The read replica had received what its source's new primary never had: it is copied anew."
        instance.tell("RDS-EVENT-0045", text, "read replica")
        fresh = instance.new_server(old.host.zone)
        try:
            fresh.copy_from(self._upstream_to(primary))
            fresh.start()
            instance.serve_from(fresh)
        except (DrdrillError, psycopg.Error, OSError) as error:
            _log.warning("%s could not be copied anew: %s", instance, error)
            instance.release(fresh)
            instance.watch(old)
            return
        instance.release(old)
        self._on_timeline, self._turned_ns = True, self._clock.now_ns()

    def _say(self, replication: Replication, message: str = "") -> None:
        instance, before = self._instance, self._instance.record.replication
        if before is replication:
            return
        instance.set(replication=replication, replication_message=message)
        if replication is Replication.ERROR:
            instance.tell("RDS-EVENT-0045", f"Replication has stopped: {message}", "read replica")
        elif replication is Replication.TERMINATED:
            instance.tell("RDS-EVENT-0057", f"Replication was terminated: {message}", "read replica")
        elif before is not None:
            instance.tell("RDS-EVENT-0046", "Replication has resumed.", "read replica")

    # -- the way there ---------------------------------------------------------------------------------------

    def _hears(self, source: Instance) -> bool:
        """Tell whether the regions of replica and source hear each other: what nobody tells is not known."""
        return self._instance.region.hears(source.record.region)

    def _is_near(self) -> bool:
        return self._source is not None and self._source.record.region == self._instance.region.name

    def _links_of_source(self) -> OutgoingLinks:
        assert self._source is not None  # noqa: S101  (asked only while it follows)
        return self._instance.region.elsewhere[self._source.record.region].links

    def _upstream_to(self, primary: PostgresServer) -> Upstream:
        if self._is_near():
            return Upstream(primary.host.address)
        return self._links_of_source().lead_to(self._instance.region.name, primary)

    # -- its end ---------------------------------------------------------------------------------------------

    def promote(self) -> None:
        """Make it an instance of its own. It may lose its power on the way: then this goes on when it has it again."""
        self._promoting = True
        self.keep()

    def _finish_promotion(self) -> None:
        instance, server = self._instance, self._instance.primary
        if server is None or not server.host.powered:
            return
        new = instance.record.status is Status.CREATING  # and is, until all of it is there
        if not new:
            instance.set(status=Status.MODIFYING)  # a recovery on the way may have said that it is available
        instance.stop_watching()
        if server.is_in_recovery():
            server.follow(None)
            server.promote()
        if self._source is not None:
            self._source.note_replica(None, was=self._arn)
        self._source, self._promoting = None, False
        instance.listeners = tuple(one for one in instance.listeners if one != self.hear)
        instance.set(source_arn=None, replication=None, replication_message="")
        instance.prove(server)
        instance.watch(server)
        instance.tell(PROMOTED, "The read replica was promoted.", "read replica")
        if not new:
            instance.set(status=Status.AVAILABLE)

    def _lose_source(self, server: PostgresServer, source: Instance) -> None:
        """Go on alone: in the source's region as an instance of its own, elsewhere as a replica of nothing."""
        if self._is_near():
            self._take_last_rows(server, source)
            self._promoting = True
            self._finish_promotion()
            return
        server.follow(None)
        source.note_replica(None, was=self._arn)
        self._source = None
        self._say(Replication.TERMINATED, "The source DB instance was deleted.")

    def _take_last_rows(self, server: PostgresServer, source: Instance) -> None:
        """Wait for what the source had when it was deleted, as far as it still tells."""
        primary = source.primary
        if primary is None or not primary.host.powered:
            return
        wanted = "select pg_current_wal_flush_lsn() - '0/0'::pg_lsn"
        try:
            with closing(primary.connect()) as asked, closing(server.connect()) as own:
                row = asked.execute(wanted).fetchone()
                has = "select pg_last_wal_replay_lsn() - '0/0'::pg_lsn >= %s"
                wait_until(
                    lambda: own.execute(has, row).fetchone() == (True,),
                    what="the last rows of a deleted source",
                    within=_LAST_ROWS_WITHIN,
                    every=_POLL,
                )
        except (psycopg.Error, DrdrillError) as error:
            _log.warning("%s is promoted without its source's last rows: %s", self._instance, error)


def let_replicas_go(source: Instance) -> None:
    """Give the replicas in a deleted source's region time to have its last rows and to become instances themselves."""

    def gone() -> bool:
        return not any(arn.split(":")[3] == source.region.name for arn in source.record.replica_arns)

    try:
        wait_until(gone, what="the promotion of the replicas", within=_REPLICAS_GONE_WITHIN, every=_POLL)
    except DrdrillError as error:
        _log.warning("%s is deleted though its replicas are not ready: %s", source, error)
