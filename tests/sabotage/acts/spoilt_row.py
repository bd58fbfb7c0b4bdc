"""Steps that delete or alter one acknowledged row after recovery. Becomes `steps/sabotage.py`.

The row's id stands in `sabotaged.txt` afterwards.
"""

from __future__ import annotations

import struct
from datetime import timedelta
from typing import TYPE_CHECKING

from pytest_bdd import when

if TYPE_CHECKING:
    from drdrill.drill import Drill

_OUTCOME = struct.Struct("<QQQ")
_ACKNOWLEDGED = 1


@when("an acknowledged row is deleted")
def delete_a_row(drill: Drill) -> None:
    """Delete the first row that a client was told is there."""
    row = _choose(drill)
    _ask(drill, f"delete from ledger_entries where payment_id = {row}; delete from payments where id = {row}")  # noqa: S608


@when("the amount of an acknowledged row is altered")
def alter_a_row(drill: Drill) -> None:
    """Add one minor unit to the first row that a client was told is there."""
    row = _choose(drill)
    _ask(drill, f"update payments set amount_minor = amount_minor + 1 where id = {row}")  # noqa: S608


def _choose(drill: Drill) -> int:
    outcomes = (drill.directory.ledger / "load-0.outcomes").read_bytes()
    whole = outcomes[: len(outcomes) - len(outcomes) % _OUTCOME.size]
    row: int = next(row for row, _, code in _OUTCOME.iter_unpack(whole) if code & 0xFF == _ACKNOWLEDGED)
    (drill.request.root / "sabotaged.txt").write_text(str(row), encoding="ascii")
    return row


def _ask(drill: Drill, statements: str) -> None:
    environment, workload = drill._environment, drill.workload
    assert environment is not None
    endpoint = environment.observe_store("payments").endpoint
    command = [
        "psql", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", "--host", endpoint, "--username", workload.user,
        "--dbname", workload.database, "--command", statements,
    ]  # fmt: skip
    environment.run_for_operator(command, within=timedelta(seconds=30))
