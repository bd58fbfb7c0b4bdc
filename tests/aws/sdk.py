"""Plain boto3 whose HTTP is answered by a gate in this process, and a small service behind it."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.awsrequest import AWSResponse
from botocore.loaders import Loader

from drdrill.aws.gate import Gate, Service

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from botocore.config import Config

    from drdrill.aws.protocol import Parameters

REGION = "eu-west-1"
NOBODY = "nobody"  # signatures are not verified


@dataclass
class Wire:
    """Carries requests of an SDK to a gate; `sent` are the requests' methods and URLs, `failures` what it reported."""

    services: Mapping[tuple[str, str], Service] = field(default_factory=dict)
    sent: list[tuple[str, str]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def client(
        self, service: str, region: str = REGION, config: Config | None = None, models: Path | None = None
    ) -> Any:
        """Return an SDK's client that is connected to the gate; `models`: where it finds others than botocore's."""
        core = botocore.session.Session()
        if models is not None:
            core.register_component("data_loader", Loader(extra_search_paths=[str(models)]))
        session = boto3.Session(NOBODY, NOBODY, region_name=region, botocore_session=core)
        client = session.client(service, config=config)
        client.meta.events.register("before-send", self._send)
        return client

    def call(
        self, environ: Mapping[str, Any], body: bytes = b"", *, stream: io.BytesIO | None = None
    ) -> tuple[str, dict[str, str], bytes]:
        """Send one request (WSGI) to the gate and return status, headers and body."""
        said: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]]) -> None:
            said.append((status, headers))

        complete = {"CONTENT_LENGTH": str(len(body)), **environ, "wsgi.input": stream or io.BytesIO(body)}
        document = b"".join(self.gate()(complete, start_response))
        ((status, headers),) = said
        return status, dict(headers), document

    def gate(self) -> Any:
        """Return what requests meet."""
        return Gate(self.services, self.failures.append)

    def _send(self, request: Any, **_: object) -> AWSResponse:
        self.sent.append((request.method, request.url))
        url = urlsplit(request.url)
        body = request.body or b""
        if hasattr(body, "read"):
            body = body.read()
        environ = {"REQUEST_METHOD": request.method, "PATH_INFO": url.path, "QUERY_STRING": url.query}
        environ["HTTP_HOST"] = url.netloc
        for name, value in request.headers.items():
            key = name.upper().replace("-", "_")
            text = value.decode() if isinstance(value, bytes) else str(value)
            environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = text
        status, headers, document = self.call(environ, body.encode() if isinstance(body, str) else body)
        return AWSResponse(request.url, int(status.split()[0]), headers, _Raw(document))


class _Raw(io.BytesIO):
    """A body as the SDK reads it."""

    def stream(self, **_: object) -> list[bytes]:
        """Return everything."""
        return [self.read()]


@dataclass
class SmallService:
    """An API of a few operations."""

    implemented: Mapping[str, Callable[[Parameters], Mapping[str, Any]]]
    name: str = "rds"

    def operations(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations."""
        return self.implemented
