"""One group: what it is to be, which instances it has, what it did. Thread-safe; decides nothing by itself."""

from __future__ import annotations

import threading
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from drdrill.aws.autoscaling.model import (
    Activity,
    ActivityStatus,
    Capacity,
    GroupIdentity,
    Lifecycle,
    Member,
    Process,
)
from drdrill.aws.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from drdrill.aws.autoscaling.model import Launcher
    from drdrill.aws.ports import Subnet
    from drdrill.core.clock import Clock

_ACTIVITIES_KEPT = 500  # AWS keeps those of six weeks


class Group:
    """A group whose instances are made by `launcher`."""

    def __init__(
        self,
        identity: GroupIdentity,
        launcher: Launcher,
        subnets: tuple[Subnet, ...],
        capacity: Capacity,
        clock: Clock,
    ) -> None:
        self.identity = identity
        self.launcher = launcher
        self._clock = clock
        self._lock = threading.RLock()
        self._subnets = subnets
        self._capacity = capacity.require_order()
        self._deleting = False
        self._members: dict[str, Member] = {}
        self._suspended: dict[Process, datetime] = {}
        self._activities: list[Activity] = []
        self._refused_until_ns: dict[str, int] = {}

    def __repr__(self) -> str:
        return f"Group({self.identity.name})"

    @property
    def name(self) -> str:
        """Its name."""
        return self.identity.name

    # -- what it is to be -------------------------------------------------------------------------------------

    @property
    def capacity(self) -> Capacity:
        """How large it is to be."""
        with self._lock:
            return self._capacity

    def resize(self, change: Callable[[Capacity], Capacity]) -> Capacity:
        """Change how large it is to be, and return that; raises AWS's errors."""
        with self._lock:
            if self._deleting:
                text = f"You cannot change the AutoScalingGroup {self.name}: it is pending delete."
                raise AwsError("ScalingActivityInProgress", text)
            self._capacity = change(self._capacity).require_order()
            return self._capacity

    @property
    def subnets(self) -> tuple[Subnet, ...]:
        """Where its instances are to stand."""
        with self._lock:
            return self._subnets

    @property
    def zones(self) -> tuple[str, ...]:
        """The zones of these."""
        return tuple(dict.fromkeys(subnet.zone for subnet in self.subnets))

    def find_subnet(self, zone: str) -> Subnet | None:
        """Return the subnet in which instances of a zone stand, None: in none any more. Of several the first one."""
        return next((subnet for subnet in self.subnets if subnet.zone == zone), None)

    def move(self, subnets: tuple[Subnet, ...]) -> None:
        """Change where its instances are to stand."""
        with self._lock:
            self._subnets = subnets

    @property
    def deleting(self) -> bool:
        """Whether it is to go with all of its instances."""
        with self._lock:
            return self._deleting

    def delete(self) -> None:
        """Have it go with all of its instances."""
        with self._lock:
            self._deleting = True
            self._capacity = Capacity(0, 0, 0)
            self._suspended = {}

    @property
    def suspended(self) -> Mapping[Process, datetime]:
        """What it does not do now, and since when."""
        with self._lock:
            return dict(self._suspended)

    def suspend(self, processes: Iterable[Process]) -> None:
        """Have it not do these."""
        with self._lock:
            now = self._clock.utc()
            self._suspended = dict.fromkeys(processes, now) | self._suspended

    def resume(self, processes: Iterable[Process]) -> None:
        """Have it do these again."""
        with self._lock:
            again = frozenset(processes)
            self._suspended = {one: at for one, at in self._suspended.items() if one not in again}

    # -- its instances ----------------------------------------------------------------------------------------

    def members(self) -> tuple[Member, ...]:
        """Return its instances, those included that are going."""
        with self._lock:
            return tuple(self._members.values())

    def enter(self, member: Member) -> None:
        """Have one more instance."""
        with self._lock:
            self._members[member.instance] = member

    def change_member(self, instance: str, *, allowed: tuple[Lifecycle, ...], **changes: Any) -> bool:
        """Change what is true of an instance, if it is in one of these states."""
        with self._lock:
            member = self._members.get(instance)
            if member is None or member.lifecycle not in allowed:
                return False
            self._members[instance] = replace(member, **changes)
            return True

    def forget(self, instance: str) -> None:
        """Have an instance no more; harmless when it is gone."""
        with self._lock:
            self._members.pop(instance, None)

    # -- zones that refused -----------------------------------------------------------------------------------

    def note_refusal(self, zone: str, until_ns: int) -> None:
        """Do not launch in a zone for a while."""
        with self._lock:
            self._refused_until_ns[zone] = until_ns

    def refused_zones(self) -> frozenset[str]:
        """Return the zones in which nothing is to be launched now."""
        now = self._clock.now_ns()
        with self._lock:
            return frozenset(zone for zone, until in self._refused_until_ns.items() if now < until)

    # -- what it did ------------------------------------------------------------------------------------------

    def activities(self) -> tuple[Activity, ...]:
        """Return what it did, newest first."""
        with self._lock:
            return tuple(reversed(self._activities))

    def begin(self, description: str, cause: str, zone: str) -> Activity:
        """Note that it begins to do something."""
        activity = Activity(str(uuid.uuid4()), self.name, description, cause, self._clock.utc(), zone)
        with self._lock:
            self._activities = [*self._activities[-_ACTIVITIES_KEPT:], activity]
        return activity

    def note(self, activity: Activity, status: ActivityStatus, message: str = "") -> None:
        """Note how far something is, or how it ended."""
        ended = status in (ActivityStatus.SUCCESSFUL, ActivityStatus.FAILED)
        with self._lock:
            self._activities = [
                replace(one, status=status, message=message, ended_at=self._clock.utc() if ended else None)
                if one.identifier == activity.identifier
                else one
                for one in self._activities
            ]
