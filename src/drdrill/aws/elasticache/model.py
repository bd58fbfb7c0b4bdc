"""What ElastiCache knows of a replication group, and its events: values, replaced as a whole when something changes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from drdrill.aws.rds.model import ACCOUNT

if TYPE_CHECKING:
    from datetime import datetime, timedelta

NODE_GROUP = "0001"  # cluster mode is disabled: a group has one shard
CACHE_NODE = "0001"  # a cluster of a group has one node
MOST_NODES = 6  # API reference, CreateReplicationGroup: a primary and up to five replicas


class Status(StrEnum):
    """The statuses of groups and of their clusters, in AWS's words (API reference, `ReplicationGroup`).

    ::

        creating ──▶ available ◀──▶ modifying
                      └──────┬─────────┘
                             ▼
                          deleting ──▶ (gone)

    A group is `available` only while its primary accepts writes and every replica has its copy and goes on. AWS has no
    word for a group that has lost a node: here it is `modifying` until the node is replaced.
    """

    CREATING = "creating"
    AVAILABLE = "available"
    MODIFYING = "modifying"
    DELETING = "deleting"
    CREATE_FAILED = "create-failed"


@dataclass(frozen=True, slots=True)
class CacheSettings:
    """How the emulated control plane behaves: what a customer of AWS cannot see or set.

    `failure_detection`: for how long a node is silent before it is lost; zero: a loss of power is known at once.
    """

    failure_detection: timedelta
    memory_bytes: int  # what every node holds, whatever its type


@dataclass(frozen=True, slots=True)
class NodeRecord:
    """A node of a group, which AWS calls a cache cluster."""

    cluster: str
    zone: str
    status: Status = Status.CREATING
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """What was asked of a group without `ApplyImmediately`: it waits for the maintenance window. None: no change."""

    node_type: str | None = None
    automatic_failover: bool | None = None
    multi_az: bool | None = None


@dataclass(frozen=True, slots=True)
class GroupRecord:
    """A replication group as the API describes it; `nodes` are those that there are to be."""

    identifier: str
    description: str
    region: str
    engine: str
    engine_version: str
    node_type: str
    automatic_failover: bool
    multi_az: bool
    parameter_group: str
    subnet_group: str | None
    maintenance_window: str
    nodes: tuple[NodeRecord, ...]
    primary: str  # the cluster that has the role
    at_rest_encryption: bool = False  # as asked for: nothing of a node is ever on a disk
    auto_minor_version_upgrade: bool = True  # the mirror has one version: there is none to upgrade to
    parameter_status: str = "in-sync"
    tags: tuple[tuple[str, str], ...] = ()
    security_groups: tuple[str, ...] = ()
    created_at: datetime | None = None
    status: Status = Status.CREATING
    pending: Pending = field(default_factory=Pending)
    promoting: str | None = None  # the cluster that is to have the role
    testing: bool = False  # whether a failover is to be tested

    @property
    def arn(self) -> str:
        """The Amazon Resource Name."""
        return f"arn:aws:elasticache:{self.region}:{ACCOUNT}:replicationgroup:{self.identifier}"

    def arn_of(self, cluster: str) -> str:
        """Return the Amazon Resource Name of one of its clusters."""
        return f"arn:aws:elasticache:{self.region}:{ACCOUNT}:cluster:{cluster}"

    def node(self, cluster: str) -> NodeRecord:
        """Return a node; raises KeyError for one that is none of the group's."""
        for one in self.nodes:
            if one.cluster == cluster:
                return one
        raise KeyError(cluster)

    @property
    def primary_endpoint(self) -> str:
        """The name that leads to the primary, whichever node that is."""
        return f"{self.identifier}.{_domain(self.region, 'ng.0001')}"

    @property
    def reader_endpoint(self) -> str:
        """The name that leads to the replicas, and to the primary where there are none."""
        return f"{self.identifier}-ro.{_domain(self.region, 'ng.0001')}"

    def endpoint_of(self, cluster: str) -> str:
        """Return the name of one node, whatever its role."""
        return f"{cluster}.{_domain(self.region, '0001')}"


@dataclass(frozen=True, slots=True)
class EventRecord:
    """An ElastiCache event."""

    at: datetime
    at_ns: int
    source: str
    source_type: str  # replication-group or cache-cluster
    message: str

    @property
    def key(self) -> str:
        """What events are ordered by."""
        return f"{self.at_ns:020d}"


def name_cluster(group: str, number: int) -> str:
    """Return the id of a group's n-th cluster, as AWS names them."""
    return f"{group}-{number:03d}"


def _domain(region: str, kind: str) -> str:
    """Return what follows in the names of a region: the account has one word of it, as in AWS."""
    account_hash = hashlib.sha256(region.encode()).hexdigest()[:6]
    return f"{account_hash}.{kind}.{abbreviate(region)}.cache.amazonaws.com"


def abbreviate(region: str) -> str:
    """Return a region as ElastiCache's names have it: `eu-west-1` is `euw1`, `ap-southeast-2` is `apse2`."""
    area, *directions, number = region.split("-")
    words = "".join(directions)
    for whole, short in (("north", "n"), ("south", "s"), ("east", "e"), ("west", "w"), ("central", "c")):
        words = words.replace(whole, short)
    return f"{area}{words}{number}"
