"""The driver of one Envoy on a host: it is told what to do by files, and asked over its own socket what it sees.

Files are replaced by renaming, which Envoy watches for. The socket stands on the host's disk: nobody in the network
can reach it, and whoever looks at the proxy needs none. First answer 0.2 s after its start, 69 MB.
"""

from __future__ import annotations

import contextlib
import http.client
import importlib.util
import itertools
import json
import os
import socket
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drdrill.core.errors import MissingPrerequisiteError
from drdrill.dataplane.envoy_configuration import ProxyConfiguration
from drdrill.dataplane.envoy_resources import CHECKS_LOG, make_bootstrap, make_resources

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from drdrill.dataplane.host import Host, RunningProcess

_ADMIN = "admin.sock"
_BOOTSTRAP = "bootstrap.json"
_ASK_SECONDS = 1.0  # measured 2 ms
_LONGEST_LOG = 4 << 20
_KNOCK_SECONDS = 0.5  # measured 0.2 ms


class Seen(StrEnum):
    """What a proxy sees of an endpoint."""

    UNCHECKED = "unchecked"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


class Failure(StrEnum):
    """How the last check of an endpoint failed."""

    CONNECTION = "connection"
    TIMEOUT = "timeout"
    STATUS = "status"


@dataclass(frozen=True, slots=True)
class EndpointHealth:
    """An endpoint as a proxy sees it; `status` is the HTTP status that was no good."""

    seen: Seen
    failure: Failure | None = None
    status: int | None = None


Place = tuple[str, str, int]  # upstream, address, port


@cache
def find_envoy() -> Path:
    """Return the program; raises `MissingPrerequisiteError` where it is not installed."""
    found = importlib.util.find_spec("envoy")
    if found is None or found.origin is None:
        raise MissingPrerequisiteError("Envoy is not installed: pip install 'drdrill[mirror]'.")
    return Path(found.origin).parent / "_bin" / "envoy"


class EnvoyProxy:
    """One proxy on one host. For one thread."""

    def __init__(self, host: Host, *, log: Path) -> None:
        self.host = host
        self._log = log
        self._process: RunningProcess | None = None
        self._versions = itertools.count(1)
        self._written: dict[str, str] = {}
        self._configuration = ProxyConfiguration()
        self._applied: ProxyConfiguration | None = None  # what its files say; None: nobody knows
        self._checks_read = 0
        self._failures: dict[Place, tuple[Failure, int | None]] = {}

    def __repr__(self) -> str:
        return f"EnvoyProxy({self.host.name})"

    @property
    def runs(self) -> bool:
        """Whether its process runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it with the configuration that it has; raises `EnvironmentFailedError` on a host without power."""
        disk = self.host.disk
        for left in (disk / _ADMIN, disk / CHECKS_LOG):
            left.unlink(missing_ok=True)
        self._checks_read, self._failures, self._written, self._applied = 0, {}, {}, None
        _write(disk / _BOOTSTRAP, json.dumps(make_bootstrap(self.host.name, f"./{_ADMIN}")))
        self.configure(self._configuration)
        # In its own folder: the path of a socket may have 107 bytes, and the disk's may have more.
        go = 'cd "$0" && exec "$@"'
        options = (
            "--disable-hot-restart",
            "--concurrency", "1",
            "--log-level", "warning",
            "--file-flush-interval-msec", "200",
            "--drain-time-s", "5",
        )  # fmt: skip
        command = ("sh", "-euc", go, str(disk), str(find_envoy()), "-c", _BOOTSTRAP, *options)
        self._process = self.host.spawn(command, log=self._log)

    def configure(self, configuration: ProxyConfiguration) -> None:
        """Have it do this from now on; it does a few milliseconds later. What has not changed is left alone."""
        if configuration == self._applied:
            return
        self._configuration, self._applied = configuration, None
        files = make_resources(configuration)
        for name, resources in files.items():
            said = json.dumps(resources)
            if self._written.get(name) != said:
                document = {"version_info": str(next(self._versions)), "resources": resources}
                _write(self.host.disk / name, json.dumps(document))
                self._written[name] = said
        for name in self._written.keys() - files.keys():
            (self.host.disk / name).unlink(missing_ok=True)
            del self._written[name]
        self._applied = configuration

    def is_live(self) -> bool:
        """Ask it whether it serves."""
        return self._ask("/ready") == b"LIVE\n"

    def read_ports(self) -> frozenset[int]:
        """Return the ports on which it listens now."""
        said = self._ask("/listeners?format=json")
        listed = json.loads(said)["listener_statuses"] if said else []
        return frozenset(one["local_address"]["socket_address"]["port_value"] for one in listed)

    def read_health(self) -> Mapping[Place, EndpointHealth] | None:
        """Return what it sees of every endpoint; None when it does not answer."""
        said = self._ask("/clusters?format=json")
        if said is None:
            return None
        self._read_failures()
        return dict(self._see(json.loads(said)))

    def _see(self, document: Mapping[str, Any]) -> Iterator[tuple[Place, EndpointHealth]]:
        for cluster in document.get("cluster_statuses", []):
            for host in cluster.get("host_statuses", []):
                place = (cluster["name"], *_read_address(host["address"]))
                yield place, self._judge(place, host["health_status"])

    def _judge(self, place: Place, status: Mapping[str, Any]) -> EndpointHealth:
        if status.get("pending_active_hc"):
            return EndpointHealth(Seen.UNCHECKED)
        if not status.get("failed_active_health_check"):
            return EndpointHealth(Seen.HEALTHY)
        # The log is written a moment later: until then it failed in the way that the status tells.
        otherwise = Failure.TIMEOUT if status.get("active_hc_timeout") else Failure.CONNECTION
        return EndpointHealth(Seen.UNHEALTHY, *self._failures.get(place, (otherwise, None)))

    def _read_failures(self) -> None:
        """Read what the log of checks has that was not read yet; begin it anew when it is long."""
        path = self.host.disk / CHECKS_LOG
        try:
            with path.open("rb") as stream:
                stream.seek(self._checks_read)
                said = stream.read()
        except OSError:  # no check has failed yet
            return
        complete = said[: said.rfind(b"\n") + 1]
        self._checks_read += len(complete)
        for line in complete.splitlines():
            with contextlib.suppress(ValueError, KeyError):  # another event than a failure
                self._note(json.loads(line))
        if self._checks_read > _LONGEST_LOG and len(complete) == len(said):
            os.truncate(path, 0)
            self._checks_read = 0

    def _note(self, event: Mapping[str, Any]) -> None:
        failed = event["health_check_failure_event"]
        failure = {"ACTIVE": Failure.STATUS, "NETWORK_TIMEOUT": Failure.TIMEOUT}.get(failed["failure_type"])
        place = (event["cluster_name"], *_read_address(event["host"]))
        self._failures[place] = (failure or Failure.CONNECTION, failed.get("http_status_code") or None)

    def _ask(self, path: str) -> bytes | None:
        try:
            folder = os.open(self.host.disk, os.O_PATH | os.O_DIRECTORY)
        except OSError:
            return None
        connection = _SocketConnection(f"/proc/self/fd/{folder}/{_ADMIN}")
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.read() if response.status == http.client.OK else None
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
            os.close(folder)


class _SocketConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_ASK_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def knock(address: str, port: int) -> bool:
    """Say whether a machine is heard from at an address: a port that is closed is an answer, too."""
    try:
        socket.create_connection((address, port), timeout=_KNOCK_SECONDS).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return True


def _read_address(described: Mapping[str, Any]) -> tuple[str, int]:
    place = described["socket_address"]
    return str(place["address"]), int(place["port_value"])


def _write(path: Path, content: str) -> None:
    """Write a file that only its owner may read (it may hold keys), and put it into place by renaming."""
    temporary = path.with_suffix(".new")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
        stream.write(content)
    temporary.replace(path)
