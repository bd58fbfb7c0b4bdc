"""moto as the upstream: a process of its own in the world, started when it is first asked.

It is reached through a Unix socket in the mirror's directory, which is open before moto has imported itself: whoever
comes early waits in its queue (measured: 1.3 s until the first answer). It is never started again: what it knew would
be gone, and nobody would be told.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

from drdrill.core.errors import EnvironmentFailedError
from drdrill.mirror.control import short_path
from drdrill.mirror.upstream.unix_connection import UnixConnection

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from drdrill.aws.ec2 import Zone
    from drdrill.mirror.directory import MirrorDirectory

_SOCKET_NAME = "upstream"
_WAITING = 128


class MotoUpstream:
    """Starts moto, once. Implements `Upstream`. Thread-safe. `zones`: of each region of the mirror."""

    name = "moto"

    def __init__(self, directory: MirrorDirectory, account: str, zones: Sequence[Zone]) -> None:
        self._path: Path = directory.path / _SOCKET_NAME
        self._log: Path = directory.logs / "moto.log"
        self._account = account
        self._zones = zones
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self.secret = secrets.token_urlsafe()  # with it moto's process is asked what is not for its callers

    @property
    def started(self) -> bool:
        """Whether anything was ever asked of it."""
        return self._process is not None

    def connect(self) -> UnixConnection:
        """Return a new connection; raises `EnvironmentFailedError` when its process has ended."""
        with self._lock:
            if self._process is None:
                self._process = self._start()
            ended = self._process.poll()
        if ended is not None:
            raise EnvironmentFailedError(
                f"moto, which answers for services that are not the mirror's own, ended with status {ended}; what it "
                f"knew is gone. Its last words are in {self._log}. Take the mirror down, and bring it up anew."
            )
        return UnixConnection(self._path)

    def stop(self) -> None:
        """End its process; in a world that ends by itself, with the world."""
        with self._lock:
            if self._process is not None:
                self._process.kill()
                self._process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        task = {
            "account": self._account,
            "zones": [
                {
                    "name": z.name,
                    "id": z.identifier,
                    "region": z.region,
                    "subnet": z.subnet,
                    "network": z.network,
                }
                for z in self._zones
            ],
        }
        with socket.socket(socket.AF_UNIX) as listening, self._log.open("ab") as log:
            with short_path(self._path) as short:
                listening.bind(short)
            self._path.chmod(0o600)
            listening.listen(_WAITING)
            descriptor = listening.fileno()
            # Not an argument, and not in its environment: others in the world can read those.
            reading, writing = os.pipe()
            with os.fdopen(writing, "w") as told:
                told.write(self.secret)
            with os.fdopen(reading) as heard:
                return subprocess.Popen(
                    [sys.executable, "-m", "drdrill.mirror.upstream.moto_process", str(descriptor), json.dumps(task)],
                    stdin=heard, stdout=log, stderr=log, pass_fds=[descriptor], cwd="/",
                    env={**os.environ, **_settings(self._account)},
                )  # fmt: skip


def _settings(account: str) -> dict[str, str]:
    """Return what moto reads from its environment, which it does while it is imported."""
    return {
        "MOTO_ACCOUNT_ID": account,
        "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",  # AWS's own policies, which roles are given
        "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",  # machines are ours
        "MOTO_DISABLE_GLOBAL_CORS": "true",  # a bucket's rules decide
        "MOTO_ACM_VALIDATION_WAIT": "2",  # seconds; moto looks at no record in the DNS, however long it waits
        "MOTO_ALLOW_NONEXISTENT_REGION": "true",  # the plan's regions may have been opened after moto was
    }
