"""A fake environment with one store, which shows the states that a test gives it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from drdrill.core.errors import CommandFailedError, EnvironmentFailedError
from drdrill.environment.port import (
    Fidelity,
    RegionCapacity,
    StoreEvent,
    StoreMember,
    StoreRole,
    StoreState,
)
from tests.faults.fakes import FakePort

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from drdrill.plan import Plan

RESOURCE = "accounts-db"
FAILED_OVER = StoreEvent(20, "RDS-EVENT-0049", "Multi-AZ instance failover completed.")
CREATED = StoreEvent(10, "RDS-EVENT-0005", "DB instance created")


def make_state(
    primary: str,
    *,
    promotions: int = 0,
    events: tuple[StoreEvent, ...] = (CREATED,),
    named_ns: int | None = None,
    database: str = "db-A",
) -> StoreState:
    """Return a store that one host serves alone; role changes that no event is of were long ago."""
    member = StoreMember(primary, "eu-west-1a", "10.20.0.10", StoreRole.PRIMARY, "")
    told_ns = [event.at_ns for event in events if event.code == FAILED_OVER.code][:promotions]
    changes_ns = (*range(promotions - len(told_ns)), *told_ns)
    return StoreState(
        RESOURCE, database, "available", "db.example.com", (member,), False, changes_ns, events, named_ns
    )


@dataclass
class FakeEnvironment:
    """Shows its states one after the other, the last one for ever; notes what operators and users do."""

    name: ClassVar[str] = "fake"
    fidelity: ClassVar[tuple[Fidelity, ...]] = ()
    root: Path
    plan: Plan
    states: list[StoreState] = field(default_factory=lambda: [make_state("db-1")])
    instance: str = "m1"
    resolver: str = "127.0.0.53"
    black_hole: str = "192.0.2.1"
    authorities: str | None = None
    control: str = "nowhere"
    running: dict[str, bool] = field(default_factory=dict)
    operated: list[Sequence[str]] = field(default_factory=list)
    says: str = ""
    complains: str = ""
    fails: int = 0
    restored: Mapping[str, Any] = field(default_factory=dict)
    grace: timedelta = timedelta()
    capacity: Mapping[str, RegionCapacity] | None = None  # None: nobody can be asked
    unrecorded: Exception | None = None  # why calls cannot be recorded
    unstopped: Exception | None = None  # why their record was not kept to its end
    records: list[str] = field(default_factory=list)  # what became of the record of calls
    aside: StoreState | None = None  # the database that gave its name up, under whatever name

    def __enter__(self) -> Self:
        """Come up."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Go down."""

    @classmethod
    def attach(cls, control: str) -> FakePort:
        """Return the fault port of one that stands in a folder."""
        return FakePort(Path(control))

    @property
    def faults(self) -> FakePort:
        """Return the fault port."""
        return FakePort(self.root)

    def observe_store(self, resource: str) -> StoreState:
        """Return the next state, or that of the database that was set aside."""
        if resource != RESOURCE:
            if self.aside is None:
                raise EnvironmentFailedError(f"there is no {resource}.")
            return self.aside
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]

    def observe_capacity(self) -> Mapping[str, RegionCapacity]:
        """Show what each region carries."""
        if self.capacity is None:
            raise EnvironmentFailedError("nobody answers")
        return self.capacity

    def observe_restore(self, resource: str) -> Mapping[str, Any]:
        """Return what the test says of a restore."""
        return {"resource": resource, **self.restored}

    def run_for_operator(
        self,
        command: Sequence[str],
        *,
        within: timedelta,
        output: Path | None = None,
        errors: Path | None = None,
        grace: timedelta = timedelta(),
    ) -> str:
        """Note the command, and fail as it is to."""
        self.operated.append(command)
        self.grace = grace
        if output:
            output.write_text(self.says, encoding="utf-8")
        if errors:
            errors.write_text(self.complains, encoding="utf-8")
        if self.fails:
            raise CommandFailedError(command, self.fails, f"{self.complains} within {within}")
        return self.says

    def start_client(self, name: str, command: Sequence[str], *, log: Path, zone: str | None = None) -> None:
        """Note a client that runs."""
        del command, zone
        log.write_text(f"{name} begins\n", encoding="utf-8")
        self.running[name] = True

    def stop_clients(self, *, within: timedelta) -> Mapping[str, int]:
        """Let all clients end well."""
        del within
        names, self.running = list(self.running), {}
        return dict.fromkeys(names, 0)

    def start_sampling(self, resource: str, output: Path) -> None:
        """Begin a file of readings."""
        assert resource == RESOURCE
        output.touch()

    def stop_sampling(self) -> None:
        """End all sampling."""

    def start_call_record(self, output: Path) -> None:
        """Begin a record of calls, or fail as it is to."""
        if self.unrecorded:
            raise self.unrecorded
        output.touch()
        self.records.append("started")

    def stop_call_record(self) -> None:
        """End it, or fail as it is to."""
        self.records.append("stopped")
        if self.unstopped:
            raise self.unstopped

    def save_log(self, output: Path) -> None:
        """Write a line."""
        output.write_text("the fake environment's log\n", encoding="utf-8")

    def observe_clients(self) -> Mapping[str, bool]:
        """Return which clients run."""
        return self.running
