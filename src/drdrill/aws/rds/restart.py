"""Restarts an instance in its place, stops it and starts it again, with all that its parameter group says.

::

    available ──reboot──▶ rebooting ──▶ available
        │                     └──its parameters let it not start──▶ incompatible-parameters ──reboot──▶ …
        └──stop──▶ stopping ──▶ stopped ──start──▶ starting ──▶ available
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import psycopg

from drdrill.aws.rds.model import Status
from drdrill.core.errors import DrdrillError

if TYPE_CHECKING:
    from collections.abc import Callable

    from drdrill.aws.rds.instance import Instance
    from drdrill.aws.rds.parameter_keeper import ParameterKeeper
    from drdrill.aws.rds.standby import StandbyKeeper
    from drdrill.dataplane.postgresql import PostgresServer

_log = logging.getLogger(__name__)


class Restarter:
    """Stops and starts the servers of one instance. Called from the reconciler's thread alone.

    `resting` says what the instance says when that is over.
    """

    def __init__(
        self,
        instance: Instance,
        standby: StandbyKeeper,
        parameters: ParameterKeeper,
        *,
        resting: Callable[[], Status],
    ) -> None:
        self._instance = instance
        self._standby = standby
        self._parameters = parameters
        self._resting = resting

    @property
    def idle(self) -> bool:
        """Whether no server is to run until somebody asks for it."""
        return self._instance.record.status in (Status.STOPPED, Status.INCOMPATIBLE_PARAMETERS)

    def restart(self) -> bool:
        """Start the primary anew, and its standby if it has to be; false when the primary did not come back."""
        instance, primary = self._instance, self._instance.primary
        if primary is None:
            return False
        instance.stop_watching()
        static, came_back = self._parameters.take_all(), False
        try:
            if primary.host.powered:
                self._start_anew(primary)
                came_back = True
        except (DrdrillError, psycopg.OperationalError, OSError) as error:
            # A read replica may have fewer of something than its source: PostgreSQL does not start it then, either.
            suspected = static or instance.record.source_arn is not None
            if suspected and primary.host.powered and not primary.runs:
                instance.set(status=Status.INCOMPATIBLE_PARAMETERS)
                text = f"Database instance put into incompatible-parameters. {error}"
                instance.tell("RDS-EVENT-0035", text, "failure")
                return False
            _log.warning("%s did not restart: %s", instance, error)
        self._standby.note_primary()
        instance.watch(primary)
        if not came_back or not primary.host.powered or not primary.runs:
            return False  # its silence leads to recovery
        if static or (self._standby.server is not None and not self._standby.server.runs):
            self._standby.restart(instance.parameters, primary.read_position())
        self._parameters.settle()
        instance.set(status=self._resting())
        instance.tell("RDS-EVENT-0006", "DB instance restarted", "availability")
        return True

    def _start_anew(self, primary: PostgresServer) -> None:
        primary.use_parameters(self._instance.parameters, now=False)
        self._stop(primary)
        primary.start()
        self._instance.prove(primary)

    def stop(self) -> None:
        """Stop all servers; the machines, their disks and the endpoint's name stay."""
        instance = self._instance
        instance.stop_watching()
        for server in (instance.primary, self._standby.server):
            if server is not None:
                self._stop(server)
        instance.set(status=Status.STOPPED)
        instance.tell("RDS-EVENT-0087", "DB instance stopped", "notification")

    def _stop(self, server: PostgresServer) -> None:
        """Stop a server; one that hears nothing any more is stopped by its machine's power."""
        if not server.runs:
            return
        try:
            server.stop()
        except DrdrillError as error:
            _log.warning("%s is stopped by its power: %s", server, error)
            self._instance.fence(server)

    def start(self) -> None:
        """Start what was stopped."""
        if self.restart():
            self._instance.tell("RDS-EVENT-0088", "DB instance started", "notification")
