"""The control socket of a mirror: how everything outside the world talks to its supervisor.

One JSON object a line in both directions, over a Unix socket in the mirror's directory. Socket paths are limited
to 108 bytes, so both ends open the directory and name the socket through `/proc/self/fd`.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import socketserver
import struct
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from drdrill.core.errors import ControlLostError, DrdrillError, EnvironmentFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

SOCKET_NAME = "control"
_ANSWER_WITHIN = timedelta(seconds=120)  # most make a host at most: measured 0.05 s, 1 s on a loaded machine


@contextlib.contextmanager
def short_path(path: Path) -> Iterator[str]:
    """Give a name of a socket that is short enough, whatever its path is."""
    descriptor = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{path.name}"
    finally:
        os.close(descriptor)


class Control:
    """The asking end. Every call is a connection of its own, so it can be used from any thread or process."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __repr__(self) -> str:
        return f"Control({self.path})"

    def ask(self, operation: str, /, **arguments: object) -> dict[str, Any]:
        """Have the supervisor do something and return its answer; raises as `ask_patiently` does."""
        return self.ask_patiently(operation, _ANSWER_WITHIN, **arguments)

    def ask_patiently(self, operation: str, within: timedelta, /, **arguments: object) -> dict[str, Any]:
        """Have the supervisor do something and return its answer, for which it may take as long.

        Raises `ControlLostError` when nobody answers, and `EnvironmentFailedError` with the supervisor's words.
        """
        try:
            with short_path(self.path) as short, socket.socket(socket.AF_UNIX) as connection:
                # Blocking: where many ask at once, connecting waits for its turn, and a time-out of Python's would not.
                seconds = int(within.total_seconds()) or 1
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", seconds, 0))
                connection.connect(short)
                connection.settimeout(within.total_seconds())
                with connection.makefile("rw", encoding="utf-8") as stream:
                    stream.write(json.dumps({"operation": operation, "arguments": arguments}) + "\n")
                    stream.flush()
                    line = stream.readline()
        except OSError as error:
            raise self._lost(error.strerror or str(error)) from error
        if not line:
            raise self._lost(f"it went away while it was asked to `{operation}`")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise EnvironmentFailedError(str(answer["error"]))
        return answer

    def _lost(self, why: str) -> ControlLostError:
        return ControlLostError(
            f"the mirror {self.path.parent.name} has ended: its supervisor does not answer ({why}). "
            "`drdrill env status` shows which mirrors live."
        )


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        line = self.rfile.readline()
        if not line:
            return
        assert isinstance(self.server, ControlServer)  # noqa: S101  (the only server that uses this handler)
        self.wfile.write(json.dumps(self.server.perform(line)).encode() + b"\n")


class ControlServer(socketserver.ThreadingUnixStreamServer):
    """The answering end, in the supervisor: performs named operations, one thread a connection."""

    daemon_threads = True
    request_queue_size = 128  # a supervisor that boots a region's hosts comes to its questions a moment later

    def __init__(self, path: Path, operations: Mapping[str, Callable[..., Mapping[str, Any]]]) -> None:
        self._operations = operations
        path.unlink(missing_ok=True)
        with short_path(path) as short:
            super().__init__(short, _Handler)
        path.chmod(0o600)
        threading.Thread(target=self.serve_forever, name="control", daemon=True).start()

    def perform(self, line: bytes) -> Mapping[str, Any]:
        """Perform one request and return its answer; an error of ours becomes an answer, too."""
        try:
            request = json.loads(line)
            operation = self._operations.get(request["operation"])
            if operation is None:
                return {"error": f"the supervisor does not know the operation `{request['operation']}`."}
            return operation(**request["arguments"])
        except DrdrillError as error:
            return {"error": str(error)}
        except Exception as error:  # noqa: BLE001  (the edge: whoever asked must get an answer)
            return {"error": f"the supervisor failed: {type(error).__name__}: {error}"}
