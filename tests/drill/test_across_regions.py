"""A circumstance of a fault: injected before it, noted as such, and not judged in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drdrill.core.errors import InvalidDrillError
from drdrill.drill.across_regions import worsen
from drdrill.measure.facts import read_facts
from drdrill.measure.validity import check_circumstances
from drdrill.record.directory import DrillDirectory

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
    journal = directory.journal("faults")
    journal.append("fault.injected", **what, before_ns=at_ns, after_ns=at_ns + 1, details={})
    if seen:
        journal.append("fault.observed", **what, **SEEN)
    return ""


def test_the_outage_counts_from_the_fault(directory: DrillDirectory) -> None:
    """Of a circumstance and a fault, the fault is the one that is judged; both were seen by somebody else."""
    worsen(directory, "link", lambda _: _inject(directory, LINK, 10))
    _inject(directory, POWER, 20)
    facts = read_facts(directory)
    assert facts.fault is not None
    assert (facts.fault.kind, facts.fault.before_ns) == ("all_hosts_power_loss", 20)
    assert facts.effect is not None
    assert facts.effect.kind == "all_hosts_power_loss"
    ((circumstance, _),) = facts.circumstances
    assert circumstance.kind == "link_delay"
    assert list(check_circumstances(facts)) == []


def test_a_circumstance_that_nobody_saw(directory: DrillDirectory) -> None:
    """A circumstance without an effect makes the drill prove nothing."""
    worsen(directory, "link", lambda _: _inject(directory, LINK, 10, seen=False))
    _inject(directory, POWER, 20)
    (reason,) = check_circumstances(read_facts(directory))
    assert reason.code == "circumstance_not_observed"


def test_a_circumstance_that_did_not_come(directory: DrillDirectory) -> None:
    """An experiment that failed ends the drill before anything else is broken."""
    with pytest.raises(InvalidDrillError, match=r"link did not take effect: too idle"):
        worsen(directory, "link", lambda _: "too idle")
