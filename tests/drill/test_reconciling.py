"""What is to agree after users have left: asked in three ways, and told in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from drdrill.drill.reconciling import Operator, Reconciled
from drdrill.load.reconciliation import Place, Reconciliation, Side
from drdrill.load.workload import load_workload
from drdrill.plan import load_plan
from tests.drill.fakes import FakeEnvironment
from tests.faults.fakes import ManualClock

if TYPE_CHECKING:
    from collections.abc import Sequence

_REPOSITORY = Path(__file__).resolve().parents[2]
_PATIENCE = timedelta(seconds=2)
_ELSEWHERE = Place(store="stock", host="stock.internal", database="stock", user="reader")
_PAIR = Reconciliation(
    name="orders and parcels",
    pair=[
        Side(keys="select orders", alone="was ordered, and has no parcel"),
        Side(keys="select parcels", alone="is a parcel that nobody ordered", at=_ELSEWHERE),
    ],
)


@dataclass
class Answering(FakeEnvironment):
    """Answers each command by its last word: with the next of these texts, and the last one from then on."""

    texts: dict[str, list[str]] = field(default_factory=dict)

    def run_for_operator(
        self,
        command: Sequence[str],
        *,
        within: timedelta,
        output: Path | None = None,
        errors: Path | None = None,
        grace: timedelta = timedelta(),
    ) -> str:
        """Answer."""
        super().run_for_operator(command, within=within, output=output, errors=errors, grace=grace)
        texts = self.texts[command[-1]]
        return texts.pop(0) if len(texts) > 1 else texts[0]


@pytest.fixture
def environment(tmp_path: Path) -> Answering:
    """Return an environment without answers."""
    return Answering(tmp_path, load_plan(_REPOSITORY / "scenarios" / "plan.yaml"))


def _reconcile(environment: Answering, one: Reconciliation) -> Reconciled:
    workload = load_workload(_REPOSITORY / "environments" / "embedded" / "workload.yaml")
    return Operator(environment, workload, "here").reconcile(one, clock=ManualClock(), patience=_PATIENCE)


def test_two_stores_that_agree(environment: Answering) -> None:
    """Two stores that have the same texts agree, in whatever order; each is asked where it is."""
    environment.texts = {"select orders": ["a\nb\n"], "select parcels": ["b\na\n"]}
    assert _reconcile(environment, _PAIR) == Reconciled("orders and parcels", ())
    hosts = [command[command.index("--host") + 1] for command in environment.operated]
    assert hosts == ["here", "stock.internal"]


def test_what_only_one_has(environment: Answering) -> None:
    """What only one has is told in its side's words, and so is what it has more often than the other."""
    environment.texts = {"select orders": ["a\nb\nc\n"], "select parcels": ["c\nb\nb\nd\n"]}
    assert _reconcile(environment, _PAIR).wrong == (
        "a was ordered, and has no parcel",
        "b is a parcel that nobody ordered",
        "d is a parcel that nobody ordered",
    )


def test_what_agrees_later(environment: Answering) -> None:
    """What was under way when the first store was asked is nothing wrong once both are asked again."""
    environment.texts = {"select orders": ["a\n", "a\nb\n"], "select parcels": ["a\nb\n"]}
    assert _reconcile(environment, _PAIR).wrong == ()


def test_a_program_that_looks(environment: Answering) -> None:
    """The lines of a program are what is wrong; it is run as it is written."""
    environment.texts = {"look": ["one object is gone\n"]}
    one = Reconciliation(name="objects", command=["python", "-m", "look"])
    assert _reconcile(environment, one) == Reconciled("objects", ("one object is gone",))
    assert list(environment.operated[0]) == ["python", "-m", "look"]


def test_who_cannot_be_asked(environment: Answering) -> None:
    """Where one side cannot be asked nothing is said to be wrong, but why it could not be asked."""
    environment.texts = {"select orders": ["a\n"]}
    environment.fails = 2
    environment.complains = "psql: error: no such host\n        ^"
    found = _reconcile(environment, _PAIR)
    assert (found.wrong, found.problem) == ((), "psql: error: no such host")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({}, "exactly one of `wrong`, `pair` and `command` was expected"),
        ({"wrong": "select 1", "command": ["look"]}, "exactly one of `wrong`, `pair` and `command` was expected"),
        ({"command": ["look"], "at": _ELSEWHERE}, "`at` belongs to `wrong`"),
        ({"pair": [Side(keys="select 1", alone="is alone")]}, "at least 2 items"),
    ],
)  # fmt: skip
def test_mistakes(said: dict[str, object], words: str) -> None:
    """What is asked in no way, in two, or of one side alone is refused."""
    with pytest.raises(ValueError, match=words):
        Reconciliation.model_validate({"name": "all is well", **said})
