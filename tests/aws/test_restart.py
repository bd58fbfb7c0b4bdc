"""Restarts of an instance whose server does not do what it should."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

from drdrill.aws.rds.model import InstanceRecord, Status
from drdrill.aws.rds.restart import Restarter
from drdrill.core.errors import EnvironmentFailedError

if TYPE_CHECKING:
    from drdrill.aws.rds.instance import Instance
    from drdrill.aws.rds.parameter_keeper import ParameterKeeper
    from drdrill.aws.rds.standby import StandbyKeeper

RECORD = InstanceRecord(
    identifier="payments", resource_id="db-1", region="eu-west-1", instance_class="db.r6g.large",
    allocated_storage=20, engine_version="18.1", master_username="somebody", database=None, multi_az=False,
    publicly_accessible=False, deletion_protection=False, endpoint="e", status=Status.REBOOTING,
)  # fmt: skip


@dataclass
class Host:
    """A machine's power."""

    powered: bool = True


@dataclass
class Server:
    """A server that hears nothing (`hangs`), or does not start (`broken`)."""

    hangs: bool = False
    broken: bool = False
    runs: bool = True
    host: Host = field(default_factory=Host)

    def use_parameters(self, _parameters: object, *, now: bool) -> None:
        """Take them."""

    def stop(self) -> None:
        """Stop, if it hears."""
        if self.hangs:
            raise EnvironmentFailedError("pg_ctl: server does not shut down")
        self.runs = False

    def start(self) -> None:
        """Start on a machine that runs nothing else."""
        assert not self.runs
        if self.broken:
            raise EnvironmentFailedError("it ended while it started")
        self.runs, self.hangs = True, False


class Subject:
    """An instance as the restarter sees it, its standby, its parameters, and the restarter."""

    def __init__(self, server: Server) -> None:
        self.record, self.primary, self.server = RECORD, server, None
        self.parameters: dict[str, str] = {}
        self.said: list[str] = []
        self.restarter = Restarter(
            cast("Instance", self), cast("StandbyKeeper", self), cast("ParameterKeeper", self),
            resting=lambda: Status.AVAILABLE,
        )  # fmt: skip

    def set(self, **changes: Any) -> None:
        """Change the record."""
        self.record = replace(self.record, **changes)

    def fence(self, server: Server) -> None:
        """Reset the power."""
        self.said.append("fenced")
        server.runs = False

    def watch(self, _server: Server) -> None:
        """Note it."""
        self.said.append("watched")

    def take_all(self) -> bool:
        """Have nothing new."""
        return False

    def prove(self, server: Server) -> None:
        """Require that it answers."""
        assert server.runs
        assert not server.hangs

    def stop_watching(self) -> None:
        """Do nothing."""

    def note_primary(self) -> None:
        """Do nothing."""

    def settle(self) -> None:
        """Do nothing."""

    def tell(self, *_: str) -> None:
        """Do nothing."""


def test_what_hears_nothing_is_stopped_by_its_power() -> None:
    """A primary that hangs is not waited for: its machine's power is reset, and it starts."""
    subject = Subject(Server(hangs=True))
    assert subject.restarter.restart()
    assert subject.said == ["fenced", "watched"]
    assert subject.record.status is Status.AVAILABLE


def test_what_did_not_come_back_is_not_available() -> None:
    """An instance whose primary did not start is rebooting still, and watched: its silence leads to recovery."""
    subject = Subject(Server(broken=True))
    assert not subject.restarter.restart()
    assert subject.said == ["watched"]
    assert subject.record.status is Status.REBOOTING
