"""What ElastiCache refuses, in AWS's words: groups, their changes, tests of their failover, subnets, parameters."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from drdrill.aws.elasticache.model import Status, abbreviate
from tests.aws.elasticache.standing import Region, make_record

if TYPE_CHECKING:
    from pathlib import Path

NEW = {
    "ReplicationGroupId": "new",
    "ReplicationGroupDescription": "new",
    "Engine": "valkey",
    "CacheNodeType": "cache.t4g.micro",
}


@pytest.fixture
def region(tmp_path: Path) -> Region:
    """Return a region with an available group of three nodes."""
    return Region.make(tmp_path)


def _refused(region: Region, operation: str, **parameters: object) -> str:
    with pytest.raises(Exception, match="An error occurred") as caught:
        getattr(region.client, operation)(**parameters)
    error: dict[str, Any] = caught.value.response["Error"]  # type: ignore[attr-defined]  # a client's error
    return str(error["Code"])


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"ReplicationGroupId": "9-begins-with-a-digit"}, "InvalidParameterValue"),
        ({"ReplicationGroupId": "a" * 41}, "InvalidParameterValue"),
        ({"ReplicationGroupDescription": ""}, "InvalidParameterValue"),
        ({"CacheNodeType": "t4g.micro"}, "InvalidParameterValue"),
        ({"Engine": "memcached"}, "InvalidParameterValue"),
        ({"Engine": "postgres"}, "InvalidParameterValue"),
        ({"EngineVersion": "eight"}, "InvalidParameterCombination"),
        ({"EngineVersion": "5.0.6"}, "NotImplemented"),
        ({"NumCacheClusters": 7}, "InvalidParameterValue"),
        ({"NumCacheClusters": 0}, "InvalidParameterValue"),
        ({"NumCacheClusters": 2, "ReplicasPerNodeGroup": 1}, "InvalidParameterCombination"),
        ({"AutomaticFailoverEnabled": True}, "InvalidParameterCombination"),
        ({"NumCacheClusters": 2, "MultiAZEnabled": True}, "InvalidParameterCombination"),
        (
            {"NumCacheClusters": 2, "MultiAZEnabled": True, "AutomaticFailoverEnabled": True,
             "PreferredCacheClusterAZs": ["a", "a"]},
            "InvalidParameterCombination",
        ),
        ({"NumCacheClusters": 2, "PreferredCacheClusterAZs": ["a"]}, "InvalidParameterCombination"),
        ({"PreferredCacheClusterAZs": ["z"]}, "InvalidParameterValue"),
        ({"PreferredMaintenanceWindow": "never"}, "InvalidParameterValue"),
        ({"AuthToken": "correct-horse-battery"}, "InvalidParameterCombination"),
        ({"CacheParameterGroupName": "nobody"}, "CacheParameterGroupNotFound"),
        ({"CacheParameterGroupName": "default.redis7"}, "InvalidParameterCombination"),
        ({"CacheSubnetGroupName": "nobody"}, "CacheSubnetGroupNotFoundFault"),
        ({"SecurityGroupIds": ["sg-0"]}, "InvalidParameterValue"),
        ({"ReplicationGroupId": "shop"}, "ReplicationGroupAlreadyExists"),
        ({"TransitEncryptionEnabled": True}, "NotImplemented"),
        ({"SnapshotRetentionLimit": 3}, "NotImplemented"),
        ({"NumNodeGroups": 2}, "NotImplemented"),
        ({"GlobalReplicationGroupId": "everywhere"}, "NotImplemented"),
        ({"Port": 6380}, "NotImplemented"),
    ],
)  # fmt: skip
def test_a_wrong_group_is_refused(region: Region, wrong: dict[str, object], code: str) -> None:
    """What AWS refuses is refused by its code, what the mirror lacks by name, and nothing is made."""
    region.add(make_record())
    assert _refused(region, "create_replication_group", **{**NEW, **wrong}) == code
    assert len(region.region.groups()) == 1


def test_a_gap_is_named(region: Region) -> None:
    """Who asks for what the mirror lacks is told the parameter's name."""
    with pytest.raises(Exception, match="SnapshotName of elasticache:CreateReplicationGroup"):
        region.client.create_replication_group(**NEW, SnapshotName="before")


@pytest.mark.parametrize(
    ("operation", "asked", "code"),
    [
        ("modify_replication_group", {"PrimaryClusterId": "shop-002"}, "InvalidReplicationGroupState"),
        ("modify_replication_group", {"PrimaryClusterId": "other-001"}, "InvalidParameterValue"),
        ("modify_replication_group", {"NodeGroupId": "0002"}, "NodeGroupNotFoundFault"),
        ("modify_replication_group", {"EngineVersion": "8.0"}, "NotImplemented"),
        ("modify_replication_group", {"SnapshotWindow": "05:00-09:00"}, "NotImplemented"),
        ("modify_replication_group", {"AutomaticFailoverEnabled": False}, "InvalidParameterCombination"),
        ("increase_replica_count", {"NewReplicaCount": 2}, "NoOperationFault"),
        ("increase_replica_count", {"NewReplicaCount": 6}, "InvalidParameterValue"),
        ("increase_replica_count", {}, "InvalidParameterCombination"),
        ("decrease_replica_count", {"NewReplicaCount": 2}, "NoOperationFault"),
        ("decrease_replica_count", {"NewReplicaCount": 0}, "InvalidParameterCombination"),
        ("decrease_replica_count", {"ReplicasToRemove": ["shop-001"]}, "InvalidParameterValue"),
        ("delete_replication_group", {"FinalSnapshotIdentifier": "final"}, "NotImplemented"),
        ("test_failover", {"NodeGroupId": "0002"}, "NodeGroupNotFoundFault"),
    ],
)  # fmt: skip
def test_a_wrong_change_is_refused(
    region: Region, operation: str, asked: dict[str, object], code: str
) -> None:
    """A change that AWS refuses changes nothing."""
    standing = region.add(make_record())
    before = standing.record
    apply = {} if operation in ("delete_replication_group", "test_failover") else {"ApplyImmediately": True}
    assert _refused(region, operation, ReplicationGroupId="shop", **{**apply, **asked}) == code
    assert standing.record == before


@pytest.mark.parametrize("status", [one for one in Status if one is not Status.AVAILABLE])
def test_a_busy_group_is_left_alone(region: Region, status: Status) -> None:
    """Only an available group is changed or tested; one that could not be created can be deleted, too."""
    region.add(make_record(status=status))
    name = {"ReplicationGroupId": "shop"}
    busy = "InvalidReplicationGroupState"
    assert _refused(region, "modify_replication_group", **name, ReplicationGroupDescription="new") == busy
    assert _refused(region, "test_failover", **name, NodeGroupId="0001") == busy
    if status is Status.CREATE_FAILED:
        region.client.delete_replication_group(**name)
    else:
        assert _refused(region, "delete_replication_group", **name) == busy


def test_a_failover_is_tested_fifteen_times_a_day(region: Region) -> None:
    """The sixteenth test within 24 hours is refused; when the first one is a day old there is one more.

    https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_TestFailover.html
    """
    standing = region.add(make_record())
    asked = {"ReplicationGroupId": "shop", "NodeGroupId": "0001"}
    for _ in range(15):
        region.client.test_failover(**asked)
        standing.record = make_record()
        region.clock.sleep(60)
    assert _refused(region, "test_failover", **asked) == "APICallRateForCustomerExceeded"
    region.clock.sleep(timedelta(hours=24).total_seconds() - 15 * 60)
    assert region.client.test_failover(**asked)["ReplicationGroup"]["Status"] == "modifying"
    assert standing.told[-1] == "Test Failover API called for node group 0001"


def test_zones_of_more_replicas(region: Region) -> None:
    """New replicas stand in the zones with the fewest nodes, and take names that are free."""
    standing = region.add(make_record(nodes=2))
    region.client.increase_replica_count(ReplicationGroupId="shop", NewReplicaCount=4, ApplyImmediately=True)
    assert [(node.cluster, node.zone) for node in standing.record.nodes[2:]] == [
        ("shop-003", "c"), ("shop-004", "a"), ("shop-005", "b"),
    ]  # fmt: skip


def test_a_zone_without_power_gets_no_replica(region: Region) -> None:
    """Nothing would start there."""
    standing = region.add(make_record(nodes=2))
    region.machines.lit_zones = ("a", "b")
    region.client.increase_replica_count(ReplicationGroupId="shop", NewReplicaCount=3, ApplyImmediately=True)
    assert [node.zone for node in standing.record.nodes[2:]] == ["a", "b"]


def test_subnet_groups(region: Region) -> None:
    """A subnet group has the zones that EC2 says, and refuses unknown subnets and those of two VPCs."""
    make = {"CacheSubnetGroupName": "two", "CacheSubnetGroupDescription": "two"}
    wrong = (["subnet-00000099"], ["subnet-00000001", "subnet-000000ff"])
    for subnets in wrong:
        assert _refused(region, "create_cache_subnet_group", **make, SubnetIds=subnets) == "InvalidSubnet"
    region.client.create_cache_subnet_group(**make, SubnetIds=["subnet-00000001", "subnet-00000002"])
    (described,) = region.client.describe_cache_subnet_groups(CacheSubnetGroupName="two")["CacheSubnetGroups"]
    assert [one["SubnetAvailabilityZone"]["Name"] for one in described["Subnets"]] == ["a", "b"]
    assert region.region.zones_for("two") == ("a", "b")
    again = _refused(region, "create_cache_subnet_group", **make, SubnetIds=["subnet-00000001"])
    assert again == "CacheSubnetGroupAlreadyExists"


def test_parameters(region: Region) -> None:
    """Parameters are checked when they are set; AWS's own groups cannot be changed."""
    client = region.client
    client.create_cache_parameter_group(
        CacheParameterGroupName="ours", CacheParameterGroupFamily="valkey8", Description="ours"
    )

    def refused(name: str, value: str, group: str = "ours") -> str:
        wanted = [{"ParameterName": name, "ParameterValue": value}]
        return _refused(
            region, "modify_cache_parameter_group", CacheParameterGroupName=group, ParameterNameValues=wanted
        )

    assert refused("maxmemory-policy", "forget-everything") == "InvalidParameterValue"
    assert refused("timeout", "-1") == "InvalidParameterValue"
    assert refused("no-such-thing", "1") == "InvalidParameterValue"
    assert refused("cluster-enabled", "yes") == "NotImplemented"
    assert refused("timeout", "1", group="default.valkey8") == "InvalidCacheParameterGroupState"
    assert refused("timeout", "1", group="nobody") == "CacheParameterGroupNotFound"
    timeout = [{"ParameterName": "timeout", "ParameterValue": "60"}]
    client.modify_cache_parameter_group(CacheParameterGroupName="ours", ParameterNameValues=timeout)
    (changed,) = client.describe_cache_parameters(CacheParameterGroupName="ours", Source="user")["Parameters"]
    assert (changed["ParameterName"], changed["ParameterValue"]) == ("timeout", "60")
    client.reset_cache_parameter_group(CacheParameterGroupName="ours", ResetAllParameters=True)
    assert client.describe_cache_parameters(CacheParameterGroupName="ours", Source="user")["Parameters"] == []


@pytest.mark.parametrize(
    ("region_name", "short"),
    [("eu-west-1", "euw1"), ("us-east-1", "use1"), ("eu-central-1", "euc1"), ("ap-southeast-2", "apse2")],
)
def test_regions_in_names(region_name: str, short: str) -> None:
    """Endpoints have a region's short name, as AWS's have it."""
    assert abbreviate(region_name) == short
