"""What becomes of an instance whose primary is lost, with servers that hang, have no power, or do not start at once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import psycopg
import pytest

from drdrill.aws.rds.model import InstanceRecord, Status
from drdrill.aws.rds.recovery import Recovery
from drdrill.core.errors import EnvironmentFailedError

if TYPE_CHECKING:
    from drdrill.aws.rds.instance import Instance
    from drdrill.aws.rds.standby import StandbyKeeper

RECORD = InstanceRecord(
    identifier="payments", resource_id="db-1", region="eu-west-1", instance_class="db.r6g.large",
    allocated_storage=20, engine_version="18.1", master_username="somebody", database=None, multi_az=True,
    publicly_accessible=False, deletion_protection=False, endpoint="e", status=Status.AVAILABLE,
)  # fmt: skip


@dataclass
class Host:
    """A machine's power."""

    powered: bool = True


@dataclass
class Server:
    """A server that fails to start so often, and hangs or not."""

    hangs: bool = False
    failing_starts: int = 0
    runs: bool = True
    synchronous_standby: str = ""
    promoted: bool = False
    host: Host = field(default_factory=Host)

    def start(self) -> None:
        """Start on a machine that runs nothing else."""
        assert not self.runs
        if self.failing_starts:
            self.failing_starts -= 1
            raise EnvironmentFailedError("it ended while it started")
        self.runs, self.hangs = True, False

    def promote(self) -> None:
        """Become the primary, if it hears that."""
        if self.hangs or not self.runs:
            raise psycopg.OperationalError("the server did not answer within 10 s")
        self.promoted = True

    def require_synchronous(self, standby: str) -> None:
        """Have commits wait for a standby."""
        self.synchronous_standby = standby


class Subject:
    """An instance as recovery sees it, the keeper of its standby, and recovery."""

    def __init__(self, primary: Server, standby: Server | None = None) -> None:
        self.record, self.primary = RECORD, primary
        self.server = standby  # the keeper's
        self.region = SimpleNamespace(settings=SimpleNamespace(fencing=True))
        self.serving: Server | None = None
        self.recovery = Recovery(
            cast("Instance", self), cast("StandbyKeeper", self),
            restart=lambda: True, follow=lambda: None, resting=lambda: Status.AVAILABLE,
        )  # fmt: skip

    def set(self, **changes: Any) -> None:
        """Change the record."""
        self.record = replace(self.record, **changes)

    def fence(self, server: Server) -> None:
        """Reset the power of what has some."""
        if server.host.powered:
            server.runs = False

    def serve_from(self, server: Server) -> None:
        """Have the endpoint lead to what answers."""
        assert server.runs
        assert not server.hangs
        self.primary = self.serving = server

    def tell(self, *_: str) -> None:
        """Do nothing."""

    def stop_watching(self) -> None:
        """Do nothing."""

    def note_primary(self) -> None:
        """Do nothing."""

    @property
    def protects(self) -> bool:
        """Tell whether there is a standby."""
        return self.server is not None

    def hand_over(self) -> Server | None:
        """Let the standby go, to be the primary."""
        server, self.server = self.server, None
        return server

    def take_back(self, standby: Server) -> None:
        """Hold it again."""
        self.server = standby

    def leave(self) -> Server | None:
        """Take its role away."""
        return self.hand_over()


def _without_power() -> Server:
    return Server(runs=False, host=Host(powered=False))


def test_a_standby_takes_over() -> None:
    """The primary is fenced, and the standby serves."""
    standby = Server()
    subject = Subject(primary := Server(hangs=True), standby)
    subject.recovery.recover()
    assert not primary.runs
    assert standby.promoted
    assert subject.serving is standby
    assert subject.record.status == "available"


def test_both_hang() -> None:
    """A standby that hangs does not take over; it is fenced, and the primary starts again without it."""
    standby = Server(hangs=True)
    subject = Subject(primary := Server(hangs=True, synchronous_standby="standby"), standby)
    subject.recovery.recover()
    assert not standby.runs
    assert subject.serving is primary
    assert primary.synchronous_standby == ""
    assert subject.server is None
    assert subject.record.status == "available"


def test_the_only_one_with_every_row_hangs() -> None:
    """Where the primary has no power, a standby that hangs is started anew, and takes over."""
    standby = Server(hangs=True)
    subject = Subject(_without_power(), standby)
    subject.recovery.recover()
    assert subject.serving is standby
    assert standby.promoted
    assert subject.record.status == "available"


def test_nobody_has_power() -> None:
    """An instance without any machine is down, and waits for its primary's power."""
    subject = Subject(primary := _without_power(), _without_power())
    subject.recovery.recover()
    assert subject.record.status == "rebooting"
    primary.host.powered = True
    subject.recovery.recover()
    assert subject.serving is primary
    assert subject.record.status == "available"


def test_a_primary_that_starts_at_the_second_try() -> None:
    """It is down until then, and does not wait for the commits of a standby that was let go at the first try."""
    primary = Server(hangs=True, failing_starts=1, synchronous_standby="standby")
    subject = Subject(primary, _without_power())
    subject.recovery.recover()
    assert subject.record.status == "rebooting"
    subject.recovery.recover()
    assert subject.serving is primary
    assert primary.synchronous_standby == ""
    assert subject.record.status == "available"


def test_a_primary_that_never_starts() -> None:
    """After three tries on a machine that has power, its owner is told."""
    subject = Subject(Server(hangs=True, failing_starts=3))
    subject.recovery.recover()
    subject.recovery.recover()
    with pytest.raises(EnvironmentFailedError, match="ended while it started"):
        subject.recovery.recover()
