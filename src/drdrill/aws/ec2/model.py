"""What EC2 knows of an instance: a value, replaced as a whole when something changes; its state is its machine's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from drdrill.aws.cluster_port import Machine
    from drdrill.aws.ports import Subnet


class State(StrEnum):
    """The states that the mirror uses, in AWS's words (EC2 User Guide, "Amazon EC2 instance state changes").

    ::

        pending ──▶ running ──▶ shutting-down ──▶ terminated
                     ▲  │
                     └──▶ stopped (its machine has no power; AWS goes on to say `running`, with failed status checks)
    """

    PENDING = "pending"
    RUNNING = "running"
    SHUTTING_DOWN = "shutting-down"
    TERMINATED = "terminated"
    STOPPED = "stopped"

    @property
    def code(self) -> int:
        """AWS's number for it."""
        return {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopped": 80}[self.value]


class Check(StrEnum):
    """What a status check says, in AWS's words."""

    OK = "ok"
    INSUFFICIENT_DATA = "insufficient-data"
    IMPAIRED = "impaired"
    NOT_APPLICABLE = "not-applicable"


@dataclass(frozen=True, slots=True)
class Ec2Settings:
    """How the emulated control plane behaves. `status_checks`: how long a machine is silent before a check fails.

    AWS performs status checks every minute (EC2 User Guide, "Status checks for Amazon EC2 instances").
    """

    status_checks: timedelta = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Launches that are refused, with AWS's own code: of the whole region, or of a zone; `lost`: because that is."""

    code: str
    message: str
    zone: str | None = None
    lost: bool = False


@dataclass(frozen=True, slots=True)
class InstanceRecord:
    """An instance as the API describes it."""

    identifier: str
    subnet: Subnet
    instance_type: str
    launched_at: datetime
    tags: tuple[tuple[str, str], ...] = ()
    machine: Machine | None = None
    ending: bool = False
    ended_at: datetime | None = None
    reason: tuple[str, str] | None = (
        None  # code and message of what brought its state about, where AWS says so
    )

    @property
    def zone(self) -> str:
        """Its zone."""
        return self.subnet.zone

    @property
    def state(self) -> State:
        """Its state now."""
        if self.ended_at is not None:
            return State.TERMINATED
        if self.ending:
            return State.SHUTTING_DOWN
        if self.machine is None:
            return State.PENDING
        return State.RUNNING if self.machine.powered else State.STOPPED

    @property
    def reservation(self) -> str:
        """The id of its reservation, which holds it alone."""
        return self.identifier.replace("i-", "r-", 1)
