"""One cluster: its control plane, its node groups, who may ask it."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from drdrill.aws.eks.access import groups_of
from drdrill.aws.eks.model import ClusterRecord, ClusterStatus
from drdrill.aws.errors import AwsError

if TYPE_CHECKING:
    from drdrill.aws.cluster_port import ClusterPlane
    from drdrill.aws.eks.model import AccessEntry
    from drdrill.aws.eks.nodegroup import Nodegroup


class Cluster:
    """Thread-safe."""

    def __init__(self, record: ClusterRecord) -> None:
        self._lock = threading.Lock()
        self._record = record
        self._plane: ClusterPlane | None = None
        self._nodegroups: dict[str, Nodegroup] = {}
        self._entries: dict[str, AccessEntry] = {}

    def __repr__(self) -> str:
        return f"Cluster({self._record.name} in {self._record.region})"

    @property
    def record(self) -> ClusterRecord:
        """What is true of it now."""
        with self._lock:
            return self._record

    def change(self, **changes: Any) -> ClusterRecord:
        """Change what is true of it."""
        with self._lock:
            self._record = replace(self._record, **changes)
            return self._record

    def stand(self, plane: ClusterPlane) -> None:
        """Be active: its control plane is up."""
        with self._lock:
            self._plane = plane
            self._record = replace(
                self._record,
                status=ClusterStatus.ACTIVE,
                endpoint=plane.endpoint,
                authority=plane.authority,
                issues=(),
            )

    @property
    def plane(self) -> ClusterPlane | None:
        """Its control plane, if that was ever up."""
        with self._lock:
            return self._plane

    def require_active(self) -> ClusterPlane:
        """Return its control plane; raises AWS's error while the cluster is not active."""
        with self._lock:
            if self._plane is None or self._record.status is not ClusterStatus.ACTIVE:
                text = f"Cluster '{self._record.name}' is not in ACTIVE status"
                raise AwsError("InvalidRequestException", text)
            return self._plane

    # -- node groups ------------------------------------------------------------------------------------------

    def nodegroups(self) -> tuple[Nodegroup, ...]:
        """Return its node groups."""
        with self._lock:
            return tuple(self._nodegroups.values())

    def find_nodegroup(self, name: str) -> Nodegroup:
        """Return a node group; raises AWS's ResourceNotFoundException."""
        with self._lock:
            found = self._nodegroups.get(name)
        if found is None:
            raise AwsError("ResourceNotFoundException", f"No node group found for name: {name}.", status=404)
        return found

    def add_nodegroup(self, nodegroup: Nodegroup) -> None:
        """Have one more node group; raises AWS's ResourceInUseException."""
        name = nodegroup.record.name
        with self._lock:
            if name in self._nodegroups:
                text = f"NodeGroup already exists with name {name} and cluster name {self._record.name}"
                raise AwsError("ResourceInUseException", text, status=409)
            self._nodegroups[name] = nodegroup

    def drop_nodegroup(self, name: str) -> None:
        """Have a node group no more."""
        with self._lock:
            self._nodegroups.pop(name, None)

    # -- who may ask ------------------------------------------------------------------------------------------

    def entries(self) -> tuple[AccessEntry, ...]:
        """Return its access entries."""
        with self._lock:
            return tuple(self._entries.values())

    def find_entry(self, principal: str) -> AccessEntry:
        """Return an access entry; raises AWS's ResourceNotFoundException."""
        with self._lock:
            found = self._entries.get(principal)
        if found is None:
            text = f"The specified principalArn could not be found: {principal}"
            raise AwsError("ResourceNotFoundException", text, status=404)
        return found

    def put_entry(self, entry: AccessEntry, *, new: bool = False) -> None:
        """Have an access entry; raises AWS's ResourceInUseException for a new one that is there already."""
        with self._lock:
            if new and entry.principal in self._entries:
                text = "The specified access entry resource is already in use on this cluster."
                raise AwsError("ResourceInUseException", text, status=409)
            self._entries[entry.principal] = entry

    def drop_entry(self, principal: str) -> None:
        """Have an access entry no more."""
        with self._lock:
            self._entries.pop(principal, None)

    def find_user(self, principal: str) -> tuple[str, tuple[str, ...]] | None:
        """Return as whom a principal asks its API, name and groups; None for one that may not."""
        with self._lock:
            entry = self._entries.get(principal)
        return None if entry is None else (entry.username, (*entry.groups, *groups_of(entry.policies)))
