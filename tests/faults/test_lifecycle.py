"""A fault goes from idle to active to healed; what fails on the way taints it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from drdrill.core.errors import ControlLostError, NotObservedError, RefusedError, UsageError
from drdrill.faults import ActiveFaults, Fault, FaultState
from drdrill.faults.active import RecordedState
from drdrill.record.journal import read_journal
from tests.faults.fakes import HOST, REQUEST, FakePort, ManualClock

if TYPE_CHECKING:
    from drdrill.environment.port import FaultRequest, Injection
    from drdrill.record.journal import Journal

WITHIN = timedelta(seconds=5)


@pytest.fixture
def fault(port: FakePort, clock: ManualClock, journal: Journal) -> Fault:
    """Return a fault that was not injected yet."""
    return Fault(REQUEST, port, clock=clock, journal=journal)


def state_of(fault: Fault) -> FaultState:
    """Return where a fault is."""
    return fault.state


def kinds(journal: Journal) -> list[str]:
    """Return the kinds of the events so far."""
    return [event.kind for event in read_journal(journal.path)] if journal.path.exists() else []


def test_whole_life(fault: Fault, port: FakePort, journal: Journal) -> None:
    """A fault that works is injected, seen, healed, seen whole, and forgotten."""
    fault.inject()
    assert state_of(fault) is FaultState.ACTIVE
    assert fault.wait_until_effective(within=WITHIN)["effective"] is True
    assert fault.heal() == {"started": HOST}
    assert state_of(fault) is FaultState.HEALED
    assert fault.wait_until_healed(within=WITHIN) == {"healed": True}
    assert ActiveFaults(port.state_directory).read() == ()
    events = [(event.kind, event.data) for event in read_journal(journal.path)]
    assert events == [
        ("fault.injecting", {"kind": "host_power_loss", "store": "accounts", "role": "primary"}),
        (
            "fault.injected",
            {
                "kind": "host_power_loss",
                "resource": HOST,
                "before_ns": 10,
                "after_ns": 20,
                "details": {"was": "running"},
            },
        ),
        (
            "fault.observed",
            {
                "kind": "host_power_loss",
                "resource": HOST,
                "effective": True,
                "observer": "neighbour",
                "reading": {"effective": True, "observer": "neighbour", "answers": False},
            },
        ),
        ("fault.healing", {"kind": "host_power_loss", "resource": HOST}),
        (
            "fault.healed",
            {"kind": "host_power_loss", "resource": HOST, "healed": True, "reading": {"healed": True}},
        ),
    ]


class _LooksAtTheRecord(FakePort):
    """Notes what record and journal said at the moment of an act."""

    recorded: tuple[RecordedState, ...] = ()

    def inject(self, request: FaultRequest) -> Injection:
        """Look, then break."""
        self.recorded = tuple(entry.state for entry in ActiveFaults(self.state_directory).read())
        return super().inject(request)


def test_recorded_before_the_act(port: FakePort, clock: ManualClock) -> None:
    """When the host breaks, the disk already says that it is being broken."""
    looking = _LooksAtTheRecord(port.state_directory)
    Fault(REQUEST, looking, clock=clock, journal=None).inject()
    assert looking.recorded == (RecordedState.INJECTING,)


def test_waits_only_as_long_as_needed(fault: Fault, port: FakePort, clock: ManualClock) -> None:
    """Waiting looks again every tenth of a second and ends with the first true reading."""
    fault.inject()
    port.looks_until_seen = 3
    before = clock.now_ns()
    fault.wait_until_effective(within=WITHIN)
    assert clock.now_ns() - before == 300_000_000


def test_without_effect(fault: Fault, port: FakePort, journal: Journal) -> None:
    """An injection that does nothing is not observed: the journal says so, with the last reading."""
    port.does_nothing = True
    fault.inject()
    with pytest.raises(NotObservedError, match="'answers': True"):
        fault.wait_until_effective(within=WITHIN)
    observed = read_journal(journal.path)[-1]
    assert observed.kind == "fault.observed"
    assert observed.data["effective"] is False
    assert state_of(fault) is FaultState.ACTIVE


@pytest.mark.parametrize("reading", [{}, {"effective": None}, {"effective": 1}, {"effective": "true"}])
def test_only_true_is_true(fault: Fault, port: FakePort, reading: dict[str, object]) -> None:
    """A reading that says anything but true says no."""
    fault.inject()
    port.reading = reading
    with pytest.raises(NotObservedError):
        fault.wait_until_effective(within=WITHIN)


def test_observer_fails(fault: Fault, port: FakePort, journal: Journal) -> None:
    """An observer that fails proves no effect: the journal says so, and the error passes through."""
    fault.inject()
    port.failures["observe_effect"] = ControlLostError("the supervisor is gone")
    with pytest.raises(ControlLostError):
        fault.wait_until_effective(within=WITHIN)
    observed = read_journal(journal.path)[-1].data
    assert observed["effective"] is False
    assert observed["reading"]["error"] == "the supervisor is gone"


@pytest.mark.parametrize("error", [ControlLostError("lost"), ValueError("odd"), KeyboardInterrupt()])
@pytest.mark.parametrize("late", [False, True])
def test_failed_injection_taints(
    fault: Fault, port: FakePort, journal: Journal, error: BaseException, *, late: bool
) -> None:
    """Whatever ends an injection, before or after it broke something, only healing is legal then."""
    (port.late_failures if late else port.failures)["inject"] = error
    with pytest.raises(type(error)):
        fault.inject()
    assert state_of(fault) is FaultState.TAINTED
    assert [entry.state for entry in ActiveFaults(port.state_directory).read()] == [RecordedState.TAINTED]
    assert kinds(journal)[-1] == "fault.failed"
    for illegal in (fault.inject, lambda: fault.wait_until_effective(within=WITHIN)):
        with pytest.raises(UsageError, match="not legal while"):
            illegal()
    fault.heal()
    assert not port.broken
    assert port.healed[-1].details["unconfirmed"] is True


def test_failed_healing_taints(fault: Fault, port: FakePort) -> None:
    """A healing that failed leaves the fault tainted, and may be tried again."""
    fault.inject()
    port.failures["heal"] = ControlLostError("lost")
    with pytest.raises(ControlLostError):
        fault.heal()
    assert state_of(fault) is FaultState.TAINTED
    port.failures.clear()
    fault.heal()
    assert state_of(fault) is FaultState.HEALED
    assert port.healed[-1].details == {"was": "running"}


def test_not_seen_whole(fault: Fault, port: FakePort, journal: Journal) -> None:
    """A target that is not seen whole keeps its fault in the record."""
    fault.inject()
    fault.heal()
    port.looks_until_seen = 1_000
    with pytest.raises(NotObservedError):
        fault.wait_until_healed(within=WITHIN)
    assert [entry.state for entry in ActiveFaults(port.state_directory).read()] == [RecordedState.HEALED]
    assert read_journal(journal.path)[-1].data["healed"] is False


def test_refused_stays_idle(fault: Fault, port: FakePort, clock: ManualClock, journal: Journal) -> None:
    """A second fault in the same target is refused, journalled, and never reaches the environment."""
    Fault(REQUEST, port, clock=clock, journal=None).inject()
    with pytest.raises(RefusedError):
        fault.inject()
    assert state_of(fault) is FaultState.IDLE
    assert port.calls.count("inject") == 1
    assert kinds(journal) == ["fault.failed"]


def test_resumed(fault: Fault, port: FakePort, clock: ManualClock) -> None:
    """Another process takes up a fault where the record says that it is, and heals it as it was injected."""
    fault.inject()
    (entry,) = ActiveFaults(port.state_directory).read()
    resumed = Fault.resume(entry, port, clock=clock, journal=None)
    resumed.heal()
    resumed.wait_until_healed(within=WITHIN)
    assert not port.broken
    assert port.healed[-1].resource == HOST


def test_unrecordable_failure(fault: Fault, port: FakePort, journal: Journal) -> None:
    """A failure that cannot be recorded is still the one that is raised, with a note, and is journalled."""
    record = ActiveFaults(port.state_directory)
    port.failures["inject"] = ControlLostError("the first error")
    port.before_failing = lambda: record.path.write_text("damaged", encoding="utf-8")
    with pytest.raises(ControlLostError, match="the first error") as raised:
        fault.inject()
    assert "could not be recorded" in raised.value.__notes__[0]
    assert kinds(journal)[-1] == "fault.failed"


def test_no_secrets_in_the_journal(fault: Fault, port: FakePort, journal: Journal) -> None:
    """What looks like a secret reaches the healer, and not the journal."""
    port.details = {"password": "hunter2", "at": [1, 2]}
    fault.inject()
    injected = read_journal(journal.path)[-1].data
    assert injected["details"] == {"password": "[redacted]", "at": [1, 2]}
    assert fault.entry.presumed_injection().details == port.details
