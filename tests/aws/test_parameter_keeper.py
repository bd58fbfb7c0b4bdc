"""When an instance's servers get what its parameter group says, and what the instance says of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from drdrill.aws.rds.model import InstanceRecord
from drdrill.aws.rds.parameter_groups import ParameterGroup, ParameterGroups, Setting
from drdrill.aws.rds.parameter_keeper import ParameterKeeper

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drdrill.aws.rds.instance import Instance
    from drdrill.dataplane.postgresql import PostgresServer

RECORD = InstanceRecord(
    identifier="payments", resource_id="db-1", region="eu-west-1", instance_class="db.r6g.large",
    allocated_storage=20, engine_version="18.1", master_username="somebody", database=None, multi_az=False,
    publicly_accessible=False, deletion_protection=False, endpoint="e", parameter_group="ours",
)  # fmt: skip


@dataclass
class Server:
    """A server that takes parameters, if it answers."""

    parameters: Mapping[str, str] = field(default_factory=dict)
    taken: int = 0
    answers: bool = True

    def use_parameters(self, parameters: Mapping[str, str], *, now: bool) -> None:
        """Take them at once."""
        assert now
        if not self.answers:
            raise ConnectionError
        self.parameters = dict(parameters)
        self.taken += 1


class Subject:
    """An instance with a group of its own, as its keeper sees it, and the keeper."""

    def __init__(self, **settings: str) -> None:
        self.region = self
        self.parameter_groups = ParameterGroups("eu-west-1", "18.1")
        self.group = self.add_group("ours", **settings)
        self.record = RECORD
        self.parameters: Mapping[str, str] = {}
        self.keeper = ParameterKeeper(cast("Instance", self))
        self.server = Server(self.parameters)

    def add_group(self, name: str, **settings: str) -> ParameterGroup:
        """Add a group that sets these."""
        group = ParameterGroup(name, "postgres18", name, "eu-west-1")
        group.change({key: Setting(value, at_reboot=False) for key, value in settings.items()}, lambda: None)
        self.parameter_groups.add(group)
        return group

    def change(self, *, at_reboot: bool = False, **settings: str | None) -> None:
        """Change the group, as the API does."""
        self.group.change(
            {name: Setting(value, at_reboot) for name, value in settings.items()},
            lambda: self.set(parameter_status="applying"),
        )

    def set(self, **changes: Any) -> None:
        """Change the record."""
        self.record = replace(self.record, **changes)

    def keep(self) -> None:
        """Let the keeper look."""
        self.keeper.keep((cast("PostgresServer", self.server), None))

    def reboot(self) -> bool:
        """Start anew, as a reboot does."""
        static = self.keeper.take_all()
        self.server.parameters = self.parameters
        self.keeper.settle()
        return static


def test_a_new_instance() -> None:
    """A new instance runs with all that its group says, and nobody is told anything again."""
    subject = Subject(work_mem="5000", max_connections="90")
    subject.keep()
    assert subject.parameters == {"work_mem": "5000", "max_connections": "90"}
    assert (subject.server.taken, subject.record.parameter_status) == (0, "in-sync")


def test_what_is_dynamic() -> None:
    """What changes immediately is in force when the instance says in-sync, also when it is taken back."""
    subject = Subject(work_mem="5000")
    subject.change(log_statement="ddl")
    assert subject.record.parameter_status == "applying"
    subject.keep()
    assert subject.server.parameters == {"work_mem": "5000", "log_statement": "ddl"}
    assert subject.record.parameter_status == "in-sync"
    subject.change(work_mem=None)
    subject.keep()
    assert (subject.server.parameters, subject.record.parameter_status) == (
        {"log_statement": "ddl"},
        "in-sync",
    )


def test_what_waits_for_a_reboot() -> None:
    """What is to wait is not in force before a reboot, and is pending until then; another change does not bring it."""
    subject = Subject()
    subject.change(at_reboot=True, max_connections="90")
    subject.change(work_mem="5000")
    subject.keep()
    assert (subject.server.parameters, subject.record.parameter_status) == (
        {"work_mem": "5000"},
        "pending-reboot",
    )
    assert subject.reboot() is True
    assert subject.server.parameters == {"work_mem": "5000", "max_connections": "90"}
    assert subject.record.parameter_status == "in-sync"
    assert subject.reboot() is False


def test_another_group() -> None:
    """Of a group that is new to the instance only what changes from then on is in force before a reboot."""
    subject = Subject(work_mem="5000")
    subject.group = subject.add_group("other", work_mem="7000")
    subject.set(parameter_group="other", parameter_status="pending-reboot")
    subject.keep()
    assert (subject.server.parameters, subject.record.parameter_status) == (
        {"work_mem": "5000"},
        "pending-reboot",
    )
    subject.change(log_statement="ddl")
    subject.keep()
    assert subject.server.parameters == {"work_mem": "5000", "log_statement": "ddl"}
    assert subject.record.parameter_status == "pending-reboot"
    subject.reboot()
    assert subject.server.parameters == {"work_mem": "7000", "log_statement": "ddl"}
    assert subject.record.parameter_status == "in-sync"


def test_a_server_that_does_not_answer() -> None:
    """While a server does not take what changed, the instance goes on to say that it is being applied."""
    subject = Subject()
    subject.server.answers = False
    subject.change(work_mem="5000")
    with pytest.raises(ConnectionError):
        subject.keep()
    assert subject.record.parameter_status == "applying"
    subject.server.answers = True
    subject.keep()
    assert (subject.server.parameters, subject.record.parameter_status) == ({"work_mem": "5000"}, "in-sync")
