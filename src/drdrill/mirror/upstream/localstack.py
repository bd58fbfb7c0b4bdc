"""A LocalStack of this machine as the upstream: found as its own client finds it, reached from the world by a relay.

It is not the mirror's: what is in it stays when the mirror goes, and two mirrors that use the same one share it.
"""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import urlopen

from drdrill.core.errors import MissingPrerequisiteError
from drdrill.mirror.control import short_path
from drdrill.mirror.upstream.unix_connection import UnixConnection

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.core.process import ProcessId
    from drdrill.mirror.directory import MirrorDirectory

_SOCKET_NAME = "upstream"
_WAITING = 128
_ANSWER_WITHIN_SECONDS = 10.0  # measured 0.01 s


class LocalStackUpstream:
    """Reaches it through the relay. Implements `Upstream`."""

    name = "LocalStack"
    started = True  # and somebody may have changed it before

    def __init__(self, directory: MirrorDirectory) -> None:
        self._path = directory.path / _SOCKET_NAME

    def connect(self) -> UnixConnection:
        """Return a new connection."""
        return UnixConnection(self._path)


def require_localstack() -> tuple[str, int]:
    """Return where a LocalStack answers; raises `MissingPrerequisiteError` with the remedy where none does."""
    from localstack_client import config  # noqa: PLC0415 (only where there is one)

    url = str(config.get_service_endpoint("s3"))
    try:
        with urlopen(f"{url}/_localstack/health", timeout=_ANSWER_WITHIN_SECONDS) as answer:  # noqa: S310 (http)
            answer.read()
    except OSError as error:
        raise MissingPrerequisiteError(
            f"no LocalStack answers at {url}: {error}. Start one, say in AWS_ENDPOINT_URL where it is, or have moto "
            "answer instead: `delegated: {upstream: moto}` in environments/embedded/environment.yaml."
        ) from error
    split = urlsplit(url)
    return split.hostname or "localhost", split.port or 80


class Relay:
    """Lets a world reach the upstream of this machine, if it has one there; raises as `require_localstack` does."""

    def __init__(self, upstream: str) -> None:
        self._where = require_localstack() if upstream == "localstack" else None
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, directory: MirrorDirectory, world: ProcessId) -> None:
        """Begin; it ends with the world."""
        if self._where is None:
            return
        path: Path = directory.path / _SOCKET_NAME
        log = directory.logs / "relay.log"
        with socket.socket(socket.AF_UNIX) as listening, log.open("ab") as said:
            with short_path(path) as short:
                listening.bind(short)
            path.chmod(0o600)
            listening.listen(_WAITING)
            descriptor, (host, port) = listening.fileno(), self._where
            arguments = map(str, (descriptor, host, port, world.pid))
            self.process = subprocess.Popen(
                [sys.executable, "-m", "drdrill.mirror.upstream.relay", *arguments],
                stdin=subprocess.DEVNULL, stdout=said, stderr=said, pass_fds=[descriptor], cwd="/",
                start_new_session=True,
            )  # fmt: skip
