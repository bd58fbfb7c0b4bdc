"""The steps of a modification, on an instance that no server stands behind: their order, their end, a loss between."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import pytest

from drdrill.aws.rds.model import InstanceRecord, PendingChanges, Status
from drdrill.aws.rds.modifier import Modifier

if TYPE_CHECKING:
    from collections.abc import Callable

    from drdrill.aws.rds.instance import Instance
    from drdrill.aws.rds.standby import StandbyKeeper

RECORD = InstanceRecord(
    identifier="payments", resource_id="db-1", region="eu-west-1", instance_class="db.r6g.large",
    allocated_storage=20, engine_version="18.1", master_username="somebody", database=None, multi_az=False,
    publicly_accessible=False, deletion_protection=False, endpoint="e", status=Status.MODIFYING,
    maintenance_window="sun:05:00-sun:06:00",
)  # fmt: skip
ANOTHER = "another-one"
SUNDAY, MONDAY = datetime(2026, 11, 22, 5, 30, tzinfo=UTC), datetime(2026, 11, 23, 5, 30, tzinfo=UTC)


@dataclass
class Host:
    """A machine's power."""

    powered: bool = True


@dataclass
class Server:
    """A server that takes a password at some place of the log."""

    host: Host = field(default_factory=Host)
    passwords: list[str] = field(default_factory=list)

    def set_password(self, _user: str, password: str) -> int:
        """Note it."""
        self.passwords.append(password)
        return 100


@dataclass
class Names:
    """Notes what is withdrawn."""

    withdrawn: list[str] = field(default_factory=list)

    def withdraw(self, name: str) -> None:
        """Note it."""
        self.withdrawn.append(name)


@dataclass
class Region:
    """A region's clock and names."""

    at: datetime = MONDAY
    names: Names = field(default_factory=Names)

    @property
    def clock(self) -> Region:
        """Return itself: it tells the time."""
        return self

    def utc(self) -> datetime:
        """Return the time."""
        return self.at


@dataclass
class Standby:
    """A standby that is there or not."""

    protects: bool = False
    server: object | None = None
    given_up: int = 0

    def give_up(self) -> None:
        """Note it."""
        self.given_up += 1
        self.protects = False


class Subject:
    """An instance as the modifier sees it, and the modifier."""

    def __init__(self, record: InstanceRecord) -> None:
        self.record = record
        self.region = Region()
        self.primary = Server()
        self.standby = Standby()
        self.told: list[str] = []
        self.done: list[str] = []
        self.flushed = 0
        self.comes_back = True
        self.modifier = Modifier(
            cast("Instance", self), cast("StandbyKeeper", self.standby),
            restart=self._restart, fail_over=lambda reason: self.done.append(f"fail over: {reason}"),
        )  # fmt: skip

    def _restart(self) -> bool:
        self.done.append("restart")
        return self.comes_back

    def set(self, **changes: Any) -> None:
        """Change the record."""
        self.record = replace(self.record, **changes)

    def change_if(
        self, allowed: tuple[Status, ...], change: Callable[[InstanceRecord], InstanceRecord]
    ) -> bool:
        """Change the record if its status is allowed."""
        if self.record.status in allowed:
            self.record = change(self.record)
            return True
        return False

    def tell(self, code: str, _message: str, _category: str) -> None:
        """Note an event."""
        self.told.append(code)

    def is_flushed(self, _server: object, position: int) -> bool:
        """Tell whether the standby has it."""
        return self.flushed >= position

    def grow_disks(self) -> None:
        """Note it."""
        self.done.append(f"disks for {self.record.allocated_storage}")

    def rename(self, identifier: str) -> None:
        """Note it."""
        self.done.append(f"rename to {identifier}")
        self.set(identifier=identifier, pending=self.record.pending.without("identifier"))

    def go_on(self, times: int = 10) -> None:
        """Let the modifier look some times."""
        for _ in range(times):
            self.modifier.go_on()


def _subject(record: InstanceRecord = RECORD, **pending: Any) -> Subject:
    changes = PendingChanges(**pending)
    due = replace(changes, due=changes.names())
    subject = Subject(replace(record, pending=due, status=due.status))
    subject.modifier.begin()
    return subject


def test_the_order_of_steps() -> None:
    """Storage comes at once, then the password, the class, and the name last; then nothing is pending."""
    subject = _subject(
        identifier="orders", instance_class="db.r6g.xlarge", allocated_storage=40, password=ANOTHER
    )
    assert subject.done == ["disks for 40"]
    subject.go_on()
    assert subject.done == ["disks for 40", "restart", "restart", "rename to orders"]
    assert subject.primary.passwords == [ANOTHER]
    assert subject.region.names.withdrawn == ["e"]
    assert (subject.record.status, subject.record.pending) == (Status.AVAILABLE, PendingChanges())
    assert (subject.record.instance_class, subject.record.allocated_storage) == ("db.r6g.xlarge", 40)


def test_a_standby_is_awaited() -> None:
    """An instance that becomes a Multi-AZ one says so when a standby protects, and is available only then."""
    subject = _subject(multi_az=True)
    subject.go_on()
    assert (subject.record.multi_az, subject.record.status) == (False, Status.MODIFYING)
    subject.standby.protects = True
    subject.go_on()
    assert (subject.record.multi_az, subject.record.status) == (True, Status.AVAILABLE)
    assert subject.told == ["RDS-EVENT-0024", "RDS-EVENT-0025"]


def test_a_standby_is_given_up() -> None:
    """An instance of one zone has let its standby go."""
    subject = _subject(replace(RECORD, multi_az=True), multi_az=False)
    subject.standby.protects = True
    subject.go_on()
    assert (subject.standby.given_up, subject.record.multi_az, subject.record.status) == (
        1, False, Status.AVAILABLE,
    )  # fmt: skip


def test_another_class_with_a_standby() -> None:
    """The outage of another class is a failover where a standby protects, and a new standby is awaited."""
    subject = _subject(replace(RECORD, multi_az=True), instance_class="db.r6g.xlarge")
    subject.standby.protects = True
    subject.go_on(1)
    assert subject.done == ["fail over: database instance class modification"]
    subject.standby.protects = False
    subject.go_on()
    assert subject.record.status == "modifying"
    subject.standby.protects = True
    subject.go_on()
    assert subject.record.status == "available"


def test_a_password_reaches_the_standby() -> None:
    """A new password is pending until the standby has it; a primary that took over meanwhile is told it again."""
    subject = _subject(replace(RECORD, multi_az=True), password=ANOTHER)
    subject.standby.protects = True
    subject.go_on()
    assert subject.record.pending.password == ANOTHER
    assert len(subject.primary.passwords) == 1
    subject.primary = Server()
    subject.go_on()
    assert len(subject.primary.passwords) == 1
    subject.flushed = 100
    subject.go_on()
    assert (subject.record.pending, subject.record.status) == (PendingChanges(), Status.AVAILABLE)


@pytest.mark.parametrize("change", [{"instance_class": "db.r6g.xlarge"}, {"identifier": "orders"}])
def test_a_loss_between(change: dict[str, Any]) -> None:
    """What the loss of the primary interrupts is not said to be done, and goes on when the primary is back."""
    subject = _subject(**change)
    subject.comes_back = False
    subject.go_on(1)
    assert subject.record.pending.names() == set(change)
    subject.primary.host.powered = False
    subject.go_on()
    assert subject.done == ["restart"]
    subject.primary.host.powered, subject.comes_back = True, True
    subject.set(status=Status.AVAILABLE)  # as its recovery may say
    subject.go_on(1)
    assert subject.record.status is subject.modifier.resting is not Status.AVAILABLE
    subject.go_on()
    assert (subject.record.pending, subject.record.status) == (PendingChanges(), Status.AVAILABLE)


def test_a_loss_before() -> None:
    """A change that is asked for while a failover begins is carried out after it, whatever the failover said last."""
    changes = PendingChanges(instance_class="db.r6g.xlarge")
    subject = Subject(replace(RECORD, pending=replace(changes, due=changes.names()), status=Status.REBOOTING))
    subject.modifier.begin()
    subject.go_on()
    assert subject.done == []
    subject.set(status=Status.AVAILABLE)
    subject.go_on()
    assert (subject.record.instance_class, subject.record.status) == ("db.r6g.xlarge", Status.AVAILABLE)
    subject.modifier.begin()  # the request that was queued is nothing new
    assert subject.done == ["restart"]


def test_the_window() -> None:
    """What is not due waits for the maintenance window, whose beginning makes all of it due."""
    waiting = PendingChanges(instance_class="db.r6g.xlarge", identifier="orders")
    subject = Subject(replace(RECORD, status=Status.AVAILABLE, pending=waiting))
    subject.go_on()
    assert (subject.record.pending, subject.done) == (waiting, [])
    subject.region.at = SUNDAY
    subject.go_on(1)
    assert subject.record.status is Status.RENAMING
    subject.go_on()
    assert subject.done == ["restart", "restart", "rename to orders"]
    assert (subject.record.pending, subject.record.status) == (PendingChanges(), Status.AVAILABLE)
