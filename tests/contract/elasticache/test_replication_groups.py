"""Replication groups: available when they serve, endpoints that follow the roles, replicas more and fewer, promotion.

https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Replication.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from drdrill.core.waiting import wait_until
from tests.contract.elasticache.conftest import (
    EVERY,
    WITHIN,
    await_available,
    describe,
    endpoint,
    primary_of,
    roles,
)

if TYPE_CHECKING:
    from tests.contract.elasticache.conftest import Ask, NewGroup

pytestmark = pytest.mark.drill
GROUP = "shop"


@pytest.fixture(scope="module")
def group(new_group: NewGroup) -> str:
    """Return the name of a group of three nodes in three zones, with two replicas."""
    new_group(ReplicationGroupId=GROUP, NumCacheClusters=3, Tags=[{"Key": "team", "Value": "till"}])
    return GROUP


def test_a_new_group_serves(cache: Any, group: str, ask: Ask) -> None:
    """A group that says `available` takes writes at its primary, has them on its replicas, and refuses them there.

    https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Replication.Endpoints.html
    """
    described = describe(cache, group)
    members = described["NodeGroups"][0]["NodeGroupMembers"]
    assert len({member["PreferredAvailabilityZone"] for member in members}) == 3
    assert sorted(roles(described).values()) == ["primary", "replica", "replica"]
    replicas = next(line for line in _info(ask, endpoint(described)) if line.startswith("connected_slaves"))
    assert replicas == "connected_slaves:2"
    assert ask(endpoint(described), ["SET", "greeting", "hello"], ["WAIT", "2", "2000"]) == [True, 2]
    reader = endpoint(described, "ReaderEndpoint")
    read, refused = ask(reader, ["GET", "greeting"], ["SET", "greeting", "bye"])
    assert read == "hello"
    assert refused.startswith("ReadOnlyError")


def test_its_clusters(cache: Any, group: str, patience: dict[str, int], ask: Ask) -> None:
    """Every node of a group is a cluster, and its own endpoint leads to it.

    https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_DescribeCacheClusters.html
    """
    described = describe(cache, group)
    for cluster, role in roles(described).items():
        cache.get_waiter("cache_cluster_available").wait(CacheClusterId=cluster, WaiterConfig=patience)
        (one,) = cache.describe_cache_clusters(CacheClusterId=cluster, ShowCacheNodeInfo=True)[
            "CacheClusters"
        ]
        assert (one["ReplicationGroupId"], one["Engine"]) == (group, "valkey")
        (node,) = one["CacheNodes"]
        said = "master" if role == "primary" else "slave"
        assert f"role:{said}" in _info(ask, node["Endpoint"]["Address"])


def test_what_a_user_may_not_do(cache: Any, group: str, ask: Ask) -> None:
    """What ElastiCache keeps for itself is refused to applications: roles, configuration, the server's end.

    https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/SupportedCommands.html
    """
    forbidden = (
        ["CONFIG", "GET", "*"],
        ["REPLICAOF", "NO", "ONE"],
        ["SHUTDOWN"],
        ["DEBUG", "SLEEP", "0"],
        ["SAVE"],
    )
    answers = ask(endpoint(describe(cache, group)), *[list(command) for command in forbidden])
    assert all("no permissions" in str(answer) or "not allowed" in str(answer) for answer in answers), answers


def test_more_replicas_and_fewer(cache: Any, group: str, ask: Ask) -> None:
    """A replica that is added has all that there is before the group is available; one taken away is gone.

    https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_IncreaseReplicaCount.html
    """
    ask(endpoint(describe(cache, group)), ["SET", "before", "the replica"])
    said = cache.increase_replica_count(ReplicationGroupId=group, NewReplicaCount=3, ApplyImmediately=True)
    assert said["ReplicationGroup"]["Status"] == "modifying"
    described = await_available(cache, group)
    member = next(
        one
        for one in described["NodeGroups"][0]["NodeGroupMembers"]
        if one["CacheClusterId"] == f"{group}-004"
    )
    assert ask(member["ReadEndpoint"]["Address"], ["GET", "before"]) == ["the replica"]
    with pytest.raises(cache.exceptions.NoOperationFault):
        cache.increase_replica_count(ReplicationGroupId=group, NewReplicaCount=3, ApplyImmediately=True)
    cache.decrease_replica_count(
        ReplicationGroupId=group, ReplicasToRemove=[f"{group}-004"], NewReplicaCount=2, ApplyImmediately=True
    )
    assert len(await_available(cache, group)["MemberClusters"]) == 3
    with pytest.raises(cache.exceptions.CacheClusterNotFoundFault):
        cache.describe_cache_clusters(CacheClusterId=f"{group}-004")


def test_a_promotion_by_hand(cache: Any, group: str, ask: Ask) -> None:
    """A replica is promoted by hand only without automatic failover; no write is lost, and the roles change.

    https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Replication.PromoteReplica.html
    """
    described = describe(cache, group)
    before = primary_of(described)
    chosen = next(cluster for cluster, role in roles(described).items() if role == "replica")
    promote = {"ReplicationGroupId": group, "PrimaryClusterId": chosen, "ApplyImmediately": True}
    with pytest.raises(cache.exceptions.InvalidReplicationGroupStateFault, match="autofailover is enabled"):
        cache.modify_replication_group(**promote)
    manual = {"AutomaticFailoverEnabled": False, "MultiAZEnabled": False}
    cache.modify_replication_group(ReplicationGroupId=group, ApplyImmediately=True, **manual)
    ask(endpoint(described), ["SET", "last", "word"])
    cache.modify_replication_group(**promote)
    described = await_available(cache, group)
    assert roles(described) == {**dict.fromkeys(roles(described), "replica"), chosen: "primary"}
    assert before != chosen
    assert ask(endpoint(described), ["GET", "last"], ["SET", "next", "word"]) == ["word", True]
    cache.modify_replication_group(
        ReplicationGroupId=group, ApplyImmediately=True, AutomaticFailoverEnabled=True, MultiAZEnabled=True
    )
    assert describe(cache, group)["AutomaticFailover"] == "enabled"


def test_a_change_waits_for_the_window(cache: Any, group: str) -> None:
    """What may mean an outage waits for the maintenance window unless it is to be applied immediately.

    https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ModifyReplicationGroup.html
    """
    cache.modify_replication_group(
        ReplicationGroupId=group, MultiAZEnabled=False, AutomaticFailoverEnabled=False
    )
    described = describe(cache, group)
    assert described["AutomaticFailover"] == "enabled"
    assert described["PendingModifiedValues"] == {"AutomaticFailoverStatus": "disabled"}
    cache.modify_replication_group(
        ReplicationGroupId=group, MultiAZEnabled=True, AutomaticFailoverEnabled=True
    )
    assert describe(cache, group)["PendingModifiedValues"] == {}


def test_parameters_are_the_servers(cache: Any, group: str, ask: Ask) -> None:
    """What a parameter group says is what the servers do, a moment after it was said.

    https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/ParameterGroups.html
    """
    cache.create_cache_parameter_group(
        CacheParameterGroupName="ours", CacheParameterGroupFamily="valkey8", Description="of the contract"
    )
    policy = {"ParameterName": "maxmemory-policy", "ParameterValue": "allkeys-lfu"}
    cache.modify_cache_parameter_group(CacheParameterGroupName="ours", ParameterNameValues=[policy])
    described = describe(cache, group)
    assert "maxmemory_policy:volatile-lru" in _info(ask, endpoint(described))
    cache.modify_replication_group(ReplicationGroupId=group, CacheParameterGroupName="ours")
    for kind in ("PrimaryEndpoint", "ReaderEndpoint"):
        wait_until(
            lambda kind=kind: "maxmemory_policy:allkeys-lfu" in _info(ask, endpoint(described, kind)),  # type: ignore[misc]
            what="the policy", within=WITHIN, every=EVERY,
        )  # fmt: skip
    with pytest.raises(cache.exceptions.InvalidCacheParameterGroupStateFault):
        cache.delete_cache_parameter_group(CacheParameterGroupName="ours")


def test_tags(cache: Any, group: str) -> None:
    """Tags are added, changed and taken away.

    https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Tagging-Resources.html
    """
    arn = describe(cache, group)["ARN"]
    cache.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "stage", "Value": "drill"}])
    assert cache.remove_tags_from_resource(ResourceName=arn, TagKeys=["team"])["TagList"] == [
        {"Key": "stage", "Value": "drill"}
    ]
    with pytest.raises(cache.exceptions.TagNotFoundFault):
        cache.remove_tags_from_resource(ResourceName=arn, TagKeys=["team"])


def test_a_deleted_group_is_gone(cache: Any, new_group: NewGroup, patience: dict[str, int], ask: Ask) -> None:
    """A deleted group's names lead nowhere, and its waiter ends.

    https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Replication.DeletingRepGroup.html
    """
    made = new_group(NumCacheClusters=1, AutomaticFailoverEnabled=False, MultiAZEnabled=False)
    name = made["ReplicationGroupId"]
    assert ask(endpoint(made, "ReaderEndpoint"), ["SET", "a", "b"]) == [
        True
    ]  # it has no replica to read from
    said = cache.delete_replication_group(ReplicationGroupId=name)
    assert said["ReplicationGroup"]["Status"] == "deleting"
    cache.get_waiter("replication_group_deleted").wait(ReplicationGroupId=name, WaiterConfig=patience)
    with pytest.raises(Exception, match=r"Name or service not known|No address"):
        ask(endpoint(made), ["PING"])


def _info(ask: Ask, name: str) -> list[str]:
    """Return the lines of what a server says of itself."""
    (said,) = ask(name, ["INFO"])
    return [f"{key}:{value}" for key, value in said.items()]
