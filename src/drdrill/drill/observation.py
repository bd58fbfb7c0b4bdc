"""What is seen of a store, noted in the journal: its members before and after, and what the cloud says happened."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from drdrill.core.errors import InvalidDrillError, NotObservedError, UsageError
from drdrill.core.waiting import wait_until

if TYPE_CHECKING:
    from drdrill.core.clock import Clock
    from drdrill.environment.port import Environment, StoreMember, StoreRole, StoreState
    from drdrill.record.journal import Journal

_EVERY = timedelta(milliseconds=200)


class StoreObserver:
    """Looks at one store of an environment and writes down what it sees."""

    def __init__(self, environment: Environment, resource: str, journal: Journal) -> None:
        self._environment = environment
        self._resource = resource
        self._journal = journal
        self._before: StoreState | None = None

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
        self._before = self._note("before_fault")

    def note_failover(self) -> None:
        """Note the members again, and the role changes and events since before the fault."""
        before, now = self._before, self._note("after_fault")
        known = set(before.events) if before else set()
        replaced = not known <= set(
            now.events
        )  # another database has the name now, with a history of its own
        self._journal.append(
            "failover.observed",
            resource=self._resource,
            promotions=now.promotions - (before.promotions if before and not replaced else 0),
            events=[
                {"at_ns": one.at_ns, "code": one.code, "message": one.message}
                for one in now.events
                if one not in known
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
            protected=state.protected,
            members=[
                {"host": one.host, "zone": one.zone, "address": one.address, "role": one.role.value}
                for one in state.members
            ],
        )
        return state
