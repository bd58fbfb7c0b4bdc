"""After a fault: waits until users are served again, and until the store has its redundancy back.

One watch for both, because redundancy may be back while users are still being waited for. That something did not
come back in time is recorded, never raised: the drill goes on, and everything is judged.
"""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import TYPE_CHECKING

from drdrill.core.clock import NANOSECONDS
from drdrill.core.errors import NotObservedError
from drdrill.core.waiting import wait_until

if TYPE_CHECKING:
    from drdrill.core.clock import Clock
    from drdrill.drill.budget import Patience
    from drdrill.drill.observation import StoreObserver
    from drdrill.drill.users import Users
    from drdrill.measure.facts import Fault
    from drdrill.record.journal import Journal

LOOK_EVERY = timedelta(milliseconds=200)  # a look at all ledgers takes 10 to 40 ms


class Aftermath:
    """Watches users and store of one drill from the fault on."""

    def __init__(
        self,
        fault: Fault,
        users: Users,
        store: StoreObserver,
        *,
        patience: Patience,
        journal: Journal,
        clock: Clock,
    ) -> None:
        self._fault = fault
        self._users = users
        self._store = store
        self._patience = patience
        self._journal = journal
        self._clock = clock
        self._last_look_ns = fault.before_ns
        self._protected: tuple[int, int] | None = None  # when it was seen, and how long nobody had looked
        self._healed = False

    def note_healed(self) -> None:
        """Be told that what was broken is whole again: from now on it may be what protects."""
        self._healed = True

    def await_outage(self, at_least: timedelta | None) -> None:
        """Wait until users were seen not to be served for that long, or patience ends; both are recorded."""
        at_least_ns = int((at_least or timedelta()).total_seconds() * NANOSECONDS)

        def down() -> bool:
            self._users.require_running()
            outage = self._users.observe_outage(self._fault.before_ns, self._fault.after_ns)
            return outage.was_down and outage.down_ns > at_least_ns

        seen = True
        try:
            wait_until(
                down, what="an outage", within=self._patience.recovery, every=LOOK_EVERY, clock=self._clock
            )
        except NotObservedError:
            seen = False
        self._journal.append("outage.observed", seen=seen)

    def await_recovery(self, *, once_more: bool = False) -> None:
        """Wait until users are served again for the plan's stability time, or patience ends.

        `once_more`: counted from now on, beside what has come back meanwhile.
        """
        earliest_ns = self._clock.now_ns() + (self._users.stability_ns if once_more else 0)

        def recovered() -> bool:
            self._users.require_running()
            self._look()
            if once_more and (self._clock.now_ns() < earliest_ns or self._users.find_unsteady()):
                return False
            return self._outage_ns() is not None

        seen = True
        try:
            wait_until(
                recovered,
                what="recovery",
                within=self._patience.recovery,
                every=LOOK_EVERY,
                clock=self._clock,
            )
        except NotObservedError:
            seen = not once_more  # users may have come back at the very end
        outage_ns = self._outage_ns()
        self._journal.append(
            "recovery.observed",
            recovered=seen and outage_ns is not None,
            outage_seconds=None if outage_ns is None else outage_ns / NANOSECONDS,
        )
        self._store.note_failover()

    def _outage_ns(self) -> int | None:
        return self._users.observe_outage(self._fault.before_ns, self._fault.after_ns).outage_ns

    def await_protection(self) -> None:
        """Wait until the store is protected again, or patience ends."""
        with contextlib.suppress(NotObservedError):
            wait_until(
                self._look,
                what="redundancy",
                within=self._patience.re_protection,
                every=LOOK_EVERY,
                clock=self._clock,
            )
        resource = self._store.read().resource
        if self._protected is None:
            self._journal.append("store.unprotected", resource=resource)
        else:
            seen_ns, resolution_ns = self._protected
            self._journal.append(
                "store.protected", resource=resource, at_ns=seen_ns, resolution_ns=resolution_ns
            )

    def _look(self) -> bool:
        """Look at the store once; true as soon as it was seen protected, and not by a host that is still broken."""
        if self._protected is None:
            state = self._store.read()
            seen_ns = self._clock.now_ns()
            broken = "" if self._healed else self._fault.resource
            if state.protected and all(member.host != broken for member in state.members):
                self._protected = (seen_ns, seen_ns - self._last_look_ns)
            self._last_look_ns = seen_ns
        return self._protected is not None
