"""What a group does by itself, at each look: replaces what is lost, launches what lacks, terminates what is too much.

Launching and terminating take time and have a thread each; a group's state says what is under way.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from drdrill.aws.autoscaling.balance import choose_victim, choose_zone, find_empty_place
from drdrill.aws.autoscaling.model import ActivityStatus, Lifecycle, Member, Process
from drdrill.aws.ec2.model import Check, State
from drdrill.aws.ec2.region import new_identifier
from drdrill.aws.errors import AwsError
from drdrill.core.clock import NANOSECONDS
from drdrill.core.errors import DrdrillError
from drdrill.core.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from drdrill.aws.autoscaling.group import Group
    from drdrill.aws.autoscaling.model import Activity, AutoScalingSettings
    from drdrill.aws.ec2.region import Ec2Region
    from drdrill.core.clock import Clock

_log = logging.getLogger(__name__)
_COUNTING = (Lifecycle.PENDING, Lifecycle.IN_SERVICE)
_TERMINATED_WITHIN = timedelta(minutes=2)  # measured 0.3 s
_POLL = timedelta(milliseconds=50)
_TAKEN = "an instance was taken out of service in response to"
REQUESTED = "a user request to terminate the instance"


class Keeper:
    """Looks at groups. `spawn` runs something in a thread of its own."""

    def __init__(
        self,
        ec2: Ec2Region,
        settings: AutoScalingSettings,
        clock: Clock,
        spawn: Callable[[Callable[[], None]], None],
    ) -> None:
        self._ec2 = ec2
        self._settings = settings
        self._clock = clock
        self._spawn = spawn

    def look(self, group: Group) -> None:
        """Look once, and begin whatever is to be done."""
        suspended = group.suspended.keys()
        if Process.HEALTH_CHECK not in suspended:
            self._check_health(group)
        if not {Process.TERMINATE, Process.REPLACE_UNHEALTHY} & suspended:
            self._take_out_unhealthy(group)
        if Process.LAUNCH not in suspended:
            self._launch_missing(group)
        if Process.TERMINATE not in suspended:
            self._terminate_surplus(group)
        if not {Process.LAUNCH, Process.TERMINATE, Process.REBALANCE} & suspended:
            self._rebalance(group)

    def _check_health(self, group: Group) -> None:
        for member in group.members():
            if member.lifecycle is Lifecycle.IN_SERVICE and not member.unhealthy:
                problem = self._find_problem(member.instance)
                if problem:
                    group.change_member(member.instance, allowed=_COUNTING, unhealthy=problem)

    def _find_problem(self, instance: str) -> str:
        """Return why EC2's status checks say that an instance is to be replaced, `` when it is well."""
        try:
            record = self._ec2.find(instance)
        except AwsError:
            return "an EC2 health check indicating it has been terminated or stopped."
        if record.state in (State.SHUTTING_DOWN, State.TERMINATED):
            return "an EC2 health check indicating it has been terminated or stopped."
        if self._ec2.check(record) is Check.IMPAIRED:
            return "EC2 instance status checks failure."
        return ""

    def _take_out_unhealthy(self, group: Group) -> None:
        for member in group.members():
            if member.lifecycle.counts and member.unhealthy:
                self.terminate(group, member, f"{_TAKEN} {member.unhealthy}")

    def _launch_missing(self, group: Group) -> None:
        while True:
            counting = [member for member in group.members() if member.lifecycle.counts]
            desired = group.capacity.desired
            zone = choose_zone(group.zones, counting, group.refused_zones())
            if len(counting) >= desired or zone is None:
                return
            self._launch(
                group,
                zone,
                "an instance was started in response to a difference between desired and actual capacity, "
                f"increasing the capacity from {len(counting)} to {len(counting) + 1}.",
            )

    def _terminate_surplus(self, group: Group) -> None:
        while True:
            serving = [one for one in group.members() if one.lifecycle is Lifecycle.IN_SERVICE]
            desired = group.capacity.desired
            if len(serving) <= desired:
                return
            cause = (
                f"{_TAKEN} a difference between desired and actual capacity, "
                f"shrinking the capacity from {len(serving)} to {len(serving) - 1}."
            )
            self.terminate(group, choose_victim(group.zones, serving), cause, orderly=True)

    def _rebalance(self, group: Group) -> None:
        members = group.members()
        if any(member.lifecycle is not Lifecycle.IN_SERVICE for member in members):
            return
        zone = find_empty_place(group.zones, members, group.refused_zones())
        if zone is not None and len(members) >= group.capacity.desired > 0:
            self._launch(group, zone, "an instance was launched to balance instances in zones.")

    def _launch(self, group: Group, zone: str, cause: str) -> None:
        member = Member(new_identifier(), zone, self._clock.now_ns())
        group.enter(member)
        description = f"Launching a new EC2 instance: {member.instance}"
        activity = group.begin(description, f"At {self._say_time()} {cause}", zone)
        self._spawn(lambda: self._carry_out_launch(group, member, activity))

    def _carry_out_launch(self, group: Group, member: Member, activity: Activity) -> None:
        tags = {**group.identity.tags, "aws:autoscaling:groupName": group.name}
        try:
            self._ec2.launch(
                member.instance,
                group.find_subnet(member.zone) or self._ec2.default_subnet(member.zone),
                lambda instance: group.launcher.launch(instance, member.zone),
                instance_type=group.identity.instance_type,
                tags=tags,
            )
        except AwsError as error:
            retry_ns = int(self._settings.launch_retry.total_seconds() * NANOSECONDS)
            group.note_refusal(member.zone, self._clock.now_ns() + retry_ns)
            group.forget(member.instance)
            text = (
                f"Could not launch On-Demand Instances. {error.code} - {error} Launching EC2 instance failed."
            )
            group.note(activity, ActivityStatus.FAILED, text)
            return
        served = group.change_member(
            member.instance, allowed=(Lifecycle.PENDING,), lifecycle=Lifecycle.IN_SERVICE
        )
        group.note(activity, ActivityStatus.SUCCESSFUL)
        if not served:  # it was told to go before it was there
            self._ec2.terminate(member.instance)
            return
        group.launcher.settle(member.instance)

    def terminate(self, group: Group, member: Member, cause: str, *, orderly: bool = False) -> Activity:
        """Begin to terminate an instance; `orderly`: what runs on it is told to go first. Returns the activity."""
        lifecycle = Lifecycle.WAITING if orderly else Lifecycle.TERMINATING
        changed = group.change_member(member.instance, allowed=_COUNTING, lifecycle=lifecycle)
        activity = group.begin(
            f"Terminating EC2 instance: {member.instance}", f"At {self._say_time()} {cause}", member.zone
        )
        if changed:
            self._spawn(lambda: self._carry_out_termination(group, member.instance, activity))
        return activity

    def _carry_out_termination(self, group: Group, instance: str, activity: Activity) -> None:
        waits = (Lifecycle.WAITING,)
        if any(one.instance == instance and one.lifecycle in waits for one in group.members()):
            group.note(activity, ActivityStatus.WAITING)
            try:
                group.launcher.retire(instance)
            except DrdrillError as error:
                _log.warning("%s was not left in order: %s", instance, error)
            group.change_member(instance, allowed=waits, lifecycle=Lifecycle.TERMINATING)
            group.note(activity, ActivityStatus.IN_PROGRESS)
        try:
            self._ec2.terminate(instance)
            wait_until(
                lambda: self._ec2.find(instance).state is State.TERMINATED,
                what=f"the end of {instance}",
                within=_TERMINATED_WITHIN,
                every=_POLL,
                clock=self._clock,
            )
        except (AwsError, KeyError):
            _log.debug("%s was forgotten by EC2 already", instance)
        except DrdrillError as error:
            group.note(activity, ActivityStatus.FAILED, str(error))
            return
        group.forget(instance)
        group.note(activity, ActivityStatus.SUCCESSFUL)

    def _say_time(self) -> str:
        at: datetime = self._clock.utc().astimezone(UTC)
        return at.strftime("%Y-%m-%dT%H:%M:%SZ")
