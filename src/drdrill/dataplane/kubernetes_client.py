"""Asking a cluster's API server, as little as the mirror itself needs: an object, a list, a change."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drdrill.core.errors import ControlLostError, EnvironmentFailedError

if TYPE_CHECKING:
    import ssl

_TIMEOUT_SECONDS = 10.0  # measured 3 ms


@dataclass(frozen=True, slots=True)
class KubernetesClient:
    """One API server at an address, asked with the certificate in `context`. Every call is a connection of its own."""

    address: str
    port: int
    context: ssl.SSLContext

    def read(self, path: str) -> dict[str, Any] | None:
        """Return an object or a list, None when there is none; raises `ControlLostError` when nobody answers."""
        status, body = self._ask("GET", path)
        if status == http.client.NOT_FOUND:
            return None
        return self._parse(path, status, body)

    def delete(self, path: str) -> None:
        """Delete an object; harmless when there is none."""
        status, body = self._ask("DELETE", path)
        if status != http.client.NOT_FOUND:
            self._parse(path, status, body)

    def create(self, path: str, content: dict[str, Any]) -> None:
        """Create an object; harmless when there is one of that name."""
        status, body = self._ask("POST", path, content)
        if status != http.client.CONFLICT:
            self._parse(path, status, body)

    def change(self, path: str, content: dict[str, Any]) -> None:
        """Change what is named of an object (a merge patch); raises `EnvironmentFailedError` when there is none."""
        self._parse(path, *self._ask("PATCH", path, content, kind="application/merge-patch+json"))

    def _parse(self, path: str, status: int, body: bytes) -> dict[str, Any]:
        if status >= http.client.BAD_REQUEST:
            raise EnvironmentFailedError(
                f"the API server at {self.address} refused {path}: {status} {body.decode(errors='replace')[:500]}"
            )
        answer: dict[str, Any] = json.loads(body)
        return answer

    def _ask(
        self, method: str, path: str, content: dict[str, Any] | None = None, *, kind: str = "application/json"
    ) -> tuple[int, bytes]:
        connection = http.client.HTTPSConnection(
            self.address, self.port, timeout=_TIMEOUT_SECONDS, context=self.context
        )
        headers = {"Accept": "application/json", "Content-Type": kind}
        try:
            connection.request(method, path, json.dumps(content) if content is not None else None, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise ControlLostError(
                f"the API server at {self.address}:{self.port} does not answer: {error or type(error).__name__}"
            ) from error
        finally:
            connection.close()


def condition(node: dict[str, Any], kind: str) -> str:
    """Return the status of one condition of a node, `` without it."""
    conditions = node.get("status", {}).get("conditions", [])
    return next((one["status"] for one in conditions if one["type"] == kind), "")
