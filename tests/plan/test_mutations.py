"""A plan damaged at random is either a plan still or refused with mistakes: never a traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drdrill.core.errors import InvalidInputError
from drdrill.plan import check_plan, load_plan

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from drdrill.core.errors import Mistake
    from drdrill.plan import Plan

# Reading a plan takes about 25 ms: PyYAML's pure Python reader. 150 damaged plans are a few seconds.
BOUNDED = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
GARBAGE = st.one_of(
    st.sampled_from(
        ["", "~", "[]", "{}", "-", "- a", "no", "1:30", "0x1f", ".inf", "2026-13-45", "!!int x", "&a", "*a"]
    ),
    st.sampled_from(
        ["[X hours]", "TBD", "\t", ": :", "'", '"', "|", ">", "%", "@", "---", "...", "<<: x", "? [a]"]
    ),
    st.integers().map(str),
    st.floats().map(str),
    st.text(max_size=12),
)


def _damage(draw: Callable[..., object], lines: list[str]) -> None:
    number = draw(st.integers(0, len(lines) - 1))
    other = draw(st.integers(0, len(lines) - 1))
    assert isinstance(number, int)
    assert isinstance(other, int)
    garbage = str(draw(GARBAGE))
    line = lines[number]
    kind = draw(st.sampled_from(["delete", "double", "swap", "value", "name", "indent", "insert", "cut"]))
    if kind == "delete":
        del lines[number]
    elif kind == "double":
        lines.insert(other, line)
    elif kind == "swap":
        lines[number], lines[other] = lines[other], line
    elif kind == "value":
        lines[number] = f"{line.partition(':')[0]}: {garbage}"
    elif kind == "name":
        lines[number] = f"{garbage}:{line.partition(':')[2]}"
    elif kind == "indent":
        lines[number] = f" {line}"
    elif kind == "insert":
        lines.insert(number, garbage)
    else:
        lines[number] = line[: len(line) // 2]


def _load(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    plan: Plan | None = None
    mistakes: tuple[Mistake, ...] = ()
    try:
        plan = load_plan(path)
    except InvalidInputError as error:
        mistakes = error.mistakes
    assert plan or mistakes
    told = check_plan(path, promises=True)
    assert {(one.line, one.field) for one in mistakes} <= {(one.line, one.field) for one in told}
    for mistake in told:
        assert mistake.file == str(path)
        assert 0 <= mistake.line <= content.count(b"\n") + 2
        assert mistake.problem.endswith((".", "?"))


@BOUNDED
@given(data=st.data())
def test_a_damaged_plan_is_loaded_or_refused(data: st.DataObject, plan_text: str, tmp_path: Path) -> None:
    """One to three lines deleted, doubled, swapped or garbled: a plan or mistakes, nothing else."""
    lines = [line for line in plan_text.splitlines() if not line.lstrip().startswith("#")]
    for _ in range(data.draw(st.integers(1, 3))):
        _damage(data.draw, lines)
    _load(tmp_path / "plan.yaml", "\n".join(lines).encode("utf-8", "surrogatepass"))


@BOUNDED
@given(content=st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_any_bytes_are_refused_as_a_plan(content: bytes, tmp_path: Path) -> None:
    """Whatever bytes a file holds, the answer is mistakes."""
    _load(tmp_path / "plan.yaml", content)
