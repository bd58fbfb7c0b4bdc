"""What is seen of a store, noted in the journal: its members before and after, and what the cloud says happened.

A store is a name, and another database may get the name. Role changes are then counted of each database for the time in
which it had the name, by when the environment says that it was renamed: those of the old one up to then, those of the
new one from then on. One that is not counted would accuse whoever wrote after it; one that is counted although nobody's
writer changed could hide a second writer.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from drdrill.core.errors import DrdrillError, InvalidDrillError, NotObservedError, UsageError
from drdrill.core.waiting import wait_until

if TYPE_CHECKING:
    from drdrill.core.clock import Clock
    from drdrill.environment.port import Environment, StoreEvent, StoreMember, StoreRole, StoreState
    from drdrill.record.journal import Journal

_EVERY = timedelta(milliseconds=200)


class StoreObserver:
    """Looks at one store of an environment and writes down what it sees."""

    def __init__(self, environment: Environment, resource: str, journal: Journal) -> None:
        self._environment = environment
        self._resource = resource
        self._journal = journal
        self._base: StoreState | None = None  # of the database that has the name, since that counts
        self._last: StoreState | None = None  # as the store was noted last
        self._earlier = 0  # role changes of databases that had the name before
        self._earlier_events: list[StoreEvent] = []
        self._before_ns = 0  # the newest event before the fault: what is later is told, of whichever database
        self._moves = 0

    def read(self) -> StoreState:
        """Look, without a note."""
        return self._environment.observe_store(self._resource)

    def find_member(self, role: StoreRole) -> StoreMember:
        """Return the member that has a role now. Raises `UsageError` when none has it."""
        state = self.read()
        for member in state.members:
            if member.role is role:
                return member
        raise UsageError(f"{state.resource} has no {role} now.")

    def await_status(self, status: str, *, within: timedelta, clock: Clock) -> None:
        """Wait until the cloud says this of the store, and note it. Raises `InvalidDrillError` when it does not."""
        what = f"the status {status} of {self._resource}"
        try:
            wait_until(
                lambda: self.read().status == status, what=what, within=within, every=_EVERY, clock=clock
            )
        except NotObservedError as error:
            said = self.read().status
            raise InvalidDrillError(
                f"The cloud did not say that {self._resource} is {status}, but {said}."
            ) from error
        self._journal.append("store.said", resource=self._resource, status=status)

    def note_before_fault(self) -> None:
        """Note the members; what happens from now on is what the fault brought."""
        self._base = self._last = self._note("before_fault")
        self._before_ns = max((one.at_ns for one in self._base.events), default=0)

    def note_giving_up(self, aside: str) -> None:
        """Note what happened to the store's database while it had the name: it was set aside under another one."""
        try:
            given_up = self._environment.observe_store(aside)
        except DrdrillError as error:  # it is gone: what was noted of it before is what is known
            self._journal.append("store.unreadable", resource=aside, reason=str(error))
            return
        if given_up.named_ns is not None:  # else it never was another's name
            self._last = _up_to(given_up, given_up.named_ns)

    def note_replaced(self) -> None:
        """Note that another database has the name from now on."""
        self._begin_anew(self.read())

    def _begin_anew(self, new: StoreState) -> None:
        base, last = self._base, self._last
        if base is not None and last is not None:
            self._earlier += max(0, last.promotions - base.promotions)
            self._earlier_events += last.events
        self._base = new if new.named_ns is None else _up_to(new, new.named_ns)
        self._last = new
        self._moves += 1
        self._journal.append("store.replaced", resource=self._resource, moves=self._moves)

    def note_failover(self) -> None:
        """Note the members again, and the role changes and events since before the fault."""
        now = self._note("after_fault")
        if self._base is not None and self._base.database != now.database:
            self._begin_anew(now)  # another database has the name, and nobody told
        self._last = now
        promotions = now.promotions - (self._base.promotions if self._base else 0)
        self._journal.append(
            "failover.observed",
            resource=self._resource,
            promotions=self._earlier + promotions,
            moves=self._moves,
            events=[
                {"at_ns": one.at_ns, "code": one.code, "message": one.message}
                for one in (*self._earlier_events, *now.events)
                if one.at_ns > self._before_ns
            ],
        )

    def _note(self, moment: str) -> StoreState:
        state = self.read()
        self._journal.append(
            "store.observed",
            moment=moment,
            resource=state.resource,
            status=state.status,
            endpoint=state.endpoint,
            ttl_seconds=state.ttl_seconds,
            protected=state.protected,
            members=[
                {"host": one.host, "zone": one.zone, "address": one.address, "role": one.role.value}
                for one in state.members
            ],
        )
        return state


def _up_to(state: StoreState, at_ns: int) -> StoreState:
    """Return a state with the role changes and events that were before a moment."""
    return replace(
        state,
        role_changes_ns=tuple(one_ns for one_ns in state.role_changes_ns if one_ns < at_ns),
        events=tuple(event for event in state.events if event.at_ns < at_ns),
    )
