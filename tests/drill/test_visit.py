"""A visit: users come, leave, and what became of all that they did is looked at."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from drdrill.cli.env_users import show
from drdrill.core.errors import EnvironmentFailedError
from drdrill.drill.visit import visit
from drdrill.load.journey_config import JourneyConfig
from drdrill.load.workload import load_workload
from drdrill.measure.survivors import HEADER, TRAILER
from drdrill.plan import load_plan
from drdrill.record.ledger import LedgerWriter, Outcome, make_id, outcome_code
from tests.drill.fakes import FakeEnvironment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drdrill.drill.visit import Visited

_REPOSITORY = Path(__file__).resolve().parents[2]
_ROW = struct.Struct(">hiqiqiq")
_MS = 1_000_000


@dataclass
class VisitedEnvironment(FakeEnvironment):
    """Its users make one journey a cohort, each request taking 20 ms; `outcome` says what becomes of each."""

    outcome: Callable[[str], Outcome] = lambda _: Outcome.ACKNOWLEDGED
    forgets: int = 0
    wrong: str = ""
    status: int = 0

    def start_client(self, name: str, command: Sequence[str], *, log: Path, zone: str | None = None) -> None:
        """Write down what users would have."""
        super().start_client(name, command, log=log, zone=zone)
        log.write_text(
            "ready\n23 buy: pay: UNKNOWN: 503\n2 times: buy: pay: UNKNOWN: 503\n", encoding="utf-8"
        )
        self.rows: list[bytes] = []
        config = JourneyConfig.from_json(Path(command[-1]).read_text(encoding="utf-8"))
        stopped: set[tuple[str, int]] = set()
        for one in config.clients:
            ledger = LedgerWriter(config.ledger, one.client)
            if (one.journey, one.client.cohort) not in stopped:
                identifier, at_ns, amount = (
                    make_id(one.client.number, 0),
                    one.client.start_ns,
                    100 if one.writes else 0,
                )
                ledger.attempt(identifier, amount, at_ns)
                outcome = self.outcome(one.step)
                ledger.outcome(identifier, at_ns + 20 * _MS, outcome_code(outcome, 1))
                if outcome is not Outcome.ACKNOWLEDGED:
                    stopped.add((one.journey, one.client.cohort))
                elif one.writes:
                    self.rows.append(_ROW.pack(3, 8, identifier, 8, amount, 8, len(self.rows)))
            ledger.close()
        self.running[name] = False

    def stop_clients(self, *, within: timedelta) -> Mapping[str, int]:
        """End the users' process with the status of the test."""
        return dict.fromkeys(super().stop_clients(within=within), self.status)

    def run_for_operator(
        self,
        command: Sequence[str],
        *,
        within: timedelta,
        output: Path | None = None,
        errors: Path | None = None,
        grace: timedelta = timedelta(),
    ) -> str:
        """Answer a query with what is wrong, and a read-back with the rows."""
        said = super().run_for_operator(command, within=within, output=output, errors=errors, grace=grace)
        if output:
            output.write_bytes(HEADER + b"".join(self.rows[self.forgets :]) + TRAILER)
            return said
        return self.wrong


def _visit(environment: VisitedEnvironment, folder: Path) -> Visited:
    plan = load_plan(_REPOSITORY / "scenarios" / "plan.yaml")
    workload = load_workload(_REPOSITORY / "environments" / "embedded" / "workload.yaml", plan)
    return visit(
        environment, workload, folder, zones=("eu-west-1a",), resource="payments", seconds=1, shape=None, seed=1,
        tell=lambda _: None, patience=timedelta(),
    )  # fmt: skip


@pytest.fixture
def environment(tmp_path: Path) -> VisitedEnvironment:
    """Return an environment in which all is well."""
    return VisitedEnvironment(tmp_path, load_plan(_REPOSITORY / "scenarios" / "plan.yaml"))


def test_all_is_well(environment: VisitedEnvironment, tmp_path: Path) -> None:
    """Where every journey was completed and everything is stored, the visit says so, and is kept."""
    found = _visit(environment, tmp_path)
    assert found.steady
    kept = json.loads((tmp_path / "visit.json").read_text(encoding="utf-8"))
    assert kept == found.to_json()
    assert kept["journeys"]["buy"] == {"begun": 8, "completed": 8}
    assert kept["services"]["payments"]["requests"] == 16
    assert kept["services"]["payments"]["p99_ms"] == 20.0
    assert kept["zones"][0] == {"service": "auth", "zone": "eu-west-1a", **kept["services"]["auth"]}
    assert kept["writes"] == {
        "problem": "", "amount_minor": 800, "acknowledged": 8, "unknown": 0, "wrong": {},
    }  # fmt: skip
    query = next(command for command in environment.operated if "binary" in command[-1])
    first = next(one for one in json.loads((tmp_path / "users.json").read_text())["clients"] if one["writes"])
    assert str(make_id(first["client"]["number"], 0)) in query[-1]


def test_a_row_that_is_lost(environment: VisitedEnvironment, tmp_path: Path) -> None:
    """A write that was acknowledged and is not stored is told as lost."""
    environment.forgets = 3
    found = _visit(environment, tmp_path)
    assert (found.steady, found.wrong_rows) == (False, {"lost": 3})
    assert "!! 8 writes acknowledged: 3 lost" in _printed(found)


def test_a_service_that_fails(environment: VisitedEnvironment, tmp_path: Path) -> None:
    """A step that fails ends its journeys, and only its own service is to blame."""
    environment.outcome = lambda step: Outcome.REJECTED if step == "read profile" else Outcome.ACKNOWLEDGED
    found = _visit(environment, tmp_path)
    assert not found.steady
    assert {name: one.failed for name, one in found.journeys.services.items() if one.failed} == {"users": 8}
    said = _printed(found)
    assert "!! journey buy: 0 of 8 completed" in said
    assert "ok journey identify: 8 of 8 completed" in said
    assert "2 times: buy: pay: UNKNOWN: 503" in said
    assert "23 buy" not in said


def test_what_a_query_finds_wrong(environment: VisitedEnvironment, tmp_path: Path) -> None:
    """What the workload's queries find wrong in the end is told; of many rows the first ones."""
    environment.wrong = "".join(f"payment {number} is pending\n" for number in range(7))
    found = _visit(environment, tmp_path)
    assert not found.steady
    said = _printed(found)
    assert "!! every saga has come to its end" in said
    assert "payment 4 is pending" in said
    assert "payment 5 is pending" not in said
    assert "and 2 more" in said


def test_a_store_that_cannot_be_asked(environment: VisitedEnvironment, tmp_path: Path) -> None:
    """A store that does not answer is told in its client's words, and the visit is not steady."""
    environment.fails = 2
    environment.complains = "psql: error: no such host\n        ^"
    found = _visit(environment, tmp_path)
    assert (found.steady, found.rows) == (False, None)
    assert "could not be read back" in _printed(found)
    assert all("psql: error: no such host" in one.problem for one in found.reconciled)


def test_users_whose_process_breaks(environment: VisitedEnvironment, tmp_path: Path) -> None:
    """A users' process that broke proves nothing: that is an error, with its last words."""
    environment.status = 5
    with pytest.raises(EnvironmentFailedError, match=r"status 5: 2 times: buy: pay"):
        _visit(environment, tmp_path)


def _printed(found: Visited) -> str:
    console = Console(width=120, highlight=False, record=True, file=StringIO())
    show(console, found)
    return console.export_text()
