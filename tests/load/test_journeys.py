"""What users do who come in by a public name: read from the workload, carried out by a real process over TLS."""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
import sys
import threading
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from aiohttp import web

from drdrill.core.clock import SystemClock
from drdrill.core.errors import DamagedRecordError, InvalidInputError
from drdrill.load.https import judge
from drdrill.load.journey_config import JourneyConfig, Surroundings, plan_journeys
from drdrill.load.journeys import fill, fill_value, share_at
from drdrill.load.workload import load_workload
from drdrill.measure.journeys import Asked, measure_journeys
from drdrill.plan import load_plan
from drdrill.record.ledger import ClientKind, Outcome, outcomes_of, read_ledger, servers_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from drdrill.load.workload import Workload
    from tests.load.conftest import Names

_REPOSITORY = Path(__file__).resolve().parents[2]
_WORKLOAD = _REPOSITORY / "environments" / "embedded" / "workload.yaml"
NAME = "api.shop.example"
ZONES = ("here-a", "here-b")
_WITHIN_SECONDS = 30


class Server:
    """A service behind a public name: what it answers is the test's, what it was asked is kept."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        self.connections: set[object] = set()
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
        return web.json_response(said, status=status, headers={"x-zone": zone})

    def stop(self) -> None:
        """Stop it."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    """Return a running service."""
    running = Server()
    yield running
    running.stop()


@pytest.fixture
def workload(server: Server, tmp_path: Path) -> Workload:
    """Return a workload of two steps: a log-in, and a write that uses what it gave."""
    text = _WORKLOAD.read_text(encoding="utf-8").partition("\njourneys:")[0]
    path = tmp_path / "workload.yaml"
    path.write_text(text + f"""
journeys:
  public_name: https://{NAME}:{server.port}
  cohorts: 8
  timeout: 2 s
  give_up: 5 s
  users: {{name: "user-{{number}}", count: 3}}
  values: {{password: open}}
  journeys:
  - name: buy
    every: 1 s
    pause: 100 ms
    steps:
    - name: log in
      service: auth
      request: POST /login
      body: {{user: "{{user}}", password: "{{password}}"}}
      take: {{token: token}}
    - name: pay
      service: payments
      request: POST /pay
      headers: {{Authorization: "{{token}}", Idempotency-Key: "{{id}}"}}
      body: {{amount_minor: "{{amount}}"}}
      writes: true
  probes:
    every: 500 ms
    timeout: 1 s
    log_in: &log_in
      name: log in
      service: auth
      request: POST /login
      body: {{user: "{{user}}", password: "{{password}}"}}
      take: {{token: token}}
    asking:
    - *log_in
    - name: pay
      service: payments
      request: POST /pay
      headers: {{Authorization: "{{token}}", Idempotency-Key: "{{id}}"}}
      body: {{amount_minor: "{{amount}}"}}
      writes: true
""", encoding="utf-8")  # fmt: skip
    return load_workload(path)


def _travel(
    workload: Workload,
    server: Server,
    names: Names,
    folder: Path,
    *,
    seconds: float,
    shape: list[float] | None = None,
    probing: bool = False,
    status_log: Path | None = None,
) -> tuple[JourneyConfig, str]:
    """Run the users' process to its end; return its configuration and its remarks."""
    names.records = f"{NAME}. 60 A 127.0.0.1"
    authority = folder / "authority.pem"
    server.authority.cert_pem.write_to_path(authority)
    config = plan_journeys(
        workload, Surroundings("127.0.0.1", ZONES, str(authority), names.port), seed=3, first_number=11,
        start_ns=SystemClock().now_ns() + 1_500_000_000, seconds=seconds, ledger=folder / "ledger", shape=shape,
        probing=probing, status_log=status_log,
    )  # fmt: skip
    path = folder / "users.json"
    path.write_text(config.to_json(), encoding="utf-8")
    assert JourneyConfig.from_json(path.read_text(encoding="utf-8")) == config
    done = subprocess.run(
        [sys.executable, "-m", "drdrill.load.journey_client", str(path)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_WITHIN_SECONDS, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "ready\n"), done.stderr
    return config, done.stderr


def _asked(config: JourneyConfig) -> list[Asked]:
    ledgers = {one.client.name: one for one in read_ledger(config.ledger)}
    return [Asked(one.journey, one.step, one.service, ledgers[one.client.name]) for one in config.clients]


def test_users_make_their_journeys(workload: Workload, server: Server, names: Names, tmp_path: Path) -> None:
    """Every cohort begins its journeys on schedule; steps use what earlier ones took; all of it is in the ledgers."""
    config, remarks = _travel(workload, server, names, tmp_path, seconds=2)
    assert remarks == ""
    found = measure_journeys(_asked(config), config.zones)
    assert found.whole
    assert found.begun == found.completed == {"buy": 16}
    assert [(name, one.requests, one.failed) for name, one in found.services.items()] == [
        ("auth", 16, 0), ("payments", 16, 0),
    ]  # fmt: skip
    assert {zone for _, zone in found.zones} == set(ZONES)
    paid = [(headers, json.loads(body)) for _, path, headers, body in server.asked if path == "/pay"]
    assert all(headers["Authorization"] == "/login" for headers, _ in paid)
    keys = {int(headers["Idempotency-Key"]): body["amount_minor"] for headers, body in paid}
    assert len(keys) == 16
    (first, *_) = [one for one in _asked(config) if one.step == "pay"]
    for attempt in first.ledger.attempts:
        assert keys[int(attempt["id"])] == attempt["amount"]
    assert set(servers_of(first.ledger.outcomes["code"])) <= {1, 2}
    logged_in = Counter(json.loads(body)["user"] for _, path, _, body in server.asked if path == "/login")
    assert set(logged_in) == {"user-1", "user-2", "user-3"}


def test_a_write_is_sent_again(workload: Workload, server: Server, names: Names, tmp_path: Path) -> None:
    """A write whose answer leaves open whether it was done is sent again with the same key until that is known."""
    seen: set[int] = set()

    def answer(_: int, path: str) -> tuple[int, dict[str, str]]:
        if path == "/pay":
            key = int(server.asked[-1][2]["Idempotency-Key"])
            if key not in seen:
                seen.add(key)
                return 503, {"error": "not now"}
        return 200, {"token": "t"}

    server.answer = answer
    config, remarks = _travel(workload, server, names, tmp_path, seconds=1)
    found = measure_journeys(_asked(config), config.zones)
    assert (found.whole, found.services["payments"].repeated) == (True, 8)
    assert '8 times: buy: pay: UNKNOWN: 503 {"error": "not now"}' in remarks
    for one in _asked(config):
        if one.step == "pay":
            assert list(outcomes_of(one.ledger.outcomes["code"])) == [Outcome.UNKNOWN, Outcome.ACKNOWLEDGED]


def test_who_cannot_log_in_does_not_go_on(
    workload: Workload, server: Server, names: Names, tmp_path: Path
) -> None:
    """After a step that failed a user does not go on, and services further on are not to blame for it."""
    server.answer = lambda number, _: (401, {"error": "no"}) if number % 2 else (200, {"token": "t"})
    config, _ = _travel(workload, server, names, tmp_path, seconds=1)
    found = measure_journeys(_asked(config), config.zones)
    assert not found.whole
    assert 0 < found.services["auth"].failed == 8 - found.services["payments"].requests


def test_nobody_answers(workload: Workload, server: Server, names: Names, tmp_path: Path) -> None:
    """Where the name leads to nobody nothing was sent, and that is what the ledger says."""
    server.stop()
    try:
        config, remarks = _travel(workload, server, names, tmp_path, seconds=1)
    finally:
        server.__init__()  # type: ignore[misc]  # for the fixture to stop
    codes = [code for one in _asked(config) for code in outcomes_of(one.ledger.outcomes["code"])]
    assert set(codes) == {Outcome.NOT_SENT}
    assert "8 times: buy: log in: NOT_SENT: no connection: Connect call failed" in remarks


def test_a_shape_leaves_journeys_out(
    workload: Workload, server: Server, names: Names, tmp_path: Path
) -> None:
    """A shape below one leaves journeys out, evenly."""
    config, _ = _travel(workload, server, names, tmp_path, seconds=4, shape=[0.5])
    assert measure_journeys(_asked(config), config.zones).begun == {"buy": 16}


@pytest.mark.parametrize(
    ("part", "share"), [(-1, 0.0), (0, 0.0), (0.25, 0.5), (0.5, 1.0), (0.75, 0.75), (1, 0.5), (2, 0.5)]
)
def test_a_share_between_two(part: float, share: float) -> None:
    """Between two shares of a shape the rate goes over evenly."""
    assert share_at([0, 1, 0.5], part) == pytest.approx(share)


def test_placeholders() -> None:
    """A number's placeholder alone stays a number in a body; in a text it is its digits."""
    values: dict[str, Any] = {"id": 7, "amount": 12, "token": "t"}
    assert fill_value("{amount}", values) == 12
    assert fill_value("{token}", values) == "t"
    assert fill_value(True, values) is True
    assert fill("/payments/{id}?t={token}", values) == "/payments/7?t=t"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, Outcome.ACKNOWLEDGED), (302, Outcome.REJECTED), (409, Outcome.REJECTED), (503, Outcome.UNKNOWN)],
)
def test_what_an_answer_means(status: int, outcome: Outcome) -> None:
    """A server's error leaves open whether a request was done; every other answer is definite."""
    assert judge(status, "a", b"said", [200]).outcome is outcome


def test_the_reference_workload() -> None:
    """The journeys of the reference company name services and stores of its plan."""
    plan = load_plan(_REPOSITORY / "scenarios" / "plan.yaml")
    journeys = load_workload(_WORKLOAD, plan).journeys
    assert journeys is not None
    assert {step.service for _, step in journeys.steps} == set(plan.services)
    assert journeys.timeout == timedelta(seconds=5)


@pytest.mark.parametrize(
    ("old", "new", "field", "words"),
    [
        ("service: documents", "service: dokuments", "journeys.journeys[1].steps[1].service",
         "there is no service called `dokuments` in the plan. Did you mean `documents`?"),
        ("store: users-database", "store: user-database", "journeys.reconcile[3].at.store",
         "there is no store called `user-database` in the plan. Did you mean `users-database`?"),
        ("GET /users/me", "FETCH me", "journeys.journeys[0].steps[1].request", "a method and a path were expected"),
        ("{payment}", "{paiment}", "journeys", "has `{paiment}`, which nothing before it says"),
        ("https://api", "http://api", "journeys.public_name", "the address of a server was expected"),
        ("pause: 300 ms", "pause: 3 s", "journeys.journeys[0]", "it begins again meanwhile"),
        ("name: read profile", "name: log in", "journeys.journeys[0]", "two of its steps have one name"),
    ],
)  # fmt: skip
def test_mistakes(tmp_path: Path, old: str, new: str, field: str, words: str) -> None:
    """A mistake in the journeys is told with its field, and near names where one names nothing."""
    path = tmp_path / "workload.yaml"
    text = _WORKLOAD.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InvalidInputError) as raised:
        load_workload(path, load_plan(_REPOSITORY / "scenarios" / "plan.yaml"))
    (mistake,) = raised.value.mistakes
    assert mistake.field == field
    assert words in f"{mistake.problem} {mistake.remedy}"


def test_what_is_no_configuration(tmp_path: Path) -> None:
    """The users' process says what is wrong with its configuration, and ends with status 2."""
    with pytest.raises(DamagedRecordError):
        JourneyConfig.from_json("{}")
    path = tmp_path / "users.json"
    path.write_text("{}", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "drdrill.load.journey_client", str(path)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_WITHIN_SECONDS, check=False,
    )  # fmt: skip
    assert (done.returncode, "not the configuration of users' journeys" in done.stderr) == (2, True)


def _outcomes_of(config: JourneyConfig, service: str) -> Counter[int]:
    names = {one.client.name for one in config.probes if one.service == service}
    ledgers = [one for one in read_ledger(config.ledger) if one.client.name in names]
    assert len(ledgers) == 8
    return Counter(int(code) for one in ledgers for code in outcomes_of(one.outcomes["code"]))


def test_probes_ask_each_service(workload: Workload, server: Server, names: Names, tmp_path: Path) -> None:
    """Every cohort asks every service on schedule and over new connections, with one log-in for all that need it."""
    config, remarks = _travel(workload, server, names, tmp_path, seconds=2, probing=True)
    assert remarks == ""
    assert {one.client.kind for one in config.probes} == {ClientKind.PROBER}
    assert len({one.client.number for one in (*config.clients, *config.probes)}) == 32
    for service in ("auth", "payments"):
        assert _outcomes_of(config, service) == {Outcome.ACKNOWLEDGED: 32}
    logins = [path for _, path, _, _ in server.asked if path == "/login"]
    assert len(logins) == 16 + 32 + 8  # the journeys', the probes of auth, one a cohort for the others
    assert len(server.connections) >= 64
    assert workload.journeys
    without = plan_journeys(
        workload, Surroundings("127.0.0.1", ZONES), seed=3, first_number=1, start_ns=0, seconds=1,
        ledger=tmp_path,
    )  # fmt: skip
    assert without.probes == ()


def test_a_session_that_is_gone(workload: Workload, server: Server, names: Names, tmp_path: Path) -> None:
    """Who is told to log in again does so, and is served within the same request; that is counted."""
    paid = Counter[str]()

    def answer(_: int, path: str) -> tuple[int, dict[str, str]]:
        paid[path] += 1
        return (
            (401, {"error": "log in again"})
            if path == "/pay" and paid[path] % 5 == 1
            else (200, {"token": path})
        )

    server.answer = answer
    config, remarks = _travel(workload, server, names, tmp_path, seconds=2, probing=True)
    assert "logged in again: the session was gone" in remarks
    assert (
        _outcomes_of(config, "payments")[Outcome.ACKNOWLEDGED] >= 30
    )  # the second answer may be such a one, too
    found = measure_journeys(_asked(config), config.zones)
    assert found.completed["buy"] >= 14


def test_nobody_can_log_in(workload: Workload, server: Server, names: Names, tmp_path: Path) -> None:
    """A probe of another service never left where nobody can log in, and says so."""
    server.answer = lambda _, path: (503, {"error": "down"}) if path == "/login" else (200, {})
    config, remarks = _travel(workload, server, names, tmp_path, seconds=1, probing=True)
    assert _outcomes_of(config, "payments") == {Outcome.NOT_SENT: 16}
    assert _outcomes_of(config, "auth") == {Outcome.UNKNOWN: 16}
    assert "nobody could log in: 503" in remarks


def test_a_service_that_two_probes_ask(tmp_path: Path) -> None:
    """A service has one request that judges it."""
    path = tmp_path / "workload.yaml"
    text, asking = _WORKLOAD.read_text(encoding="utf-8"), "    asking:\n    - *log_in\n"
    path.write_text(text.replace(asking, f"{asking}    - *log_in\n"), encoding="utf-8")
    with pytest.raises(InvalidInputError, match="`auth` is asked by two of its requests"):
        load_workload(path)


def test_the_status_page_is_read(workload: Workload, server: Server, names: Names, tmp_path: Path) -> None:
    """Every version that users could read is kept, with when it was first seen; what stays the same is told once."""
    assert workload.journeys
    page = f"https://{NAME}:{server.port}/status.html"
    read = workload.model_copy(
        update={"journeys": workload.journeys.model_copy(update={"status_page": page})}
    )
    asked = Counter[str]()

    def answer(_: int, path: str) -> tuple[int, dict[str, str]]:
        asked[path] += 1
        if path == "/status.html" and asked[path] == 1:
            return 404, {}
        return 200, {"token": path, "said": "all is lost" if asked[path] == 2 else "all is well"}

    server.answer = answer
    log = tmp_path / "status-page.jsonl"
    config, _ = _travel(read, server, names, tmp_path, seconds=9, status_log=log)
    assert config.status_log == log
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert [(one["status"], one["file"]) for one in lines] == [
        (404, ""), (200, "status-page-1.html"), (200, "status-page-2.html"),
    ]  # fmt: skip
    assert b"all is lost" in (tmp_path / "status-page-1.html").read_bytes()
    assert b"all is well" in (tmp_path / "status-page-2.html").read_bytes()
    assert config.start_ns <= lines[0]["at_ns"] < lines[1]["at_ns"] < lines[2]["at_ns"]
    assert asked["/status.html"] > 3
