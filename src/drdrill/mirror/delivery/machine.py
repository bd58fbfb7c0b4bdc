"""The machine that deploys, as the supervisor has it: made when it is asked for, its programs kept running.

It stands where the company's CI does: on the internet, or in a zone, and then it is lost with that zone. Its disk
survives a power cut, with the repositories.
"""

from __future__ import annotations

import logging
import sys
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from drdrill.core.errors import DrdrillError, UsageError
from drdrill.dataplane.kubernetes_component import Assembly, Component, HealthAddress
from drdrill.dataplane.kubernetes_programs import expect_program
from drdrill.mirror.network import INTERNET

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from drdrill.aws.ports import Names
    from drdrill.core.clock import Clock
    from drdrill.mirror.directory import MirrorDirectory
    from drdrill.mirror.host import WorldHost
    from drdrill.mirror.network import Network

NAME = "ci.internal"
_HOOK_PORT = 80
_GIT_PORT = 9418
HOST = "ci"
_FOLDER = "delivery"  # on its disk
_DISK = 256 << 20
_TTL_SECONDS = 60
_READY_WITHIN = timedelta(seconds=30)  # measured 0.3 s
_POLL = timedelta(milliseconds=50)
_KEEP_EVERY_SECONDS = 1.0
_log = logging.getLogger("drdrill.mirror.delivery")


class DeliveryMachine:
    """Thread-safe. It deploys as the operators do: by their kubeconfig, to whatever cluster is in it then."""

    def __init__(self, network: Network, names: Names, directory: MirrorDirectory, clock: Clock) -> None:
        self._network = network
        self._names = names
        self._directory = directory
        self._clock = clock
        self._lock = threading.Lock()
        self._host: WorldHost | None = None
        self._programs: Assembly | None = None

    def table(self) -> Mapping[str, Callable[..., Mapping[str, Any]]]:
        """Return what can be asked for over the control socket, by name."""
        return {"start_ci": self.start}

    @property
    def zone(self) -> str | None:
        """Where it stands; None: there is none."""
        host = self._host
        return host.zone if host else None

    @property
    def repositories(self) -> Path | None:
        """The folder of its repositories; None where there is no machine."""
        host = self._host
        return host.disk / _FOLDER / "repositories" if host else None

    def start(self, zone: str | None = None) -> Mapping[str, Any]:
        """Make the machine, on the internet or in a zone, and return when it serves; harmless when there is one."""
        where = zone or INTERNET
        with self._lock:
            if self._host is None:
                self._make(where)
            host = self._host
        assert host is not None  # noqa: S101  (made above)
        if host.zone != where and zone is not None:
            raise UsageError(f"the machine that deploys stands in {host.zone} already, not in {zone}.")
        return {
            "host": host.name,
            "zone": host.zone,
            "hook": f"http://{NAME}",
            "repositories": f"git://{NAME}",
            "powered": host.powered,
        }

    def _make(self, zone: str) -> None:
        zones = [name for layout in self._network.regions for name in layout.zones]
        if zone not in (INTERNET, *zones):
            raise UsageError(f"there is no zone `{zone}` in this mirror: {', '.join(zones)}.")
        kubectl = expect_program("kubectl")
        host = self._network.create_host(HOST, zone, disk_bytes=_DISK)
        try:
            programs = self._describe_programs(host, kubectl)
            programs.bring_up(lambda: None, within=_READY_WITHIN, every=_POLL, clock=self._clock)
        except BaseException:
            self._network.release(host)
            raise
        self._names.publish(NAME, (host.address,), ttl_seconds=_TTL_SECONDS)
        self._host, self._programs = host, programs
        threading.Thread(target=self._keep, args=(host, programs), name="delivery", daemon=True).start()

    def _describe_programs(self, host: WorldHost, kubectl: str) -> Assembly:
        folder: Path = host.disk / _FOLDER
        kubeconfig = self._directory.disks / "operator" / ".kube" / "config"
        hook = [
            sys.executable, "-m", "drdrill.mirror.delivery", host.address, str(_HOOK_PORT), str(folder),
            str(kubeconfig), kubectl,
        ]  # fmt: skip
        repositories = folder / "repositories"
        git = [
            "git", "daemon", "--reuseaddr", f"--listen={host.address}", f"--port={_GIT_PORT}", "--export-all",
            "--enable=receive-pack", f"--base-path={repositories}", str(repositories),
        ]  # fmt: skip
        health = HealthAddress(host.address, _HOOK_PORT, "/healthz")
        logs = self._directory.logs
        return Assembly(
            "the machine that deploys",
            # First: it makes the folder that the other one serves.
            (Component("hook", host, hook, log=logs / "ci-hook.log", look=health.answers),),
            (Component("git", host, git, log=logs / "ci-git.log", look=lambda: True),),
        )

    def _keep(self, host: WorldHost, programs: Assembly) -> None:
        """Start again what ended while the machine has power, as its init would."""
        while True:
            self._clock.sleep(_KEEP_EVERY_SECONDS)
            if host.powered:
                try:
                    programs.restart(lambda: None, self._clock)
                except DrdrillError as error:
                    _log.warning("%s", error)
