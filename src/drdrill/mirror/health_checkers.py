"""Route 53's health checkers in the world: a host on the internet for each region of AWS's that they stand in.

They stand in none of the mirror's regions, so none is lost with one. AWS has several in each region; the mirror has one
(modelled). They get power with the first health check, so a mirror without any pays nothing.
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
from drdrill.mirror.network import INTERNET

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from drdrill.dataplane.health_probe import Probe
    from drdrill.mirror.network import Network

_DISK_BYTES = 16 << 20
_log = logging.getLogger("drdrill.mirror.health_checkers")


class InternetCheckers:
    """All checkers. Thread-safe. Implements `aws.ports.HealthCheckers`."""

    def __init__(self, network: Network, logs: Path) -> None:
        self._network = network
        self._logs = logs
        self._lock = threading.Lock()
        self._running: dict[str, _Running] = {}  # by region
        self.on_look: Callable[[str, str, Observation], None] = lambda *_: None
        self.on_loss: Callable[[str], None] = lambda _: None

    def watch(self, probe: Probe, regions: Sequence[str], /) -> tuple[Checker, ...]:
        """Have the checkers of these regions look at an endpoint, and no others, from now on; return who looks."""
        with self._lock:
            running = [self._find(region) for region in regions]
            for region, one in self._running.items():
                if region in regions:
                    one.tell(watch=probe.to_json())
                else:
                    one.tell(forget=probe.identifier)
            return tuple(one.checker for one in running)

    def forget(self, identifier: str, /) -> None:
        """Look at an endpoint no longer; harmless when nobody does."""
        with self._lock:
            for one in self._running.values():
                one.tell(forget=identifier)

    def _find(self, region: str) -> _Running:
        """Return the checker of a region; one that is gone is replaced."""
        running = self._running.get(region)
        if running is None or running.process.poll() is not None:
            running = self._running[region] = self._start(region)
        return running

    def _start(self, region: str) -> _Running:
        host = self._network.create_host(f"health-checker-{region}", INTERNET, disk_bytes=_DISK_BYTES)
        command = [sys.executable, "-m", "drdrill.dataplane.health_checker", str(len(self._running))]
        process = host.spawn_piped(command, log=self._logs / "health-checkers.log")
        checker = Checker(host.name, region, host.address)
        running = _Running(checker, process)
        threading.Thread(target=self._follow, args=(running,), name=host.name, daemon=True).start()
        return running

    def _follow(self, running: _Running) -> None:
        """Pass on what a checker says until it ends."""
        assert running.process.stdout is not None  # noqa: S101  (a pipe was asked for)
        for line in running.process.stdout:
            said = json.loads(line)
            at = datetime.fromisoformat(said["at"])
            seen = Observation(said["healthy"], said["good"], said["status"], at)
            self.on_look(running.checker.name, said["id"], seen)
        _log.warning("the health checker %s is gone", running.checker.name)
        self.on_loss(running.checker.name)


class _Running:
    """A checker's process."""

    def __init__(self, checker: Checker, process: subprocess.Popen[str]) -> None:
        self.checker = checker
        self.process = process

    def tell(self, **what: object) -> None:
        """Tell it something; one that is gone needs to know nothing."""
        assert self.process.stdin is not None  # noqa: S101  (a pipe was asked for)
        try:
            self.process.stdin.write(json.dumps(what) + "\n")
            self.process.stdin.flush()
        except OSError:
            _log.warning("the health checker %s was told nothing: it is gone", self.checker.name)
