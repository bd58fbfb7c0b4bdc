"""The life cycle of one fault. Whoever breaks something through here can always find out what to mend.

            inject()              heal()
     idle ────────────▶ active ────────────▶ healed ──┐
       │                   │                 ▲  ▲  ▲  │ heal() again
       │ inject() failed   │ heal() failed   │  │  └──┘
       │                   ▼                 │  │
       └───────────────▶ tainted ────────────┘  (heal() failed from there: tainted still)
                                    heal()

A failed mutation may have happened, or may happen yet: from `tainted` only `heal()` is legal. A refusal comes
before any mutation and leaves the fault `idle`. `wait_until_effective()` (legal in `active`) and
`wait_until_healed()` (legal in `healed`) only observe, by the environment's other means than the injector's.
Every act is recorded on the disk and journalled before it and after it.
"""

from __future__ import annotations

import contextlib
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Self

from drdrill.core.errors import DrdrillError, NotObservedError, UsageError
from drdrill.core.waiting import wait_until
from drdrill.faults.active import ActiveFaults, RecordedState
from drdrill.faults.sanitise import Json, fields_to_json, redact, to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from drdrill.core.clock import Clock
    from drdrill.environment.port import FaultPort, FaultRequest
    from drdrill.faults.active import ActiveFault
    from drdrill.record.journal import Journal

# A power cut is seen from its zone within milliseconds, a booted host within seconds: ten looks a second
# cost little.
EVERY = timedelta(milliseconds=100)


class FaultState(StrEnum):
    """Where a fault is in its life."""

    IDLE = "idle"
    ACTIVE = "active"
    HEALED = "healed"
    TAINTED = "tainted"


_STATE_OF_RECORD = {
    RecordedState.INJECTING: FaultState.TAINTED,  # whoever was injecting is not here to say what became of it
    RecordedState.ACTIVE: FaultState.ACTIVE,
    RecordedState.TAINTED: FaultState.TAINTED,
    RecordedState.HEALED: FaultState.HEALED,
}


class Fault:
    """One fault through its life. `journal` is None outside a drill."""

    def __init__(
        self, request: FaultRequest, port: FaultPort, *, clock: Clock, journal: Journal | None
    ) -> None:
        self.request = request
        self.state = FaultState.IDLE
        self._port = port
        self._clock = clock
        self._journal = journal
        self._record = ActiveFaults(port.state_directory)
        self._entry: ActiveFault | None = None

    @classmethod
    def resume(cls, entry: ActiveFault, port: FaultPort, *, clock: Clock, journal: Journal | None) -> Self:
        """Take up a fault where the record on the disk says that it is, perhaps left by another process."""
        fault = cls(entry.request, port, clock=clock, journal=journal)
        fault._entry = entry
        fault.state = _STATE_OF_RECORD[entry.state]
        return fault

    def __repr__(self) -> str:
        return f"Fault({self.request.kind} in {self.request.store}, {self.state})"

    @property
    def entry(self) -> ActiveFault:
        """What the record on the disk says of this fault. Raises `UsageError` before it was injected."""
        if self._entry is None:
            raise UsageError(f"{self!r} was not injected.")
        return self._entry

    def inject(self) -> ActiveFault:
        """Break it, and return what the record says of it now.

        Raises `RefusedError` when the target has a fault already (nothing was done), and what the environment
        raised: then this fault is tainted, and its record says so.
        """
        self._require("inject", FaultState.IDLE)
        request = self.request
        try:
            self._entry = self._record.begin(request, at_ns=self._clock.now_ns())
        except DrdrillError as error:
            self._journal_failure(str(error))
            raise
        with self._tainting("fault.failed"):
            self._append("fault.injecting", kind=request.kind, store=request.store, role=request.role)
            injection = self._port.inject(request)
            self._entry = self._record.update(self._entry, RecordedState.ACTIVE, injection=injection)
            self._append("fault.injected", **fields_to_json(_fields_of(injection)))
        self.state = FaultState.ACTIVE
        return self._entry

    def wait_until_effective(self, *, within: timedelta) -> dict[str, Json]:
        """Watch until the fault shows and return the reading; raises `NotObservedError` with the last one."""
        self._require("wait_until_effective", FaultState.ACTIVE)
        injection = self.entry.presumed_injection()
        reading, error = self._watch(
            lambda: self._port.observe_effect(injection), "effective", f"The effect of {self!r}", within
        )
        self._append(
            "fault.observed",
            kind=self.request.kind,
            resource=injection.resource,
            effective=error is None,
            observer=str(reading.get("observer", "environment")),
            reading=reading,
        )
        if error:
            raise error
        return reading

    def heal(self) -> dict[str, Json]:
        """Mend what was broken, and return what the environment says that it did. Healing twice is harmless.

        Raises what the environment raised: then this fault is tainted, and its record says so.
        """
        self._require("heal", FaultState.ACTIVE, FaultState.TAINTED, FaultState.HEALED)
        injection = self.entry.presumed_injection()
        with self._tainting("fault.heal_failed"):
            self._append("fault.healing", kind=self.request.kind, resource=injection.resource)
            done = self._port.heal(injection)
            self._entry = self._record.update(self.entry, RecordedState.HEALED)
        self.state = FaultState.HEALED
        return fields_to_json(done)

    def wait_until_healed(self, *, within: timedelta) -> dict[str, Json]:
        """Watch until the target is whole, forget the fault, and return the reading.

        Raises `NotObservedError` with the last reading; the fault then stays in the record.
        """
        self._require("wait_until_healed", FaultState.HEALED)
        injection = self.entry.presumed_injection()
        reading, error = self._watch(
            lambda: self._port.observe_healed(injection), "healed", f"The healing of {self!r}", within
        )
        if error is None:
            self._record.forget(self.entry)
        self._append(
            "fault.healed",
            kind=self.request.kind,
            resource=injection.resource,
            healed=error is None,
            reading=reading,
        )
        if error:
            raise error
        return reading

    def _watch(
        self, look: Callable[[], Mapping[str, object]], field: str, what: str, within: timedelta
    ) -> tuple[dict[str, Json], Exception | None]:
        """Return the last reading, and the error unless it said `field`: true, and nothing else, in time."""
        last: dict[str, Json] = {}

        def holds() -> bool:
            nonlocal last
            last = fields_to_json(look())
            return last.get(field) is True

        try:
            wait_until(holds, what=what, within=within, every=EVERY, clock=self._clock)
        except NotObservedError:
            return last, NotObservedError(what, within.total_seconds(), last)
        except Exception as error:  # noqa: BLE001 - the journal is to say so before it is raised
            return {**last, field: None, "error": str(error)}, error
        return last, None

    def _require(self, act: str, *legal: FaultState) -> None:
        if self.state not in legal:
            raise UsageError(
                f"{act}() is not legal while {self.request.kind} in {self.request.store} is {self.state}; "
                f"it is while it is {' or '.join(legal)}."
            )

    @contextlib.contextmanager
    def _tainting(self, kind: str) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            # Ctrl-C too: what was interrupted may have happened. What fails in here must not hide the first
            # error.
            self.state = FaultState.TAINTED
            reason = f"{type(error).__name__}: {error}"
            for note_failure in (self._record_taint, lambda said: self._journal_failure(said, kind)):
                try:
                    note_failure(reason)
                except Exception as second:  # noqa: BLE001 - clean-up collects
                    error.add_note(f"This could not be recorded either: {second}")
            raise

    def _record_taint(self, reason: str) -> None:
        self._entry = self._record.update(self.entry, RecordedState.TAINTED, reason=reason)

    def _journal_failure(self, reason: str, event: str = "fault.failed") -> None:
        self._append(event, kind=self.request.kind, reason=reason)

    def _append(self, event: str, /, **data: object) -> None:
        if self._journal is not None:
            safe = {name: redact(to_json(value)) for name, value in data.items()}
            self._journal.append(event, **safe)


def _fields_of(injection: object) -> dict[str, object]:
    return {
        name: getattr(injection, name) for name in ("kind", "resource", "before_ns", "after_ns", "details")
    }
