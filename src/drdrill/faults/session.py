"""Where a fault is injected: a port, the plan that allows it, and the journal that it is written to.

An action of an experiment is called by Chaos Toolkit with the experiment's own arguments and nothing else,
so it has to find its environment by itself, in one of two ways:

- In a drill, the drill has opened a session with what it holds already (`open_session`). It is one per
  process, not a context variable: background activities run in threads of Chaos Toolkit's pool, which see
  no context variables; and there is never a second one, because Chaos Toolkit runs one experiment at a time
  in one thread.
- In a shell of a standing mirror, where the plain `chaos` command runs, nobody opened one: it is made from
  DRDRILL_ENVIRONMENT, DRDRILL_CONTROL, DRDRILL_PLAN, DRDRILL_INSTANCE and DRDRILL_DRILL.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from drdrill.core.clock import Clock, SystemClock
from drdrill.core.errors import RefusedError, UsageError
from drdrill.environment.registry import attach_faults
from drdrill.faults import guard
from drdrill.faults.active import ActiveFaults
from drdrill.faults.lifecycle import Fault
from drdrill.record.directory import DrillDirectory

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import timedelta

    from drdrill.environment.port import FaultPort, StoreRole
    from drdrill.faults.active import ActiveFault
    from drdrill.faults.catalogue import FaultKind
    from drdrill.faults.guard import PlanSource
    from drdrill.faults.sanitise import Json
    from drdrill.record.journal import Journal


@dataclass(frozen=True, slots=True)
class FaultSession:
    """Injects, observes and heals in one environment. `instance`: the one that the drill started."""

    environment: str
    port: FaultPort
    plan: PlanSource
    instance: str | None = None
    journal: Journal | None = None
    clock: Clock = field(default_factory=SystemClock)

    def inject(
        self,
        kind: FaultKind,
        store: str,
        role: StoreRole,
        amount: str = "",
        *,
        statement: str = "",
        doomed: str = "",
    ) -> ActiveFault:
        """Break a store's member, if the guard allows it.

        Raises `RefusedError` (nothing was touched), or what the environment raised (then it may have
        happened).
        """
        try:
            request = guard.allow(
                kind,
                store,
                role,
                amount,
                plan=self.plan,
                environment=self.environment,
                instance=self.instance,
                port=self.port,
            )
        except RefusedError as error:
            if self.journal is not None:
                self.journal.append("fault.failed", kind=kind, reason=str(error))
            raise
        request = replace(request, statement=statement, doomed=doomed)
        return Fault(request, self.port, clock=self.clock, journal=self.journal).inject()

    def observe_effect(self, kind: FaultKind, store: str, *, within: timedelta) -> dict[str, Json]:
        """Watch until the fault in that store shows; raises `NotObservedError`."""
        return self._fault(kind, store).wait_until_effective(within=within)

    def heal(self, kind: FaultKind, store: str) -> dict[str, Json]:
        """Mend what that fault broke. No guard: mending is always allowed."""
        return self._fault(kind, store).heal()

    def observe_healed(self, kind: FaultKind, store: str, *, within: timedelta) -> dict[str, Json]:
        """Watch until the store is whole again; raises `NotObservedError`."""
        return self._fault(kind, store).wait_until_healed(within=within)

    def _fault(self, kind: FaultKind, store: str) -> Fault:
        record = ActiveFaults(self.port.state_directory)
        for entry in record.read():
            if entry.request.kind == kind and entry.request.store == store:
                return Fault.resume(entry, self.port, clock=self.clock, journal=self.journal)
        raise UsageError(f"No fault of the kind `{kind}` is in `{store}`, says {record.path}.")


class _Opened:
    """Holds the session that this process opened."""

    session: FaultSession | None = None


@contextlib.contextmanager
def open_session(session: FaultSession) -> Iterator[FaultSession]:
    """Make a session the one that actions and probes of this process find, until the block ends.

    Raises `UsageError` while another one is open.
    """
    if _Opened.session is not None:
        raise UsageError("A session for faults is open in this process already; there is one at a time.")
    _Opened.session = session
    try:
        yield session
    finally:
        _Opened.session = None


def current_session() -> FaultSession:
    """Return the open session, or else the one that the process's environment variables describe."""
    return _Opened.session or read_session(os.environ)


def read_session(variables: Mapping[str, str]) -> FaultSession:
    """Return the session that environment variables describe.

    Raises `UsageError` that names a variable that is missing, and what attaching to the environment raises.
    """
    missing = [name for name in ("DRDRILL_ENVIRONMENT", "DRDRILL_CONTROL") if not variables.get(name)]
    if missing:
        raise UsageError(
            f"There is no environment to break: {' and '.join(missing)} not set. "
            "Run this in a drill, or in the shell that `drdrill env shell` gives."
        )
    environment = variables["DRDRILL_ENVIRONMENT"]
    plan = variables.get("DRDRILL_PLAN")
    drill = variables.get("DRDRILL_DRILL")
    if drill and not Path(drill).is_dir():
        raise UsageError(f"DRDRILL_DRILL names no drill's directory: {drill}.")
    return FaultSession(
        environment=environment,
        port=attach_faults(environment, variables["DRDRILL_CONTROL"]),
        plan=Path(plan) if plan else None,
        instance=variables.get("DRDRILL_INSTANCE"),
        journal=DrillDirectory(Path(drill)).journal("faults") if drill else None,
    )
