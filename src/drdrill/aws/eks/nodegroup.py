"""One node group: what it is made of, what it says, and what its Auto Scaling group asks of it."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from drdrill.aws.autoscaling.model import ActivityStatus, Lifecycle
from drdrill.aws.eks.model import Issue, NodegroupRecord, NodegroupStatus, UpdateRecord, UpdateStatus
from drdrill.core.errors import DrdrillError

if TYPE_CHECKING:
    from collections.abc import Callable

    from drdrill.aws.autoscaling import Group
    from drdrill.aws.cluster_port import ClusterPlane, NodeMachine
    from drdrill.core.clock import Clock

_log = logging.getLogger(__name__)
_DRAIN_WITHIN = timedelta(minutes=15)  # EKS User Guide, "Understand each phase of node updates"
_UNDER_WAY = (NodegroupStatus.CREATING, NodegroupStatus.UPDATING)
_STEADY = (NodegroupStatus.ACTIVE, NodegroupStatus.DEGRADED)


class Nodegroup:
    """Thread-safe. It is the launcher of its Auto Scaling group: an instance is a machine that joins the cluster."""

    def __init__(self, record: NodegroupRecord, plane: ClusterPlane, clock: Clock) -> None:
        self._plane = plane
        self._clock = clock
        self._lock = threading.Lock()
        self._record = record
        self._machines: dict[str, NodeMachine] = {}
        self._failed_to_join: dict[str, str] = {}
        self._updates: dict[str, UpdateRecord] = {}

    def __repr__(self) -> str:
        return f"Nodegroup({self._record.name} of {self._record.cluster})"

    @property
    def record(self) -> NodegroupRecord:
        """What is true of it now."""
        with self._lock:
            return self._record

    def change(self, **changes: Any) -> None:
        """Change what is true of it."""
        with self._lock:
            self._record = replace(self._record, modified_at=self._clock.utc(), **changes)

    # -- what its Auto Scaling group asks ---------------------------------------------------------------------

    def launch(self, instance: str, zone: str) -> NodeMachine:
        """Make a machine with power."""
        record = self.record
        labels = {
            **record.labels,
            "eks.amazonaws.com/nodegroup": record.name,
            "eks.amazonaws.com/capacityType": "ON_DEMAND",
            "node.kubernetes.io/instance-type": record.instance_type,
        }
        machine = self._plane.launch(instance, zone, labels)
        with self._lock:
            self._machines[instance] = machine
        return machine

    def settle(self, instance: str) -> None:
        """Have an instance join the cluster; one that does not goes on as an instance that is no node, as in EKS."""
        with self._lock:
            machine = self._machines[instance]
        try:
            machine.join()
        except DrdrillError as error:
            if machine.powered:
                _log.warning("%s did not join %s: %s", instance, self._record.cluster, error)
                with self._lock:
                    self._failed_to_join[instance] = str(error)

    def retire(self, instance: str) -> None:
        """Drain a node that is to go."""
        with self._lock:
            machine = self._machines.get(instance)
        if machine is not None and machine.powered:
            machine.drain(within=_DRAIN_WITHIN)

    # -- updates ----------------------------------------------------------------------------------------------

    def begin_update(
        self, update: UpdateRecord, apply: Callable[[], object], *, max_unavailable: int | None = None
    ) -> bool:
        """Call what makes an update true and be `UPDATING`, if it is steady now; errors of the call pass through."""
        with self._lock:
            if self._record.status not in _STEADY:
                return False
            apply()
            self._updates[update.identifier] = update
            self._record = replace(
                self._record,
                status=NodegroupStatus.UPDATING,
                modified_at=self._clock.utc(),
                max_unavailable=max_unavailable or self._record.max_unavailable,
            )
            return True

    def updates(self) -> tuple[UpdateRecord, ...]:
        """Return its updates, oldest first."""
        with self._lock:
            return tuple(self._updates.values())

    # -- what it says -----------------------------------------------------------------------------------------

    def look(self, group: Group, ready: frozenset[str]) -> None:
        """Look once at its instances and say what is true of it; `ready` are the names of the ready nodes."""
        _record, members = self.record, group.members()
        with self._lock:
            there = {member.instance for member in members}
            self._machines = {name: one for name, one in self._machines.items() if name in there}
            self._failed_to_join = {name: why for name, why in self._failed_to_join.items() if name in there}
            nodes = {name: machine.name for name, machine in self._machines.items()}
        serving = [one.instance for one in members if one.lifecycle is Lifecycle.IN_SERVICE]
        missing = group.capacity.desired - len(serving)
        complete = (
            len(members) == len(serving) and not missing and all(nodes.get(one) in ready for one in serving)
        )
        issues = self._find_issues(group, missing=missing)
        self._say(
            complete=complete, issues=issues, launches_refused=set(group.zones) <= group.refused_zones()
        )

    def _find_issues(self, group: Group, *, missing: int) -> tuple[Issue, ...]:
        found = []
        if missing > 0 and group.refused_zones():
            failed = next((one for one in group.activities() if one.status is ActivityStatus.FAILED), None)
            if failed is not None:
                found.append(Issue("AsgInstanceLaunchFailures", failed.message, (group.name,)))
        with self._lock:
            lost = dict(self._failed_to_join)
        if lost:
            text = "Instances failed to join the kubernetes cluster: " + " ".join(lost.values())
            found.append(Issue("NodeCreationFailure", text, tuple(lost)))
        return tuple(found)

    def _say(self, *, complete: bool, issues: tuple[Issue, ...], launches_refused: bool) -> None:
        """Say what a look showed; the lock is held."""
        hopeless = any(issue.code == "NodeCreationFailure" or launches_refused for issue in issues)
        status = self._record.status
        if status in _UNDER_WAY and complete:
            self._end_update(UpdateStatus.SUCCESSFUL, ())
            status = NodegroupStatus.ACTIVE
        elif status is NodegroupStatus.CREATING and hopeless:
            status = NodegroupStatus.CREATE_FAILED
        elif status is NodegroupStatus.UPDATING and hopeless:
            self._end_update(
                UpdateStatus.FAILED, tuple(replace(one, code="NodeCreationFailure") for one in issues)
            )
            status = NodegroupStatus.DEGRADED
        elif status in _STEADY:
            status = NodegroupStatus.DEGRADED if issues else NodegroupStatus.ACTIVE
        if (status, issues) != (self._record.status, self._record.issues):
            self._record = replace(self._record, status=status, issues=issues)

    def _end_update(self, status: UpdateStatus, errors: tuple[Issue, ...]) -> None:
        self._updates = {
            name: replace(one, status=status, errors=errors)
            if one.status is UpdateStatus.IN_PROGRESS
            else one
            for name, one in self._updates.items()
        }
