"""A circumstance of a fault: injected before it, noted as such, and not judged in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drdrill.core.errors import InvalidDrillError
from drdrill.core.verdict import Verdict
from drdrill.drill.experiments import Experiments
from drdrill.measure.facts import read_facts
from drdrill.measure.validity import check_circumstances
from drdrill.record.directory import DrillDirectory
from drdrill.record.journal import Journal
from tests.faults.fakes import ManualClock

if TYPE_CHECKING:
    from pathlib import Path

LINK = {"kind": "link_delay", "resource": "link-a-b"}
POWER = {"kind": "all_hosts_power_loss", "resource": "db-1"}
SEEN = {"effective": True, "observer": "an answer over the link"}


@pytest.fixture
def directory(tmp_path: Path) -> DrillDirectory:
    """Return the directory of a drill."""
    drill = DrillDirectory(tmp_path / "drill")
    drill.create()
    return drill


def _inject(directory: DrillDirectory, what: dict[str, str], at_ns: int, *, seen: bool = True) -> str:
    _note(directory, at_ns + 1, "fault.injected", what, before_ns=at_ns, after_ns=at_ns + 1, details={})
    if seen:
        _note(directory, at_ns + 2, "fault.observed", what, **SEEN)
    return ""


def _note(directory: DrillDirectory, at_ns: int, kind: str, what: dict[str, str], **more: object) -> None:
    Journal(directory.journal_path, actor="faults", clock=ManualClock(at_ns)).append(kind, **what, **more)


def test_the_outage_counts_from_the_fault(directory: DrillDirectory) -> None:
    """Of a circumstance and a fault, the fault is the one that is judged; both were seen by somebody else."""
    Experiments(directory, lambda *_: _inject(directory, LINK, 10)).worsen("link", {})
    _inject(directory, POWER, 20)
    facts = read_facts(directory)
    assert facts.fault is not None
    assert (facts.fault.kind, facts.fault.before_ns) == ("all_hosts_power_loss", 20)
    assert facts.effect is not None
    assert facts.effect.kind == "all_hosts_power_loss"
    (circumstance,) = facts.circumstances
    assert circumstance.fault.kind == "link_delay"
    assert list(check_circumstances(facts)) == []


def test_a_circumstance_that_nobody_saw(directory: DrillDirectory) -> None:
    """A circumstance without an effect makes the drill prove nothing."""
    Experiments(directory, lambda *_: _inject(directory, LINK, 10, seen=False)).worsen("link", {})
    _inject(directory, POWER, 20)
    (reason,) = check_circumstances(read_facts(directory))
    assert reason.code == "circumstance_not_observed"


def test_a_circumstance_that_was_seen_too_late(directory: DrillDirectory) -> None:
    """What was seen of a circumstance only after the fault began says nothing of the moment that counts."""
    Experiments(directory, lambda *_: _inject(directory, LINK, 10, seen=False)).worsen("link", {})
    _inject(directory, POWER, 20)
    _note(directory, 30, "fault.observed", LINK, **SEEN)
    (reason,) = check_circumstances(read_facts(directory))
    assert (reason.verdict, reason.code) == (Verdict.INVALID, "circumstance_seen_late")


def test_a_circumstance_that_was_seen_again_after_the_fault(directory: DrillDirectory) -> None:
    """Seen before and once more after it: it was there when the fault came."""
    Experiments(directory, lambda *_: _inject(directory, LINK, 10)).worsen("link", {})
    _inject(directory, POWER, 20)
    _note(directory, 30, "fault.observed", LINK, **SEEN)
    assert list(check_circumstances(read_facts(directory))) == []


@pytest.mark.parametrize(("at_ns", "codes"), [(15, ["circumstance_healed_early"]), (25, [])])
def test_a_circumstance_that_was_mended(directory: DrillDirectory, at_ns: int, codes: list[str]) -> None:
    """One that was mended before the fault came made nothing worse; afterwards it may be."""
    Experiments(directory, lambda *_: _inject(directory, LINK, 10)).worsen("link", {})
    _note(directory, at_ns, "fault.healing", LINK)
    _inject(directory, POWER, 20)
    assert [one.code for one in check_circumstances(read_facts(directory))] == codes


def test_another_fault_of_the_same_target_is_no_effect(directory: DrillDirectory) -> None:
    """The effect of one fault proves nothing of another one that hit the same target."""
    hang = {**POWER, "kind": "process_hang"}
    Experiments(directory, lambda *_: _inject(directory, hang, 10, seen=False)).worsen("hang", {})
    _inject(directory, POWER, 20)
    (reason,) = check_circumstances(read_facts(directory))
    assert reason.code == "circumstance_not_observed"


def test_a_circumstance_that_did_not_come(directory: DrillDirectory) -> None:
    """An experiment that failed ends the drill before anything else is broken."""
    with pytest.raises(InvalidDrillError, match=r"link did not take effect: too idle"):
        Experiments(directory, lambda *_: "too idle").worsen("link", {})
