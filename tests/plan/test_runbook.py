"""A runbook as data: its mistakes with line and field, and the arithmetic of its graph."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drdrill.core.errors import InvalidInputError
from drdrill.plan.runbook_checking import check_runbook, load_runbook
from drdrill.plan.runbook_graph import critical_path, find_cycle, order_steps, schedule

if TYPE_CHECKING:
    from pathlib import Path

RUNBOOK = """\
version: 1
title: Failover
loses: primary
steps:
  declare:
    action: {gate: {role: commander, question: "Is it lost?"}}
    within: 30 min
    phase: declare
    by: person
    duration: {distribution: constant, typical: 10 min, source: a guess}
  promote:
    action: {command: [promote]}
    verify: {python: "failover.look:promoted"}
    needs: [declare]
    within: 20 min
    phase: restore
    by: machine
    uses: [recovery]
    duration: {distribution: constant, typical: 5 min, source: a guess}
"""


def write(folder: Path, *changes: tuple[str, str]) -> Path:
    """Write the runbook with changes, each of which must be one."""
    text = RUNBOOK
    for old, new in changes:
        assert text.count(old) == 1
        text = text.replace(old, new)
    path = folder / "runbook.yaml"
    path.write_text(text)
    return path


def test_loads(tmp_path: Path) -> None:
    """A runbook without mistakes is loaded with its steps in order."""
    assert list(load_runbook(write(tmp_path)).steps) == ["declare", "promote"]


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "says"),
    [
        ("needs: [declare]", "needs: [declair]", 14, "steps.promote.needs[0]", "Did you mean `declare`?"),
        ("needs: [declare]", "needs: [promote]", 14, "steps.promote.needs[0]", "cannot need itself"),
        ("needs: [declare]", "needs: [declare, declare]", 14, "steps.promote.needs[1]", "listed twice"),
        ("  promote:\n", "  declare:\n", 11, "steps.declare", "declare"),
        ('    verify: {python: "failover.look:promoted"}\n', "", 11, "steps.promote", "Add `verify`"),
        ("within: 20 min", "within: 4 min", 15, "steps.promote.within", "shorter than the typical"),
        ("uses: [recovery]", "uses: [primary]", 18, "steps.promote.uses[0]", "is lost when"),
        ("{command: [promote]}", "{command: [a], terraform: b}", 12, "steps.promote.action", "only one"),
        ("{command: [promote]}", "{}", 12, "steps.promote.action", "does not say what to run"),
        ("by: person", "by: machine", 9, "steps.declare.by", "answered by a person"),
        ("typical: 5 min", "minimum: 5 min", 19, "steps.promote.duration.typical", "needs `typical`"),
        ("phase: restore", "phase: restoring", 16, "steps.promote.phase", "`restore`"),
    ],
)
def test_mistakes(tmp_path: Path, old: str, new: str, line: int, field: str, says: str) -> None:  # noqa: PLR0917
    """Each mistake is told with its line, its field and what would be right."""
    mistakes = check_runbook(write(tmp_path, (old, new)))
    assert any(one.line == line and one.field == field and says in str(one) for one in mistakes), mistakes
    with pytest.raises(InvalidInputError):
        load_runbook(tmp_path / "runbook.yaml")


def test_what_else_is_lost_is_not_used(tmp_path: Path) -> None:
    """A step may use nothing of all that is lost; the mistake says in which line that stands."""
    lost = ("loses: primary\n", "loses: primary\nalso_loses: [route53, global]\n")
    path = write(tmp_path, lost, ("uses: [recovery]", "uses: [recovery, route53]"))
    (mistake,) = check_runbook(path)
    line = path.read_text().splitlines().index("also_loses: [route53, global]") + 1
    assert mistake.field == "steps.promote.uses[1]"
    assert f"needs `route53`, which is lost when this runbook runs (line {line})" in mistake.problem
    write(tmp_path, lost)
    assert check_runbook(path) == ()


def test_circle(tmp_path: Path) -> None:
    """Steps that need each other in a circle are named in its order."""
    path = write(tmp_path, ("    within: 30 min\n", "    needs: [promote]\n    within: 30 min\n"))
    (mistake,) = check_runbook(path)
    assert "`declare` needs `promote` needs `declare`" in mistake.problem


@st.composite
def graphs(draw: st.DrawFn) -> tuple[dict[str, list[str]], dict[str, float]]:
    """Return a graph without circles, and a duration for each step."""
    names = [f"s{number}" for number in range(draw(st.integers(1, 7)))]
    needs = {
        name: [one for one in names[:number] if draw(st.booleans())] for number, name in enumerate(names)
    }
    return needs, {name: float(draw(st.integers(0, 20))) for name in names}


@settings(max_examples=50)
@given(graphs())
def test_critical_path(graph: tuple[dict[str, list[str]], dict[str, float]]) -> None:
    """The critical path is a chain of needs whose durations are the whole; it has no slack."""
    needs, seconds = graph
    planned = {one.name: one for one in schedule(needs, seconds)}
    path = critical_path(needs, seconds)
    assert all(before in needs[after] for before, after in pairwise(path))
    assert sum(seconds[one] for one in path) == max(one.ends_seconds for one in planned.values())
    assert all(planned[one].slack_seconds == 0 for one in path)


@settings(max_examples=50)
@given(graphs(), st.data())
def test_slack(graph: tuple[dict[str, list[str]], dict[str, float]], data: st.DataObject) -> None:
    """A step may take longer by its slack and the whole takes as long; by a second more, and it is a second later."""
    needs, seconds = graph
    planned = {one.name: one for one in schedule(needs, seconds)}
    total = max(one.ends_seconds for one in planned.values())
    name = data.draw(st.sampled_from(list(needs)))
    for more, expected in ((0.0, total), (1.0, total + 1)):
        slower = seconds | {name: seconds[name] + planned[name].slack_seconds + more}
        assert max(one.ends_seconds for one in schedule(needs, slower)) == expected


def test_order_and_circles() -> None:
    """What needs nothing comes first; a circle is found behind steps that are not in it."""
    assert order_steps({"b": ["a"], "a": []}) == ["a", "b"]
    assert find_cycle({"a": [], "x": ["b"], "b": ["c"], "c": ["b"]}) == ["b", "c", "b"]
