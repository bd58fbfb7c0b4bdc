"""The record of what operators call, over the control socket: started into a file that a drill holds, and stopped.

One line of JSON each: calls that reached an API (`call_log`), connections that a call tried to open to anything else or
to nobody (`connection_watch`), and at begin and end which databases follow which.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drdrill.core.clock import NANOSECONDS
from drdrill.core.errors import EnvironmentFailedError
from drdrill.mirror.connection_watch import ConnectionWatch, Outcome
from drdrill.mirror.delivery.machine import HOST as DELIVERY
from drdrill.mirror.network import managed_zone, port_of
from drdrill.mirror.sampling import append_held

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.rds import RdsRegion
    from drdrill.core.clock import Clock
    from drdrill.mirror.call_log import CallLog
    from drdrill.mirror.connection_watch import Attempt
    from drdrill.mirror.endpoints import Endpoint
    from drdrill.mirror.network import Network

    Answer = Mapping[str, Any]

_OPERATOR = "operator"
_CALLERS = {_OPERATOR: "operators", DELIVERY: "the machine that deploys"}  # by their hosts' names
_HTTPS = 443
_PORTS = {5432: "postgresql", 6379: "valkey", _HTTPS: "https", 80: "http", 9418: "git"}
_log = logging.getLogger(__name__)


class CallRecord:
    """The operations, by name in `table`. `endpoints`: what stands at the addresses of AWS's APIs. Thread-safe."""

    def __init__(
        self,
        log: CallLog,
        network: Network,
        endpoints: Mapping[str, Endpoint],
        rds: Mapping[str, RdsRegion],
        clock: Clock,
    ) -> None:
        self._log = log
        self._network = network
        self._endpoints = endpoints
        self._rds = rds
        self._clock = clock
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._output: Path | None = None
        self._problem = ""  # why the record ended before it was stopped
        self._watch: ConnectionWatch | None = None

    def table(self) -> Mapping[str, Callable[..., Answer]]:
        """Return the operations by name."""
        return {"start_call_record": self.start, "stop_call_record": self.stop}

    def start(self, output: str) -> Answer:
        """Append what operators call from now on to a file, while whoever asks holds it, and to no earlier one."""
        with self._lock:
            self._end_watch()  # of a drill that is gone
            self._log.stop()
            self._output, self._problem = Path(output), ""
            self._look_at_databases("begin")
            self._start_watch()
            callers = {
                one.address: _CALLERS[one.name] for one in self._network.hosts() if one.name in _CALLERS
            }
            self._log.start(callers, self._append)
        return {}

    def stop(self) -> Answer:
        """Record no more. Harmless when nothing is recorded.

        Raises `EnvironmentFailedError` with what kept the record from being written to its end.
        """
        with self._lock:
            self._log.stop()
            self._end_watch()
            self._look_at_databases("end")
            self._output, problem, self._problem = None, self._problem, ""
        if problem:
            raise EnvironmentFailedError(f"the record of calls ended before the failover did: {problem}.")
        return {}

    def _end_watch(self) -> None:
        if self._watch is not None:
            self._watch.stop()
        self._watch = None

    def _start_watch(self) -> None:
        host = self._network.find_host(_OPERATOR)
        watch = ConnectionWatch(port_of(host), host, self._clock, self._note_connection)
        try:
            watch.start()
        except OSError as problem:  # said, and the calls that are answered are recorded all the same
            self._append({"kind": "unwatched", "at_ns": self._clock.now_ns(), "reason": str(problem)})
            return
        self._watch = watch

    def _note_connection(self, attempt: Attempt) -> None:
        """Write an attempt down, unless it came to an API: there the call itself is told."""
        endpoint = self._endpoints.get(attempt.address)
        if endpoint is not None and attempt.outcome is Outcome.ANSWERED:
            return
        region, service, name = (
            (endpoint.region, endpoint.service, "") if endpoint else self._find_host(attempt)
        )
        self._append(
            {
                "kind": "connection",
                "at_ns": attempt.at_ns,
                "caller": _CALLERS[_OPERATOR],
                "region": region,
                "service": service,
                "name": name,
                "outcome": attempt.outcome.value,
                "tries": attempt.tries,
                "seconds": round(attempt.waited_ns / NANOSECONDS, 3),
            }
        )

    def _find_host(self, attempt: Attempt) -> tuple[str, str, str]:
        """Return region, service and name of what stands at an address that is no API's of AWS."""
        service = _PORTS.get(attempt.port, f"port {attempt.port}")
        host = next((one for one in self._network.hosts() if one.address == attempt.address), None)
        if host is None:
            return "", service, attempt.address
        if attempt.port == _HTTPS and host.region and host.zone == managed_zone(host.region):
            service = "kubernetes"
        return host.region, service, host.name

    def _look_at_databases(self, moment: str) -> None:
        """Write down which databases there are, and of which each is a copy."""
        records = [one.record for region in self._rds.values() for one in region.instances()]
        instances = [
            {
                "id": one.resource_id,
                "identifier": one.identifier,
                "region": one.region,
                "source": one.source_arn,
            }
            for one in records
        ]
        self._append(
            {"kind": "databases", "at_ns": self._clock.now_ns(), "moment": moment, "instances": instances}
        )

    def _append(self, line: Mapping[str, object]) -> None:
        with self._writing:
            if self._output is None:
                return
            try:
                append_held(self._output, line)
            except OSError as problem:
                # The drill that asked for it is gone, or its disk is full: nobody's call may fail for that.
                _log.warning("the record of calls ends: %s", problem)
                self._problem = problem.strerror or str(problem)
                self._output = None
