"""Probes, and readers of the status page: a real process over TLS, and what it wrote down."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from drdrill.core.errors import InvalidInputError
from drdrill.load.journey_config import JourneyConfig, Surroundings, plan_journeys
from drdrill.load.workload import load_workload
from drdrill.measure.journeys import measure_journeys
from drdrill.record.ledger import ClientKind, Outcome, outcomes_of, read_ledger
from tests.load.public_server import NAME, ZONES, Server, ask_ledgers, travel

if TYPE_CHECKING:
    from drdrill.load.workload import Workload
    from tests.load.conftest import Names

_REPOSITORY = Path(__file__).resolve().parents[2]
_WORKLOAD = _REPOSITORY / "environments" / "embedded" / "workload.yaml"


def _outcomes_of(config: JourneyConfig, service: str) -> Counter[int]:
    names = {one.client.name for one in config.probes if one.service == service}
    ledgers = [one for one in read_ledger(config.ledger) if one.client.name in names]
    assert len(ledgers) == 8
    return Counter(int(code) for one in ledgers for code in outcomes_of(one.outcomes["code"]))


def test_probes_ask_each_service(workload: Workload, server: Server, names: Names, tmp_path: Path) -> None:
    """Every cohort asks every service on schedule and over new connections, with one log-in for all that need it."""
    config, remarks = travel(workload, server, names, tmp_path, seconds=2, probing=True)
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


def test_a_service_that_is_asked_more_often(
    workload: Workload, server: Server, names: Names, tmp_path: Path
) -> None:
    """Its requests have a schedule of their own, which the ledger tells of, and the other services keep theirs."""
    often = {"payments": timedelta(milliseconds=200)}
    config, remarks = travel(workload, server, names, tmp_path, seconds=2, probing=True, probe_every=often)
    assert remarks == ""
    assert _outcomes_of(config, "payments") == {Outcome.ACKNOWLEDGED: 80}
    assert _outcomes_of(config, "auth") == {Outcome.ACKNOWLEDGED: 32}
    clients = [one.client for one in config.probes if one.service == "payments"]
    assert {one.period_ns for one in clients} == {200_000_000}
    assert len({one.start_ns for one in clients}) == len(clients) == 8


@pytest.mark.parametrize("every", ["every: 1 ms", "every: 11 s"])
def test_probes_that_ask_too_often_or_never(workload: Workload, tmp_path: Path, every: str) -> None:
    """They would be the outage themselves, or see none: the workload is refused."""
    assert workload.journeys
    path = tmp_path / "workload.yaml"
    before, after = path.read_text(encoding="utf-8").split("  probes:\n    every: 500 ms\n")
    path.write_text(f"{before}  probes:\n    {every}\n{after}", encoding="utf-8")
    with pytest.raises(InvalidInputError, match=r"probes.*every.*from 100 ms to 10 s"):
        load_workload(path)


def test_a_probe_that_stores_content(
    workload: Workload, server: Server, names: Names, tmp_path: Path
) -> None:
    """It sends as many bytes as it says, other ones each time, and is no payment; another status is a failure."""
    path = tmp_path / "workload.yaml"
    path.write_text(path.read_text(encoding="utf-8") + """
    - name: store document
      service: users
      request: PUT /documents/x
      headers: {Authorization: "{token}"}
      content_bytes: 64
      status: [201]
""", encoding="utf-8")  # fmt: skip
    put = Counter[str]()

    def answer(_: int, path: str) -> tuple[int, dict[str, str]]:
        put[path] += 1
        return 201 if path == "/documents/x" and put[path] > 4 else 200, {"token": path}

    server.answer = answer
    assert workload != load_workload(path)
    config, remarks = travel(load_workload(path), server, names, tmp_path, seconds=1, probing=True)
    assert _outcomes_of(config, "users")[Outcome.ACKNOWLEDGED] == 12
    assert sum(_outcomes_of(config, "users").values()) == 16
    assert "probe-users-" in remarks
    bodies = [body for method, path, _, body in server.asked if (method, path) == ("PUT", "/documents/x")]
    assert {len(one) for one in bodies} == {64}
    assert len(set(bodies)) == len(bodies) == 16
    assert not any(one.writes for one in config.probes if one.service == "users")


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
    config, remarks = travel(workload, server, names, tmp_path, seconds=2, probing=True)
    assert "logged in again: the session was gone" in remarks
    assert (
        _outcomes_of(config, "payments")[Outcome.ACKNOWLEDGED] >= 30
    )  # the second answer may be such a one, too
    found = measure_journeys(ask_ledgers(config), config.zones)
    assert found.completed["buy"] >= 14


def test_nobody_can_log_in(workload: Workload, server: Server, names: Names, tmp_path: Path) -> None:
    """A probe of another service never left where nobody can log in, and says so."""
    server.answer = lambda _, path: (503, {"error": "down"}) if path == "/login" else (200, {})
    config, remarks = travel(workload, server, names, tmp_path, seconds=1, probing=True)
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
    config, _ = travel(read, server, names, tmp_path, seconds=9, status_log=log)
    assert config.status_log == log
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert [(one["status"], one["file"]) for one in lines] == [
        (404, ""), (200, "status-page-1.html"), (200, "status-page-2.html"),
    ]  # fmt: skip
    assert b"all is lost" in (tmp_path / "status-page-1.html").read_bytes()
    assert b"all is well" in (tmp_path / "status-page-2.html").read_bytes()
    assert config.start_ns <= lines[0]["at_ns"] < lines[1]["at_ns"] < lines[2]["at_ns"]
    assert asked["/status.html"] > 3
