"""One server program of a cluster on a host: started, looked at over its health address, told about when it fails."""

from __future__ import annotations

import http.client
import threading
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from drdrill.core.clock import NANOSECONDS
from drdrill.core.errors import EnvironmentFailedError, NotObservedError
from drdrill.core.waiting import wait_until

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from drdrill.core.clock import Clock
    from drdrill.dataplane.host import Host, RunningProcess

_PROBE_TIMEOUT_SECONDS = 1.0  # measured 5 ms
_LINES_SHOWN = 8
_LONGEST_LINE = 400


class Health(StrEnum):
    """What a look at a component showed."""

    STOPPED = "stopped"
    NOT_READY = "not ready"
    READY = "ready"


@dataclass(frozen=True, slots=True)
class HealthAddress:
    """Where a program says over HTTP whether it is healthy; `context` is None for one that speaks no TLS."""

    address: str
    port: int
    path: str
    context: ssl.SSLContext | None = None

    def answers(self) -> bool:
        """Ask, and say whether it said yes."""
        connection = (
            http.client.HTTPConnection(self.address, self.port, timeout=_PROBE_TIMEOUT_SECONDS)
            if self.context is None
            else http.client.HTTPSConnection(
                self.address, self.port, timeout=_PROBE_TIMEOUT_SECONDS, context=self.context
            )
        )
        try:
            connection.request("GET", self.path)
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


class Component:
    """A program that is to run on a host whenever the host has power. `look` says whether it does its work.

    `rest`: how long it is left alone, once it is seen to have ended, before it is started again.
    """

    def __init__(
        self,
        name: str,
        host: Host,
        command: Sequence[str],
        *,
        log: Path,
        look: Callable[[], bool],
        rest: timedelta = timedelta(0),
    ) -> None:
        self._rest_ns = int(rest.total_seconds() * NANOSECONDS)
        self._seen_ended_ns: int | None = None
        self.name = name
        self.host = host
        self.log = log
        self._command = tuple(command)
        self._look = look
        self._process: RunningProcess | None = None
        self._log_begins = 0

    def __repr__(self) -> str:
        return f"Component({self.name} on {self.host.name})"

    def start(self) -> None:
        """Start it, if it does not run."""
        if not self.runs:
            self._log_begins = self.log.stat().st_size if self.log.exists() else 0
            self._process = self.host.spawn(self._command, log=self.log)
            self._seen_ended_ns = None

    def start_again(self, clock: Clock) -> None:
        """Start it if it does not run and has rested."""
        if not self.runs:
            now = clock.now_ns()
            self._seen_ended_ns = now if self._seen_ended_ns is None else self._seen_ended_ns
            if now - self._seen_ended_ns >= self._rest_ns:
                self.start()

    @property
    def runs(self) -> bool:
        """Whether its process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def exit_status(self) -> int | None:
        """How its process ended; None while it runs, or when it was not started."""
        return None if self._process is None else self._process.poll()

    def observe(self) -> Health:
        """Look at it now."""
        if not self.runs:
            return Health.STOPPED
        return Health.READY if self._look() else Health.NOT_READY

    def tail(self) -> str:
        """Return the last lines that it wrote since it was started."""
        try:
            with self.log.open("rb") as stream:
                stream.seek(self._log_begins)
                lines = stream.read().decode(errors="replace").splitlines()
        except OSError:
            lines = []
        said = [line[:_LONGEST_LINE] for line in lines[-_LINES_SHOWN:]]
        return "Its log ends:\n" + "\n".join(said) if said else "It wrote nothing."


def await_ready(
    components: Sequence[Component], *, what: str, within: timedelta, every: timedelta, clock: Clock
) -> None:
    """Wait until all are ready; raises `EnvironmentFailedError` that says which is not, with the tail of its log.

    One that ends by itself is told at once: nobody waits for what cannot come.
    """

    def look() -> bool:
        for component in components:
            health = component.observe()
            if health is Health.STOPPED:
                raise EnvironmentFailedError(
                    f"{component.name} of {what} ended with status {component.exit_status} on {component.host.name}. "
                    f"{component.tail()}\nThe whole log: {component.log}"
                )
            if health is not Health.READY:
                return False
        return True

    try:
        wait_until(look, what=what, within=within, every=every, clock=clock)
    except NotObservedError as error:
        late = [one for one in components if one.observe() is not Health.READY] or list(components[-1:])
        told = "\n".join(f"{one.name} on {one.host.name}: {one.tail()} ({one.log})" for one in late)
        names = ", ".join(one.name for one in late)
        raise EnvironmentFailedError(
            f"{names} of {what} was not ready within {within.total_seconds():g} s.\n{told}"
        ) from error


class Assembly:
    """Components in stages: each stage asks what the one before it serves. One that starts too early loses a second."""

    def __init__(self, what: str, *stages: Sequence[Component]) -> None:
        self._what = what
        self._stages = stages
        self._starting = threading.Lock()

    @property
    def components(self) -> tuple[Component, ...]:
        """All of them, in the order of their start."""
        return tuple(component for stage in self._stages for component in stage)

    def bring_up(
        self, prepare: Callable[[], None], *, within: timedelta, every: timedelta, clock: Clock
    ) -> None:
        """Prepare the host, start all, wait until all is ready; raises `EnvironmentFailedError` with what is not."""
        with self._starting:
            prepare()
            for stage in self._stages:
                for component in stage:
                    component.start()
                await_ready(stage, what=self._what, within=within, every=every, clock=clock)

    def restart(self, prepare: Callable[[], None], clock: Clock) -> None:
        """Start again what ended, as far as what it needs is ready; harmless when all runs, or is being brought up."""
        if all(component.runs for component in self.components) or not self._starting.acquire(blocking=False):
            return
        try:
            prepare()
            for stage in self._stages:
                for component in stage:
                    component.start_again(clock)
                if any(component.observe() is not Health.READY for component in stage):
                    return
        finally:
            self._starting.release()
