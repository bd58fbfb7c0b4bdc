"""Auto Scaling in one region: its groups, and the thread that looks at them."""

from __future__ import annotations

import logging
import threading
import uuid
from typing import TYPE_CHECKING

from drdrill.aws.autoscaling.group import Group
from drdrill.aws.autoscaling.keeper import Keeper
from drdrill.aws.autoscaling.model import AutoScalingSettings, Capacity, GroupIdentity, Launcher
from drdrill.aws.ec2.region import spawn_thread
from drdrill.aws.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.ec2.region import Ec2Region
    from drdrill.aws.ports import Subnet
    from drdrill.core.clock import Clock

_LOOK_EVERY_SECONDS = 0.2
_log = logging.getLogger(__name__)


class AutoScalingRegion:
    """Thread-safe. The thread begins with the first group."""

    def __init__(
        self,
        ec2: Ec2Region,
        account: str,
        settings: AutoScalingSettings,
        clock: Clock,
        spawn: Callable[[Callable[[], None]], None] = spawn_thread,
    ) -> None:
        self.ec2 = ec2
        self._account = account
        self._clock = clock
        self.keeper = Keeper(ec2, settings, clock, spawn)
        self._lock = threading.Lock()
        self._groups: dict[str, Group] = {}
        self._thread: threading.Thread | None = None

    def create(
        self,
        name: str,
        launcher: Launcher,
        subnets: tuple[Subnet, ...],
        capacity: Capacity,
        *,
        instance_type: str,
        tags: Mapping[str, str],
    ) -> Group:
        """Make a group; raises AWS's AlreadyExists."""
        arn = (
            f"arn:aws:autoscaling:{self.ec2.name}:{self._account}:autoScalingGroup:{uuid.uuid4()}"
            f":autoScalingGroupName/{name}"
        )
        identity = GroupIdentity(name, arn, self._clock.utc(), instance_type, dict(tags))
        with self._lock:
            if name in self._groups:
                text = f"AutoScalingGroup by this name already exists - A group with the name {name} already exists"
                raise AwsError("AlreadyExists", text)
            self._groups[name] = group = Group(identity, launcher, subnets, capacity, self._clock)
        return group

    def watch(self) -> None:
        """Begin to look at the groups, every now and then; harmless when that was begun."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._live, name=f"autoscaling-{self.ec2.name}", daemon=True
                )
                self._thread.start()

    def find(self, name: str) -> Group:
        """Return a group; raises what AWS raises when there is none."""
        with self._lock:
            found = self._groups.get(name)
        if found is None:
            raise AwsError(
                "ValidationError", f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found"
            )
        return found

    def groups(self) -> tuple[Group, ...]:
        """Return all groups."""
        with self._lock:
            return tuple(self._groups.values())

    def look(self) -> None:
        """Look at every group once; one that was to go and has no instance is gone then."""
        for group in self.groups():
            self.keeper.look(group)
            if group.deleting and not group.members():
                with self._lock:
                    self._groups.pop(group.name, None)

    def _live(self) -> None:
        while True:
            self._clock.sleep(_LOOK_EVERY_SECONDS)
            try:
                self.look()
            except Exception:  # noqa: BLE001 (the thread's main: one look that fails must not be the last)
                _log.exception("a look at the groups of %s failed", self.ec2.name)
