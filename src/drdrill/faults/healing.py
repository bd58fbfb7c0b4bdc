"""The safety net: heals every fault that the record names, whoever injected it, whatever became of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from drdrill.core.clock import Clock, SystemClock
from drdrill.core.errors import DamagedRecordError, NotObservedError
from drdrill.faults.active import ActiveFaults
from drdrill.faults.lifecycle import Fault

if TYPE_CHECKING:
    from drdrill.environment.port import FaultPort
    from drdrill.faults.active import ActiveFault
    from drdrill.record.journal import Journal


@dataclass(frozen=True, slots=True)
class Healing:
    """What became of one recorded fault. `whole`: the target was seen whole, and the fault is forgotten."""

    kind: str
    store: str
    whole: bool


def heal_all(
    port: FaultPort,
    journal: Journal | None,
    *,
    within: timedelta = timedelta(0),
    clock: Clock | None = None,
) -> tuple[Healing, ...]:
    """Heal every recorded fault, the last one first, and look for up to `within` whether its target is whole.

    A target that is mended and not seen whole in that time is no failure: it comes back as `whole=False`
    and stays in the record. Raises an `ExceptionGroup` with all failures, the first one first, after
    everything was tried; a damaged record is one of them, and what can be read of it is healed all the
    same.
    """
    entries, damage = ActiveFaults(port.state_directory).salvage()
    failures: list[Exception] = [DamagedRecordError(damage)] if damage else []
    healings: list[Healing] = []
    for entry in reversed(entries):
        try:
            healings.append(_heal(entry, port, journal, within, clock or SystemClock()))
        except Exception as error:  # noqa: BLE001 - clean-up collects
            error.add_note(f"while healing {entry}")
            failures.append(error)
    if failures:
        raise ExceptionGroup("Not everything could be healed", failures)
    return tuple(healings)


def _heal(
    entry: ActiveFault, port: FaultPort, journal: Journal | None, within: timedelta, clock: Clock
) -> Healing:
    fault = Fault.resume(entry, port, clock=clock, journal=journal)
    fault.heal()
    try:
        fault.wait_until_healed(within=within)
    except NotObservedError:
        return Healing(entry.request.kind, entry.request.store, whole=False)
    return Healing(entry.request.kind, entry.request.store, whole=True)
