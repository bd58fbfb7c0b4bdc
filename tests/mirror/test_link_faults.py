"""Faults of the link between regions: how much they are, and what is made of looks from the other end."""

from __future__ import annotations

from dataclasses import asdict
from types import SimpleNamespace
from typing import Any, cast

import pytest

from drdrill.core.clock import SystemClock
from drdrill.core.errors import UsageError
from drdrill.dataplane.link import LinkCondition
from drdrill.mirror.link_faults import LinkFaults, read_condition
from drdrill.mirror.link_observers import observe_link_effect, observe_link_healed

HOME, AWAY = "eu-west-1", "eu-central-1"
DELAYED = {"delay_seconds": 3.0, "bytes_per_second": None, "cut": False}
THROTTLED = {"delay_seconds": 0.0, "bytes_per_second": 32768, "cut": False}
CUT = {"delay_seconds": 0.0, "bytes_per_second": None, "cut": True}


def _seen(
    *, took: float = 0.05, answered: bool = True, rate: float = 200_000.0, behind: float = 0.0
) -> dict[str, Any]:
    answer = {"reachable": True, "answered": answered, "error": None, "took_seconds": took}
    stream = {"bytes_per_second": rate, "behind_bytes": behind}
    return {"usual": {"delay_seconds": 0.04}, "looks": [{"answer": answer, "stream": stream}]}


@pytest.mark.parametrize(
    ("kind", "amount", "condition"),
    [
        ("link_delay", "3 s", LinkCondition(delay_seconds=3)),
        ("link_throttle", "32 KiB", LinkCondition(bytes_per_second=32768)),
        ("link_cut", "", LinkCondition(cut=True)),
    ],
)
def test_an_amount_is_read(kind: str, amount: str, condition: LinkCondition) -> None:
    """A delay is a time, a throttle a size a second, and a cut knows no more and less."""
    assert read_condition(kind, amount) == condition


@pytest.mark.parametrize(
    ("kind", "amount"),
    [
        ("link_delay", ""),
        ("link_delay", "0 s"),
        ("link_delay", "3"),
        ("link_throttle", ""),
        ("link_throttle", "slow"),
    ],
)
def test_an_amount_that_says_nothing(kind: str, amount: str) -> None:
    """Nothing is shaped by an amount that is none: it is quoted, with what was expected."""
    with pytest.raises(UsageError, match=f"`{amount}` does not say how much a {kind} is to be"):
        read_condition(kind, amount)


@pytest.mark.parametrize("condition", [DELAYED, THROTTLED, CUT])
def test_a_usual_link_shows_no_fault(condition: dict[str, Any]) -> None:
    """A link that answers at once and has nothing waiting is not broken, and is healed."""
    assert observe_link_effect(_seen(), condition)["effective"] is False
    assert observe_link_healed(_seen(), condition)["healed"] is True


@pytest.mark.parametrize(
    ("condition", "seen"),
    [
        (DELAYED, _seen(took=3.05)),
        (THROTTLED, _seen(rate=33_000, behind=400_000)),
        (CUT, _seen(took=2, answered=False, rate=0, behind=400_000)),
    ],
)
def test_a_broken_link_shows(condition: dict[str, Any], seen: dict[str, Any]) -> None:
    """Each fault shows from the other end in its own way."""
    assert observe_link_effect(seen, condition)["effective"] is True


@pytest.mark.parametrize(
    ("condition", "seen"),
    [
        (DELAYED, _seen(took=2.9)),
        (DELAYED, _seen(took=5, answered=False)),
        (THROTTLED, _seen(rate=33_000, behind=1_000)),
        (THROTTLED, _seen(rate=90_000, behind=400_000)),
        (CUT, _seen(took=2, answered=False, rate=5_000)),
        (CUT, _seen(took=0.05, rate=0)),
    ],
)
def test_something_else_is_not_the_fault(condition: dict[str, Any], seen: dict[str, Any]) -> None:
    """Less than the fault, or another one, is not taken for it: an idle stream, say, is slow over any link."""
    assert observe_link_effect(seen, condition)["effective"] is False


def test_without_a_link_nothing_shows() -> None:
    """Where no replica streams there is no effect to be seen, and nothing left to heal."""
    nothing = {"usual": {"delay_seconds": 0.04}, "looks": []}
    assert observe_link_effect(nothing, DELAYED)["effective"] is False
    assert observe_link_healed(nothing, DELAYED)["healed"] is True


def test_a_late_answer_is_not_healed() -> None:
    """A link whose answers come late still, or not at all, is not as usual."""
    assert observe_link_healed(_seen(took=1), DELAYED)["healed"] is False
    assert observe_link_healed(_seen(took=1, answered=False), CUT)["healed"] is False


def test_a_quick_answer_beside_a_held_stream_is_not_healed() -> None:
    """A short answer passes a throttled link at once: the stream beside it, still held to its rate, tells."""
    held = _seen(rate=33_000, behind=400_000)
    assert observe_link_healed(held, THROTTLED)["healed"] is False
    assert observe_link_healed(held, DELAYED)["healed"] is True


class Links:
    """The links out of a region: how they are, by the region at their other end."""

    usual = LinkCondition(delay_seconds=0.04)

    def __init__(self) -> None:
        self.now: dict[str, LinkCondition | None] = {AWAY: LinkCondition(cut=True)}

    def shape(self, destination: str, wanted: LinkCondition | None) -> LinkCondition:
        """Change one, and return how it was."""
        was, self.now[destination] = self.now[destination], wanted
        return was or self.usual


def _find(name: str) -> Any:
    raise UsageError(f"there is no database instance `{name}` in this mirror.")


def test_the_links_of_a_database_that_was_renamed_are_healed() -> None:
    """What was broken is known by its region: a database that is set aside, or gone, leaves no link cut for ever."""
    links = Links()
    other = SimpleNamespace(record=SimpleNamespace(region=AWAY, source_arn=None))
    faults = LinkFaults(
        SystemClock(),
        find=_find, everyone=lambda: [cast("Any", other)], links_of=lambda _: cast("Any", links),
        bystander=cast("Any", None),
    )  # fmt: skip
    assert faults.heal("orders", HOME)["was"] == {AWAY: asdict(LinkCondition(cut=True))}
    assert links.now == {AWAY: None}
    seen = faults.look("orders", 0.0, HOME)
    assert observe_link_healed(seen, CUT)["healed"] is True
    with pytest.raises(UsageError, match="there is no database instance"):
        faults.heal("orders")
