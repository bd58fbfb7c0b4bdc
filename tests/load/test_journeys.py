"""What users do who come in by a public name: read from the workload, carried out by a real process over TLS."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from drdrill.core.errors import DamagedRecordError, InvalidInputError
from drdrill.load.https import judge
from drdrill.load.journey_config import JourneyConfig
from drdrill.load.journeys import fill, fill_value, share_at
from drdrill.load.workload import load_workload
from drdrill.measure.journeys import measure_journeys
from drdrill.plan import load_plan
from drdrill.record.ledger import Outcome, outcomes_of, servers_of
from tests.load.public_server import ZONES, Server, ask_ledgers, travel

if TYPE_CHECKING:
    from drdrill.load.workload import Workload
    from tests.load.conftest import Names

_REPOSITORY = Path(__file__).resolve().parents[2]
_WORKLOAD = _REPOSITORY / "environments" / "embedded" / "workload.yaml"


def test_users_make_their_journeys(workload: Workload, server: Server, names: Names, tmp_path: Path) -> None:
    """Every cohort begins its journeys on schedule; steps use what earlier ones took; all of it is in the ledgers."""
    config, remarks = travel(workload, server, names, tmp_path, seconds=2)
    assert remarks == ""
    found = measure_journeys(ask_ledgers(config), config.zones)
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
    (first, *_) = [one for one in ask_ledgers(config) if one.step == "pay"]
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
    config, remarks = travel(workload, server, names, tmp_path, seconds=1)
    found = measure_journeys(ask_ledgers(config), config.zones)
    assert (found.whole, found.services["payments"].repeated) == (True, 8)
    assert '8 times: buy: pay: UNKNOWN: 503 {"error": "not now"}' in remarks
    for one in ask_ledgers(config):
        if one.step == "pay":
            assert list(outcomes_of(one.ledger.outcomes["code"])) == [Outcome.UNKNOWN, Outcome.ACKNOWLEDGED]


def test_who_cannot_log_in_does_not_go_on(
    workload: Workload, server: Server, names: Names, tmp_path: Path
) -> None:
    """After a step that failed a user does not go on, and services further on are not to blame for it."""
    server.answer = lambda number, _: (401, {"error": "no"}) if number % 2 else (200, {"token": "t"})
    config, _ = travel(workload, server, names, tmp_path, seconds=1)
    found = measure_journeys(ask_ledgers(config), config.zones)
    assert not found.whole
    assert 0 < found.services["auth"].failed == 8 - found.services["payments"].requests


def test_nobody_answers(workload: Workload, server: Server, names: Names, tmp_path: Path) -> None:
    """Where the name leads to nobody nothing was sent, and that is what the ledger says."""
    server.stop()
    try:
        config, remarks = travel(workload, server, names, tmp_path, seconds=1)
    finally:
        server.__init__()  # type: ignore[misc]  # for the fixture to stop
    codes = [code for one in ask_ledgers(config) for code in outcomes_of(one.ledger.outcomes["code"])]
    assert set(codes) == {Outcome.NOT_SENT}
    assert "8 times: buy: log in: NOT_SENT: no connection: Connect call failed" in remarks


def test_a_shape_leaves_journeys_out(
    workload: Workload, server: Server, names: Names, tmp_path: Path
) -> None:
    """A shape below one leaves journeys out, evenly."""
    config, _ = travel(workload, server, names, tmp_path, seconds=4, shape=[0.5])
    assert measure_journeys(ask_ledgers(config), config.zones).begun == {"buy": 16}


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
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert (done.returncode, "not the configuration of users' journeys" in done.stderr) == (2, True)
