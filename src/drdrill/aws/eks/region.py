"""EKS in one region, as all of its operations share it: its clusters, and the thread that looks at node groups."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from drdrill.aws.ec2.region import spawn_thread
from drdrill.aws.eks.access import ADMIN_POLICY, group_of, role_of
from drdrill.aws.eks.model import ClusterStatus, Issue, NodegroupStatus
from drdrill.aws.errors import AwsError
from drdrill.core.errors import DrdrillError

if TYPE_CHECKING:
    from collections.abc import Callable

    from drdrill.aws.autoscaling import AutoScalingRegion
    from drdrill.aws.cluster_port import ClusterFleet
    from drdrill.aws.eks.cluster import Cluster
    from drdrill.core.clock import Clock

_LOOK_EVERY_SECONDS = 0.25
_STEADY_EVERY = 8  # looks: at node groups at which nothing is under way
_log = logging.getLogger(__name__)


class EksRegion:
    """Thread-safe: the gate calls from many threads. Without `watch` somebody else calls `look`."""

    def __init__(
        self,
        fleet: ClusterFleet,
        autoscaling: AutoScalingRegion,
        account: str,
        clock: Clock,
        spawn: Callable[[Callable[[], None]], None] = spawn_thread,
        *,
        watch: bool = True,
    ) -> None:
        self.fleet = fleet
        self.autoscaling = autoscaling
        self.account = account
        self.clock = clock
        self._spawn = spawn
        self._watches = watch
        self._lock = threading.Lock()
        self._clusters: dict[str, Cluster] = {}
        self._thread: threading.Thread | None = None
        self._looks = 0

    @property
    def name(self) -> str:
        """The region's name."""
        return self.fleet.region

    def find(self, name: str) -> Cluster:
        """Return a cluster; raises AWS's ResourceNotFoundException."""
        with self._lock:
            found = self._clusters.get(name)
        if found is None:
            raise AwsError("ResourceNotFoundException", f"No cluster found for name: {name}.", status=404)
        return found

    def clusters(self) -> tuple[Cluster, ...]:
        """Return all clusters."""
        with self._lock:
            return tuple(self._clusters.values())

    def create(self, cluster: Cluster) -> Cluster:
        """Enter a new cluster and begin to bring it up; return the one that the same request has created already."""
        record = cluster.record
        with self._lock:
            found = self._clusters.get(record.name)
            if found is not None and found.record.token == record.token:
                return found
            if found is not None:
                text = f"Cluster already exists with name: {record.name}"
                raise AwsError("ResourceInUseException", text, status=409)
            self._clusters[record.name] = cluster
        self._spawn(lambda: self._bring_up(cluster))
        return cluster

    def _bring_up(self, cluster: Cluster) -> None:
        wait = self.fleet.say_wait()
        if wait:
            _log.info("%s: %s", cluster, wait)
            cluster.change(issues=(Issue("Other", wait),))
        try:
            plane = self.fleet.create(cluster.record.name, endpoint=cluster.record.endpoint)
            plane.grant(group_of(ADMIN_POLICY), role_of(ADMIN_POLICY))
        except DrdrillError as error:
            _log.error("%s: %s", cluster, error)
            cluster.change(status=ClusterStatus.FAILED, issues=(Issue("InternalFailure", str(error)),))
            return
        cluster.stand(plane)
        self._watch()

    def delete(self, cluster: Cluster) -> None:
        """Begin to take a cluster away; raises AWS's errors while it cannot go."""
        record = cluster.record
        if cluster.nodegroups():
            raise AwsError("ResourceInUseException", "Cluster has nodegroups attached", status=409)
        if record.status in (ClusterStatus.CREATING, ClusterStatus.DELETING):
            text = f"Cannot delete because cluster {record.name} currently has status {record.status}"
            raise AwsError("ResourceInUseException", text, status=409)
        cluster.change(status=ClusterStatus.DELETING)
        self._spawn(lambda: self._take_away(cluster))

    def _take_away(self, cluster: Cluster) -> None:
        plane = cluster.plane
        try:
            if plane is not None:
                plane.release()
        except DrdrillError as error:
            _log.exception("%s could not be taken away", cluster)
            cluster.change(status=ClusterStatus.FAILED, issues=(Issue("InternalFailure", str(error)),))
            return
        with self._lock:
            self._clusters.pop(cluster.record.name, None)

    def _watch(self) -> None:
        if not self._watches:
            return
        self.autoscaling.watch()
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._live, name=f"eks-{self.name}", daemon=True)
                self._thread.start()

    def look(self, *, steady: bool = True) -> None:
        """Look once at the node groups at which something is under way, and at those that are steady, too."""
        for cluster in self.clusters():
            plane = cluster.plane
            groups = [
                one
                for one in cluster.nodegroups()
                if steady or one.record.status is not NodegroupStatus.ACTIVE
            ]
            if plane is None or not groups:
                continue
            ready = plane.read_ready()
            for nodegroup in groups:
                record = nodegroup.record
                try:
                    group = self.autoscaling.find(record.group)
                except AwsError:
                    if record.status is NodegroupStatus.DELETING:
                        cluster.drop_nodegroup(record.name)
                    continue
                nodegroup.look(group, ready)

    def _live(self) -> None:
        while True:
            self.clock.sleep(_LOOK_EVERY_SECONDS)
            self._looks += 1
            try:
                self.look(steady=self._looks % _STEADY_EVERY == 0)
            except Exception:  # noqa: BLE001 (the thread's main: one look that fails must not be the last)
                _log.exception("a look at the clusters of %s failed", self.name)
