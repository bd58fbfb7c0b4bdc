"""A service behind a public name, and users who come to it: what tests of journeys and probes have in common."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import sys
import threading
from types import MappingProxyType
from typing import TYPE_CHECKING

import trustme
from aiohttp import web

from drdrill.core.clock import SystemClock
from drdrill.load.journey_config import JourneyConfig, Surroundings, plan_journeys
from drdrill.measure.journeys import Asked
from drdrill.record.ledger import read_ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import timedelta
    from pathlib import Path

    from drdrill.load.workload import Workload
    from tests.load.conftest import Names

NAME = "api.shop.example"
ZONES = ("here-a", "here-b")
_WITHIN_SECONDS = 30


class Server:
    """A service behind a public name: what it answers is the test's, what it was asked is kept.

    `behind_balancer`: a load balancer hands on to it; `without_targets`: that answers itself, for nobody is there.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        self.connections: set[object] = set()
        self.behind_balancer = self.without_targets = False
        self.answer: Callable[[int, str], tuple[int, dict[str, str]]] = lambda _, path: (200, {"token": path})
        self.authority = trustme.CA()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert(NAME).configure_cert(self._context)
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._started.wait(_WITHIN_SECONDS)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._started.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._runner.cleanup())
        self._loop.close()

    async def _serve(self) -> None:
        self._runner = web.ServerRunner(web.Server(self._handle))
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._context)
        await site.start()
        self.port: int = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]

    async def _handle(self, request: web.BaseRequest) -> web.Response:
        body = await request.read()
        self.connections.add(request.transport.get_extra_info("peername") if request.transport else None)
        self.asked.append((request.method, request.path, dict(request.headers), body))
        status, said = self.answer(len(self.asked), request.path)
        zone = ZONES[len(self.asked) % 2]
        balancer = {"server": "awselb/2.0"} if self.without_targets or self.behind_balancer else {}
        headers = balancer if self.without_targets else {**balancer, "x-zone": zone}
        return web.json_response(said, status=status, headers=headers)

    def stop(self) -> None:
        """Stop it."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()


def travel(
    workload: Workload,
    server: Server,
    names: Names,
    folder: Path,
    *,
    seconds: float,
    shape: list[float] | None = None,
    probing: bool = False,
    probe_every: Mapping[str, timedelta] = MappingProxyType({}),
    status_log: Path | None = None,
) -> tuple[JourneyConfig, str]:
    """Run the users' process to its end; return its configuration and its remarks."""
    names.records = f"{NAME}. 60 A 127.0.0.1"
    authority = folder / "authority.pem"
    server.authority.cert_pem.write_to_path(authority)
    config = plan_journeys(
        workload, Surroundings("127.0.0.1", ZONES, str(authority), names.port), seed=3, first_number=11,
        start_ns=SystemClock().now_ns() + 1_500_000_000, seconds=seconds, ledger=folder / "ledger", shape=shape,
        probing=probing, probe_every=probe_every, status_log=status_log,
    )  # fmt: skip
    return config, be_users(config, folder)


def be_users(config: JourneyConfig, folder: Path) -> str:
    """Run the process of a configuration to its end; return its remarks."""
    path = folder / "users.json"
    path.write_text(config.to_json(), encoding="utf-8")
    assert JourneyConfig.from_json(path.read_text(encoding="utf-8")) == config
    done = subprocess.run(
        [sys.executable, "-m", "drdrill.load.journey_client", str(path)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_WITHIN_SECONDS, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "ready\n"), done.stderr
    return done.stderr


def ask_ledgers(config: JourneyConfig) -> list[Asked]:
    """Return the ledgers of all steps."""
    ledgers = {one.client.name: one for one in read_ledger(config.ledger)}
    return [Asked(one.journey, one.step, one.service, ledgers[one.client.name]) for one in config.clients]
