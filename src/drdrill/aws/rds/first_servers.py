"""The servers that a new DB instance begins with: when a machine is lost meanwhile, another one takes its place.

RDS replaces a host that fails by itself (Amazon RDS features, "Automatic host replacement"): whoever waits for a new
instance waits longer and sees `creating` until it is there. Nothing is lost with such a machine, for nobody was served
by it. Whoever named a zone gets no machine in another one. A backup that cannot be restored is restored by no other
machine, and ends the creation at once.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import psycopg

from drdrill.aws.rds.restore_point import RestoreFailedError
from drdrill.core.errors import DrdrillError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from drdrill.aws.rds.instance import Instance
    from drdrill.aws.rds.standby import StandbyKeeper
    from drdrill.dataplane.postgresql import PostgresServer

_log = logging.getLogger(__name__)
# One after the other, in another zone each if none is named: what fails on all of them is no matter of machines.
_MACHINES = 3
_LOST = (psycopg.Error, DrdrillError, OSError)


class FirstServers:
    """Makes them, from the reconciler's thread alone.

    `fill` fills a server that is not running yet and starts it, `serve_from` has the endpoint lead to it, and
    `await_streaming` is there for a read replica only.
    """

    def __init__(
        self,
        instance: Instance,
        standby: StandbyKeeper,
        *,
        fill: Callable[[PostgresServer], None],
        serve_from: Callable[[PostgresServer], None],
        await_streaming: Callable[[], None] | None,
    ) -> None:
        self._instance = instance
        self._standby = standby
        self._fill = fill
        self._serve_from = serve_from
        self._await_streaming = await_streaming

    def make(self) -> None:
        """Make the primary and, if there is to be one, its standby; raises what the last machine failed with."""
        instance, record = self._instance, self._instance.record
        zones = _begin_with(record.zone or instance.zones[0], () if record.zone_named else instance.zones)
        for attempt in range(_MACHINES):
            primary = instance.new_server(zones[attempt % len(zones)])
            try:
                self._begin(primary)
            except RestoreFailedError:
                raise
            except _LOST as error:
                if attempt == _MACHINES - 1:
                    raise
                self._replace(primary, error)
            else:
                return

    def _begin(self, primary: PostgresServer) -> None:
        self._fill(primary)
        self._serve_from(primary)
        if self._await_streaming is not None:
            self._await_streaming()
        if self._instance.record.multi_az:
            self._make_standby(primary)

    def _make_standby(self, primary: PostgresServer) -> None:
        """Make the standby; one that is lost is made once more as long as the primary lives."""
        zones = [zone for zone in self._instance.zones if zone != primary.host.zone]
        for attempt in range(_MACHINES):
            try:
                self._standby.create(zones[attempt % len(zones)], primary)
            except _LOST as error:
                if attempt == _MACHINES - 1 or self._instance.is_silent() or not primary.host.powered:
                    raise
                _log.warning("a standby of %s is made once more: %s", self._instance, error)
                self._standby.abandon()
            else:
                return

    def _replace(self, primary: PostgresServer, error: Exception) -> None:
        """Give back what was made so far."""
        instance = self._instance
        _log.warning("%s begins on another machine: %s", instance, error)
        instance.tell(
            "MIRROR-HOST-REPLACED", "The host of the new DB instance failed and is replaced.", "recovery"
        )
        instance.stop_watching()
        self._standby.abandon()
        instance.primary = None
        instance.release(primary)


def _begin_with(zone: str, zones: Sequence[str]) -> list[str]:
    return [zone, *(other for other in zones if other != zone)]
