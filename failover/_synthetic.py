"""A synthetic user: requests of the public API, over HTTPS to the public name, or directly to a load balancer.

Directly means that only the connection goes there: certificate and `Host` are the public name's, as users have them.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECONDS = 10
_SHOWN = 200  # characters of an answer in a message


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: bytes

    def json(self) -> dict[str, Any]:
        """Return the body as an object; empty when it is none."""
        try:
            said = json.loads(self.body)
        except ValueError:
            return {}
        return said if isinstance(said, dict) else {}

    def tell(self) -> str:
        """Return the status and how the body begins."""
        return f"HTTP {self.status}: {self.body.decode(errors='replace')[:_SHOWN]}"


class Api(Protocol):
    """What answers requests."""

    def request(
        self, method: str, path: str, *, headers: Mapping[str, str], body: bytes | None = None
    ) -> Answer:
        """Send a request; raises `OSError` or `HTTPException` when nothing comes back."""
        ...


class PublicApi:
    """The API by its public name. `target`: a host that is connected to in its place; empty: by DNS."""

    def __init__(self, name: str, target: str = "", *, port: int = 443, seconds: float = _SECONDS) -> None:
        self._name, self._target, self._port, self._seconds = name, target or name, port, seconds
        # Where AWS's own clients are told of an authority, it is that one; otherwise the system's.
        self._tls = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or None)

    def request(
        self, method: str, path: str, *, headers: Mapping[str, str], body: bytes | None = None
    ) -> Answer:
        """Send a request over a connection of its own; raises `OSError` or `HTTPException` when nothing comes back."""
        connection = http.client.HTTPSConnection(self._name, timeout=self._seconds)
        raw = socket.create_connection((self._target, self._port), timeout=self._seconds)
        try:
            connection.sock = self._tls.wrap_socket(raw, server_hostname=self._name)
            connection.request(method, path, body=body, headers=dict(headers))
            answer = connection.getresponse()
            return Answer(answer.status, answer.read())
        finally:
            connection.close()
            raw.close()
