"""The safety net heals all that is recorded, and collects what fails."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from drdrill.core.errors import ControlLostError, DamagedRecordError
from drdrill.faults import ActiveFaults, Fault, Healing, heal_all
from drdrill.record.journal import read_journal
from tests.faults.fakes import REQUEST, FakePort, ManualClock

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from drdrill.environment.port import Injection
    from drdrill.record.journal import Journal


def test_nothing_to_heal(port: FakePort) -> None:
    """Without a recorded fault nothing is done."""
    assert heal_all(port, None) == ()
    assert port.calls == []


def test_after_a_crash(port: FakePort, clock: ManualClock, journal: Journal) -> None:
    """A fault whose injection was cut short by a crash is healed from the record alone."""
    ActiveFaults(port.state_directory).begin(REQUEST, at_ns=1)  # and then the process was gone
    assert heal_all(port, journal, clock=clock) == (Healing("host_power_loss", "accounts", whole=True),)
    assert port.healed[0].details["unconfirmed"] is True
    assert ActiveFaults(port.state_directory).read() == ()
    assert [event.kind for event in read_journal(journal.path)] == ["fault.healing", "fault.healed"]


def test_last_one_first(port: FakePort, clock: ManualClock) -> None:
    """What was broken last is healed first."""
    for store in ("one", "two"):
        Fault(replace(REQUEST, store=store), port, clock=clock, journal=None).inject()
    assert [healing.store for healing in heal_all(port, None, clock=clock)] == ["two", "one"]


def test_not_whole_yet(port: FakePort, clock: ManualClock) -> None:
    """A target that is mended and not seen whole in time is reported so, and stays recorded."""
    Fault(REQUEST, port, clock=clock, journal=None).inject()
    port.looks_until_seen = 3
    assert heal_all(port, None, clock=clock) == (Healing("host_power_loss", "accounts", whole=False),)
    assert len(ActiveFaults(port.state_directory).read()) == 1
    (healing,) = heal_all(port, None, within=timedelta(seconds=1), clock=clock)
    assert healing.whole


class _FailsOnce(FakePort):
    """Fails to heal the fault of that store."""

    stubborn = "two"

    def heal(self, injection: Injection) -> Mapping[str, Any]:
        """Heal all but one."""
        if injection.details["store"] == self.stubborn:
            raise ControlLostError("this one does not answer")
        return super().heal(injection)


def test_failures_are_collected(port: FakePort, clock: ManualClock) -> None:
    """One healing that fails stops no other; the damaged record comes first, and every failure is told."""
    record = ActiveFaults(port.state_directory)
    for store in ("one", "two", "three"):
        record.begin(replace(REQUEST, store=store), at_ns=1)
    text = record.path.read_text(encoding="utf-8")
    record.path.write_text(text.replace('"faults": [', '"faults": [ 7,'), encoding="utf-8")
    with pytest.raises(ExceptionGroup) as raised:
        heal_all(_FailsOnce(port.state_directory), None, clock=clock)
    damaged, lost = raised.value.exceptions
    assert isinstance(damaged, DamagedRecordError)
    assert isinstance(lost, ControlLostError)
    assert "while healing host_power_loss in two" in lost.__notes__[0]
    assert [entry.target for entry in record.read()] == ["two"]
