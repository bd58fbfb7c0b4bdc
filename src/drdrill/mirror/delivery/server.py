"""The hook over HTTP, on the machine that deploys: `POST /deploy`, `POST /repositories/NAME`, `GET /healthz`.

Answers are JSON: `{"said": [...], ...}`, or `{"error": "..."}` with a status of its own for what was wrong. It trusts
whoever reaches it, as the rest of the world does: nobody outside the mirror does.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from drdrill.mirror.delivery.request import (
    BrokenMachineError,
    DeliveryError,
    NotThereError,
    WrongRequestError,
    parse_request,
)

if TYPE_CHECKING:
    from drdrill.mirror.delivery.deployment import Deployer

_LONGEST_BODY = 1 << 16
_REPOSITORIES = "/repositories/"
_SILENCE_SECONDS = 60.0


class HookServer(ThreadingHTTPServer):
    """Serves the hook at an address, a thread a request."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], deployer: Deployer) -> None:
        super().__init__(address, _Handler)
        self.deployer = deployer


class _Handler(BaseHTTPRequestHandler):
    timeout = _SILENCE_SECONDS
    server: HookServer

    def do_GET(self) -> None:
        """Say that it serves."""
        if self.path == "/healthz":
            self._answer(HTTPStatus.OK, {"ok": True})
        else:
            self._answer(
                HTTPStatus.NOT_FOUND, {"error": "POST /deploy and POST /repositories/NAME are all there is."}
            )

    def do_POST(self) -> None:
        """Do what is asked, and answer when it is done."""
        try:
            try:
                status, answer = self._perform(self._read_body())
            except OSError as error:
                raise BrokenMachineError(f"the machine that deploys failed: {error}.") from error
        except DeliveryError as error:
            self._answer(error.status, {"error": str(error)})
        else:
            self._answer(status, answer)

    def _perform(self, body: bytes) -> tuple[HTTPStatus, dict[str, Any]]:
        if self.path == "/deploy":
            return HTTPStatus.OK, self.server.deployer.deploy(parse_request(body)).describe()
        if self.path.startswith(_REPOSITORIES):
            name = self.path.removeprefix(_REPOSITORIES)
            made = self.server.deployer.create_repository(name)
            return HTTPStatus.CREATED if made else HTTPStatus.OK, {"repository": name.removesuffix(".git")}
        raise NotThereError("POST /deploy and POST /repositories/NAME are all there is.")

    def _read_body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > _LONGEST_BODY:
            raise WrongRequestError(f"a body of at most {_LONGEST_BODY} bytes with its length was expected.")
        return self.rfile.read(int(length))

    def _answer(self, status: HTTPStatus, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
