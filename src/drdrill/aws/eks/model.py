"""What EKS knows of clusters and node groups: values, replaced as a whole when something changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class ClusterStatus(StrEnum):
    """The statuses of a cluster that the mirror uses, in AWS's words.

    `CREATING` until its API server, controllers and scheduler all say that they are ready.
    """

    CREATING = "CREATING"
    ACTIVE = "ACTIVE"
    DELETING = "DELETING"
    FAILED = "FAILED"


class NodegroupStatus(StrEnum):
    """The statuses of a node group that the mirror uses, in AWS's words.

    ::

        CREATING ──▶ ACTIVE ◀──▶ UPDATING       all nodes are Ready: that is when CREATING and UPDATING end
            │          └───────▶ DEGRADED       instances cannot be launched, or do not join; by itself back
            └──▶ CREATE_FAILED                  the same, before it was ever ACTIVE
        any ──▶ DELETING ──▶ (gone)
    """

    CREATING = "CREATING"
    ACTIVE = "ACTIVE"
    UPDATING = "UPDATING"
    DEGRADED = "DEGRADED"
    CREATE_FAILED = "CREATE_FAILED"
    DELETING = "DELETING"


class UpdateStatus(StrEnum):
    """The statuses of an update that the mirror uses, in AWS's words."""

    IN_PROGRESS = "InProgress"
    SUCCESSFUL = "Successful"
    FAILED = "Failed"


@dataclass(frozen=True, slots=True)
class Issue:
    """Something that is wrong: AWS's code, what it says, which instances it is about."""

    code: str
    message: str
    resources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClusterRecord:
    """A cluster as the API describes it. `endpoint` and `authority` are `` before there are any."""

    name: str
    region: str
    account: str
    version: str
    role: str
    subnets: tuple[str, ...]
    vpc: str
    security_groups: tuple[str, ...]
    created_at: datetime
    token: str  # of the request that created it: the same one again creates nothing
    authentication_mode: str
    bootstrap_admin: bool
    private_access: bool = False  # as asked for: nodes reach the endpoint either way
    tags: Mapping[str, str] = field(default_factory=dict)
    status: ClusterStatus = ClusterStatus.CREATING
    endpoint: str = ""
    authority: str = ""
    issues: tuple[Issue, ...] = ()

    @property
    def arn(self) -> str:
        """The Amazon Resource Name."""
        return f"arn:aws:eks:{self.region}:{self.account}:cluster/{self.name}"


@dataclass(frozen=True, slots=True)
class NodegroupRecord:
    """A node group as the API describes it; how large it is, its Auto Scaling group knows."""

    name: str
    cluster: str
    arn: str
    version: str
    role: str
    subnets: tuple[str, ...]
    instance_type: str
    disk_size: int
    created_at: datetime
    token: str
    group: str
    labels: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    max_unavailable: int = 1
    modified_at: datetime | None = None
    status: NodegroupStatus = NodegroupStatus.CREATING
    issues: tuple[Issue, ...] = ()


@dataclass(frozen=True, slots=True)
class UpdateRecord:
    """An update of a node group."""

    identifier: str
    nodegroup: str
    parameters: tuple[tuple[str, str], ...]
    created_at: datetime
    token: str
    status: UpdateStatus = UpdateStatus.IN_PROGRESS
    errors: tuple[Issue, ...] = ()


@dataclass(frozen=True, slots=True)
class AccessEntry:
    """Who may ask a cluster's API, as whom. `policies`: the ARNs of those in force in the whole cluster."""

    principal: str
    username: str
    groups: tuple[str, ...]
    arn: str
    created_at: datetime
    modified_at: datetime
    tags: Mapping[str, str] = field(default_factory=dict)
    policies: Mapping[str, datetime] = field(default_factory=dict)
