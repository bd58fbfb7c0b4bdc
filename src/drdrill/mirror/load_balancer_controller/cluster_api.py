"""The cluster's API as a pod reaches it: by the service's address, with the token of its service account."""

from __future__ import annotations

import http.client
import json
import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_TIMEOUT_SECONDS = 10.0  # of an answer
_WATCH_SECONDS = 300  # how long a watch is asked for; so long it may be silent


class ApiError(Exception):
    """The API did not answer, or refused; `status` is 0 where nobody answered."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


@dataclass(frozen=True, slots=True)
class ClusterApi:
    """Asks an API server; every call is a connection of its own. `account`: the folder of the pod's token."""

    host: str
    port: int
    account: Path

    @classmethod
    def in_pod(cls) -> ClusterApi:
        """Return the API that a pod's environment names."""
        return cls(
            os.environ["KUBERNETES_SERVICE_HOST"], int(os.environ["KUBERNETES_SERVICE_PORT"]), _ACCOUNT
        )

    def ask(self, method: str, path: str, content: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return what is answered; raises `ApiError`."""
        with self._send(method, path, content, _TIMEOUT_SECONDS) as answer:
            return self._parse(path, answer)

    def watch(self, path: str, version: str) -> Iterator[dict[str, Any]]:
        """Yield the events of a list from a version on, until the server ends it; raises `ApiError`."""
        query = f"watch=1&allowWatchBookmarks=true&timeoutSeconds={_WATCH_SECONDS}&resourceVersion={version}"
        with self._send("GET", f"{path}?{query}", None, _WATCH_SECONDS + _TIMEOUT_SECONDS) as answer:
            if answer.status != http.client.OK:
                self._parse(path, answer)
            try:
                for line in answer:
                    yield json.loads(line)
            except (OSError, ValueError, http.client.HTTPException) as error:
                raise ApiError(0, f"{path}: the watch ended: {error or type(error).__name__}") from error

    def _send(
        self, method: str, path: str, content: Mapping[str, Any] | None, timeout_seconds: float
    ) -> http.client.HTTPResponse:
        context = ssl.create_default_context(cafile=str(self.account / "ca.crt"))
        connection = http.client.HTTPSConnection(
            self.host, self.port, timeout=timeout_seconds, context=context
        )
        try:
            token = (self.account / "token").read_text(encoding="ascii")  # the kubelet changes it
            headers = {
                "Authorization": f"Bearer {token}",
                "Content-Type": "application/json",
                "Connection": "close",
            }
            connection.request(method, path, json.dumps(content) if content is not None else None, headers)
            return connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise ApiError(0, f"{path}: nobody answers: {error or type(error).__name__}") from error

    @staticmethod
    def _parse(path: str, answer: http.client.HTTPResponse) -> dict[str, Any]:
        try:
            body = answer.read()
            if answer.status >= http.client.BAD_REQUEST:
                raise ApiError(
                    answer.status, f"{path}: {answer.status} {body.decode(errors='replace')[:300]}"
                )
            parsed: dict[str, Any] = json.loads(body)
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise ApiError(0, f"{path}: no whole answer: {error or type(error).__name__}") from error
        return parsed
