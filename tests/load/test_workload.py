from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from drdrill.core.errors import InvalidInputError
from drdrill.load.workload import load_workload

if TYPE_CHECKING:
    from tests.load.conftest import Postgres

REAL = Path(__file__).parents[2] / "environments" / "embedded" / "workload.yaml"


def test_the_embedded_workload_writes_balanced_payments(postgres: Postgres) -> None:
    """The repository's workload loads, its schema runs twice, and writes leave entries that sum to zero."""
    workload = load_workload(REAL)
    with postgres.connect("payments") as connection:
        connection.execute(workload.schema_.encode())
        connection.execute(workload.schema_.encode())
        connection.execute(f"prepare pay (bigint, bigint) as {workload.write}".encode())
        for identifier in (7, 8):
            connection.execute(f"execute pay ({identifier}, 250)".encode())
        assert connection.execute(workload.read_back.encode()).fetchall() == [(7, 250, 1), (8, 250, 2)]
        entries = connection.execute(
            "select account, sum(amount_minor) from ledger_entries group by 1 order by 1"
        )
        assert entries.fetchall() == [("customer", -500), ("merchant", 500)]


def test_the_embedded_probe_of_documents_needs_their_bucket() -> None:
    """A document is stored and nothing but that counts as served: one that is not there is not looked for in S3."""
    journeys = load_workload(REAL).journeys
    assert journeys
    assert journeys.probes
    (asking,) = (one for one in journeys.probes.asking if one.service == "documents")
    assert (asking.method, asking.status, asking.writes) == ("PUT", [201], False)
    assert asking.content_bytes == 64


@pytest.mark.parametrize(
    ("right", "wrong", "field"),
    [
        ("values ($1, $2, 'ETB')", "values ($1, 5, 'ETB')", "write"),
        ("{minimum: 100, maximum: 500000}", "{minimum: 100, maximum: 99}", "amount"),
        ("cohorts: 8", "cohorts: 7", "prober.cohorts"),
        ("timeout: 2 s", "timeout: 0 s", "load.timeout"),
        ("rate_per_second: 50", "rate_per_second: 0", "load.rate_per_second"),
        ("select id, amount_minor, position", "select id, $1, position", "read_back"),
        ("service: payments", "sevice: payments", "sevice"),
        ("timeout: 1 s", "timeout: 21 s", "prober.timeout"),
        ("rate_per_second: 25", "rate_per_second: 51", "prober"),
    ],
)
def test_a_mistake_is_named_with_its_field(tmp_path: Path, right: str, wrong: str, field: str) -> None:
    """A workload with a mistake is refused, and the refusal names the file and the field."""
    text = REAL.read_text(encoding="utf-8")
    assert right in text
    path = tmp_path / "workload.yaml"
    path.write_text(text.replace(right, wrong), encoding="utf-8")

    with pytest.raises(InvalidInputError) as refusal:
        load_workload(path)

    mistakes = refusal.value.mistakes
    assert {mistake.file for mistake in mistakes} == {str(path)}
    assert any(mistake.field.endswith(field) for mistake in mistakes), mistakes
