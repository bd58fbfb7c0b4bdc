"""Route 53's health checkers in the world: a host on the internet for each region of AWS's that they stand in.

They stand in none of the mirror's regions, so none is lost with one. AWS has several in each region; the mirror has one
(modelled). They get power with the first health check, so a mirror without any pays nothing.

::

    looks ──its process ends──▶ not counted ──at once, on the same host──▶ looks
      └────its host loses power────▶ not counted ──when next a check is made or changed──▶ looks, from another host

It goes on with all that it watched, and holds of it what it held before.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from datetime import datetime
from typing import TYPE_CHECKING

from drdrill.aws.ports import Checker
from drdrill.aws.route53 import Observation
from drdrill.core.errors import DrdrillError
from drdrill.mirror.network import INTERNET

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from drdrill.dataplane.health_probe import Probe
    from drdrill.mirror.host import WorldHost
    from drdrill.mirror.network import Network

_DISK_BYTES = 16 << 20
_log = logging.getLogger("drdrill.mirror.health_checkers")


class InternetCheckers:
    """All checkers. Thread-safe. Implements `aws.ports.HealthCheckers`."""

    def __init__(self, network: Network, logs: Path) -> None:
        self._network = network
        self._logs = logs
        self._lock = threading.Lock()
        self._watched: dict[
            str, tuple[Probe, frozenset[str]]
        ] = {}  # by the check's id: what, and from which regions
        self._running: dict[str, _Running] = {}  # by region
        self._gone: dict[str, _Running] = {}  # by region: in whose place there is none yet
        self._idle: list[WorldHost] = []  # without power: somebody may give it back to them
        self.on_look: Callable[[str, str, Observation], None] = lambda *_: None
        self.on_loss: Callable[[str], None] = lambda _: None
        self.on_return: Callable[[Checker, Sequence[str]], None] = lambda *_: None

    def watch(self, probe: Probe, regions: Sequence[str], /) -> tuple[Checker, ...]:
        """Have the checkers of these regions look at an endpoint, and no others, from now on; return who looks."""
        with self._lock:
            self._release_idle()
            running = [self._find(region) for region in regions]
            self._watched[probe.identifier] = (probe, frozenset(regions))
            for region, one in self._running.items():
                if region in regions:
                    one.tell(watch=probe.to_json())
                else:
                    one.tell(forget=probe.identifier)
            return tuple(one.checker for one in running)

    def forget(self, identifier: str, /) -> None:
        """Look at an endpoint no longer; harmless when nobody does."""
        with self._lock:
            self._watched.pop(identifier, None)
            for one in self._running.values():
                one.tell(forget=identifier)

    def _find(self, region: str) -> _Running:
        """Return the checker of a region; one that is gone is replaced."""
        running = self._running.get(region)
        if running is not None and running.process.poll() is not None:
            self._lose(running)  # whoever follows it has not come to its end yet
            running = None
        return running or self._start(region)

    def _start(self, region: str) -> _Running:
        """Start the checker of a region; in the place of one that is gone it watches what that one did."""
        before = self._gone.get(region)
        if before is not None and before.host.powered:
            host = before.host
        else:
            host = self._network.create_host(f"health-checker-{region}", INTERNET, disk_bytes=_DISK_BYTES)
        command = [sys.executable, "-m", "drdrill.dataplane.health_checker", str(len(self._running))]
        process = host.spawn_piped(command, log=self._logs / "health-checkers.log")
        checker = Checker(host.name, region, host.address)
        running = self._running[region] = _Running(checker, host, process)
        threading.Thread(target=self._follow, args=(running,), name=host.name, daemon=True).start()
        if before is not None:
            del self._gone[region]
            if before.host is not host:
                self._idle.append(before.host)
            self._hand_over(before, running)
        return running

    def _hand_over(self, before: _Running, running: _Running) -> None:
        taken = [probe for probe, regions in self._watched.values() if running.checker.region in regions]
        running.held = dict(before.held)
        self.on_return(running.checker, [probe.identifier for probe in taken])
        for probe in taken:
            running.tell(watch=probe.to_json(), healthy=before.held.get(probe.identifier, True))

    def _lose(self, running: _Running) -> None:
        """Have a checker that is gone counted no longer; harmless when that is so."""
        region = running.checker.region
        if self._running.get(region) is running:
            self._gone[region] = self._running.pop(region)
            _log.warning("the health checker %s is gone", running.checker.name)
            self.on_loss(running.checker.name)

    def _release_idle(self) -> None:
        for host in [one for one in self._idle if one.powered]:
            self._idle.remove(host)
            self._network.release(host)

    def _follow(self, running: _Running) -> None:
        """Pass on what a checker says until it ends, and replace it."""
        assert running.process.stdout is not None  # noqa: S101  (a pipe was asked for)
        for line in running.process.stdout:
            said = json.loads(line)
            running.spoke = True
            running.held[said["id"]] = said["healthy"]
            at = datetime.fromisoformat(said["at"])
            seen = Observation(said["healthy"], said["good"], said["status"], at)
            self.on_look(running.checker.name, said["id"], seen)
        with self._lock:
            self._lose(running)
            # One that never said a word would only end again; a machine without power is somebody else's to switch on.
            if running.spoke and running.host.powered and self._gone.get(running.checker.region) is running:
                try:
                    self._start(running.checker.region)
                except DrdrillError as error:
                    _log.warning(
                        "the health checker %s was not replaced yet: %s", running.checker.name, error
                    )


class _Running:
    """A checker's process. `held`: what it holds of endpoints, by the checks' ids; `spoke`: whether it ever looked."""

    def __init__(self, checker: Checker, host: WorldHost, process: subprocess.Popen[str]) -> None:
        self.checker = checker
        self.host = host
        self.process = process
        self.held: dict[str, bool] = {}
        self.spoke = False

    def tell(self, **what: object) -> None:
        """Tell it something; one that is gone needs to know nothing."""
        assert self.process.stdin is not None  # noqa: S101  (a pipe was asked for)
        try:
            self.process.stdin.write(json.dumps(what) + "\n")
            self.process.stdin.flush()
        except OSError:
            _log.warning("the health checker %s was told nothing: it is gone", self.checker.name)
