"""Random walks over the life of a fault, with errors before and after every act and crashes in between.

After roachprod's test of its failure injection: whatever happened, what is broken is recorded, and mended.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from drdrill.core.errors import ControlLostError, DrdrillError, NotObservedError, RefusedError, UsageError
from drdrill.faults import ActiveFaults, Fault, FaultState, heal_all
from tests.faults.fakes import REQUEST, FakePort, ManualClock

WITHIN = timedelta(milliseconds=300)
LEGAL = {
    "inject": {FaultState.IDLE},
    "wait_until_effective": {FaultState.ACTIVE},
    "heal": {FaultState.ACTIVE, FaultState.TAINTED, FaultState.HEALED},
    "wait_until_healed": {FaultState.HEALED},
}
OPERATION_OF_THE_PORT = {
    "inject": "inject",
    "wait_until_effective": "observe_effect",
    "heal": "heal",
    "wait_until_healed": "observe_healed",
}
ERRORS = st.sampled_from([None, None, ControlLostError("lost"), OSError("gone"), KeyboardInterrupt()])


@dataclass(frozen=True)
class Step:
    """One step of a walk: an act with an error before or after it, or a crash of the process."""

    act: str
    before: BaseException | None = None
    after: BaseException | None = None
    looks_until_seen: int = 0


STEPS = st.one_of(
    st.builds(Step, st.sampled_from(sorted(LEGAL)), ERRORS, ERRORS, st.integers(0, 6)),
    st.builds(Step, st.sampled_from(["crash", "another"])),
)


@dataclass
class Walk:
    """A fault on its way, and the truth about its target."""

    port: FakePort
    clock: ManualClock = field(default_factory=ManualClock)

    def __post_init__(self) -> None:
        self.fault = self.fresh()

    def fresh(self) -> Fault:
        """Return a fault of a new process that found the record, or that found nothing."""
        recorded = ActiveFaults(self.port.state_directory).read()
        if recorded:
            return Fault.resume(recorded[0], self.port, clock=self.clock, journal=None)
        return Fault(REQUEST, self.port, clock=self.clock, journal=None)

    def take(self, step: Step) -> None:
        """Take one step and check what has to hold after it."""
        if step.act == "crash":
            self.fault = self.fresh()
        elif step.act == "another":
            self.try_another()
        else:
            self.act(step)
        recorded = ActiveFaults(self.port.state_directory).read()
        assert recorded or not self.port.broken, "the target is broken, and nobody would know"

    def try_another(self) -> None:
        """Check that a second fault in the target is refused while there is one, without touching it."""
        recorded = ActiveFaults(self.port.state_directory).read()
        calls = len(self.port.calls)
        if recorded:
            try:
                Fault(REQUEST, self.port, clock=self.clock, journal=None).inject()
            except RefusedError:
                assert len(self.port.calls) == calls
                assert ActiveFaults(self.port.state_directory).read() == recorded
            else:
                raise AssertionError("a second fault went in")

    def act(self, step: Step) -> None:
        """Act, and compare state and calls with what the diagram says."""
        before, calls = self.fault.state, len(self.port.calls)
        operation = OPERATION_OF_THE_PORT[step.act]
        self.port.failures = {operation: step.before} if step.before else {}
        self.port.late_failures = {operation: step.after} if step.after else {}
        self.port.looks_until_seen = step.looks_until_seen
        failure = self.call(step.act)
        self.port.failures, self.port.late_failures, self.port.looks_until_seen = {}, {}, 0
        if before not in LEGAL[step.act]:
            assert isinstance(failure, UsageError)
            assert (self.fault.state, len(self.port.calls)) == (before, calls)
        elif step.act in {"inject", "heal"}:
            succeeded = FaultState.ACTIVE if step.act == "inject" else FaultState.HEALED
            refused = isinstance(failure, RefusedError)
            assert self.fault.state is (before if refused else FaultState.TAINTED if failure else succeeded)
            assert refused or bool(failure) == bool(step.before or step.after)
        else:
            assert self.fault.state is before
            assert failure is None or step.before or isinstance(failure, NotObservedError)

    def call(self, act: str) -> BaseException | None:
        """Call one of the four, and return what it raised."""
        try:
            if act.startswith("wait"):
                getattr(self.fault, act)(within=WITHIN)
            else:
                getattr(self.fault, act)()
        except (DrdrillError, OSError, KeyboardInterrupt) as error:
            return error
        return None


@settings(max_examples=300, deadline=None)
@given(st.lists(STEPS, max_size=12))
def test_random_walk(steps: list[Step]) -> None:
    """No walk leaves the diagram, no broken target is ever forgotten, and the safety net mends it."""
    with tempfile.TemporaryDirectory() as directory:
        port = FakePort(Path(directory))
        walk = Walk(port)
        for step in steps:
            walk.take(step)
        heal_all(port, None, clock=walk.clock)
        assert not port.broken
        assert ActiveFaults(port.state_directory).read() == ()
