"""What Auto Scaling knows of a group: values, replaced as a whole when something changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from drdrill.aws.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from drdrill.aws.cluster_port import Machine


class Lifecycle(StrEnum):
    """The states of a group's instance that the mirror uses, in AWS's words.

    ::

        Pending ──▶ InService ──▶ Terminating:Wait (what runs on it is told to go) ──▶ Terminating ──▶ (gone)
    """

    PENDING = "Pending"
    IN_SERVICE = "InService"
    WAITING = "Terminating:Wait"
    TERMINATING = "Terminating"

    @property
    def counts(self) -> bool:
        """Whether an instance counts as one of the group's."""
        return self in (Lifecycle.PENDING, Lifecycle.IN_SERVICE)


class Process(StrEnum):
    """What a group does by itself, by the names that it can be suspended under."""

    LAUNCH = "Launch"
    TERMINATE = "Terminate"
    ADD_TO_LOAD_BALANCER = "AddToLoadBalancer"
    ALARM_NOTIFICATION = "AlarmNotification"
    REBALANCE = "AZRebalance"
    HEALTH_CHECK = "HealthCheck"
    INSTANCE_REFRESH = "InstanceRefresh"
    REPLACE_UNHEALTHY = "ReplaceUnhealthy"
    SCHEDULED_ACTIONS = "ScheduledActions"


class ActivityStatus(StrEnum):
    """The statuses of an activity that the mirror uses, in AWS's words."""

    IN_PROGRESS = "InProgress"
    WAITING = "MidLifecycleAction"
    SUCCESSFUL = "Successful"
    FAILED = "Failed"


@dataclass(frozen=True, slots=True)
class AutoScalingSettings:
    """How the emulated control plane behaves. `launch_retry`: how long a zone that refused a launch is not asked again.

    AWS does not publish its own time.
    """

    launch_retry: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Capacity:
    """How large a group may be, and is to be."""

    minimum: int
    maximum: int
    desired: int

    def require_order(self) -> Capacity:
        """Raise AWS's error when the minimum is not the smallest, or the maximum not the largest; else return it."""
        if min(self.minimum, self.maximum, self.desired) < 0:
            raise AwsError("ValidationError", "Sizes of an AutoScalingGroup must not be negative.")
        if self.minimum > self.maximum:
            raise AwsError("ValidationError", "Max bound must be greater than or equal to min bound")
        if not self.minimum <= self.desired <= self.maximum:
            raise AwsError(
                "ValidationError",
                f"Desired capacity:{self.desired} must be between the specified min size:{self.minimum} "
                f"and max size:{self.maximum}",
            )
        return self


@dataclass(frozen=True, slots=True)
class Member:
    """An instance of a group. `since_ns` orders them by age."""

    instance: str
    zone: str
    since_ns: int
    lifecycle: Lifecycle = Lifecycle.PENDING
    unhealthy: str = ""  # why; `` for a healthy one


@dataclass(frozen=True, slots=True)
class Activity:
    """Something that a group does or did."""

    identifier: str
    group: str
    description: str
    cause: str
    started_at: datetime
    zone: str
    ended_at: datetime | None = None
    status: ActivityStatus = ActivityStatus.IN_PROGRESS
    message: str = ""


@dataclass(frozen=True, slots=True)
class GroupIdentity:
    """What of a group never changes."""

    name: str
    arn: str
    created_at: datetime
    instance_type: str
    tags: Mapping[str, str] = field(default_factory=dict)


class Launcher(Protocol):
    """What a group's instances are made by: it stands in a launch template's place."""

    def launch(self, instance: str, zone: str) -> Machine:
        """Make a machine with power."""
        ...

    def settle(self, instance: str) -> None:
        """Be told that an instance is in service; called in a thread of its own."""
        ...

    def retire(self, instance: str) -> None:
        """Have what runs on an instance go, before it is terminated: the group's hook; in a thread of its own."""
        ...
