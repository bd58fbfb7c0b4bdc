"""Failover of a replication group: when its primary is lost, and when it is tested; what is lost, and what follows.

https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/AutoFailover.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from drdrill.core.waiting import wait_until
from drdrill.environment.port import FaultRequest, StoreRole
from tests.contract.elasticache.conftest import (
    EVERY,
    WITHIN,
    await_available,
    await_primary,
    describe,
    endpoint,
    messages,
    primary_of,
    roles,
)

if TYPE_CHECKING:
    from drdrill.mirror.embedded import Embedded
    from tests.contract.elasticache.conftest import Ask, NewGroup

pytestmark = pytest.mark.drill
_ZONES = ("eu-west-1a", "eu-west-1b", "eu-west-1c")


def _host_of(environment: Embedded, cluster: str) -> str:
    """Return the machine that a cluster's node has now."""
    caches = environment.world.control.ask("caches")["caches"]
    return next(str(node["host"]) for one in caches for node in one["nodes"] if node["cluster"] == cluster)


def test_a_tested_failover(cache: Any, new_group: NewGroup, ask: Ask) -> None:
    """A tested failover makes a replica the primary, replaces the old one, and tells it in the documented order.

    https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_TestFailover.html
    """
    group = new_group(NumCacheClusters=3)["ReplicationGroupId"]
    before = describe(cache, group)
    old = primary_of(before)
    ask(endpoint(before), ["SET", "kept", "yes"], ["WAIT", "2", "2000"])
    said = cache.test_failover(ReplicationGroupId=group, NodeGroupId="0001")
    assert said["ReplicationGroup"]["Status"] == "modifying"
    after = await_primary(cache, group, other_than=old)
    new = primary_of(after)
    assert roles(after)[old] == "replica"
    assert endpoint(after) == endpoint(before)
    assert ask(endpoint(after), ["GET", "kept"], ["SET", "more", "yes"]) == ["yes", True]
    ended = f"Failover from primary node {old} to replica node {new} completed"
    assert messages(cache, group, "replication-group")[-2:] == [
        "Test Failover API called for node group 0001",
        ended,
    ]
    assert ended in messages(cache, new, "cache-cluster")
    assert messages(cache, old, "cache-cluster")[-2:] == [
        "Recovering cache nodes 0001",
        "Finished recovery for cache nodes 0001",
    ]


def test_the_primary_loses_its_power(
    cache: Any, new_group: NewGroup, ask: Ask, environment: Embedded
) -> None:
    """When the primary's machine is lost the replica takes over with what it had, and the lost node is replaced.

    https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/AutoFailover.html#AutoFailover.Scenarios
    """
    before = new_group()
    group, old = before["ReplicationGroupId"], primary_of(before)
    assert ask(endpoint(before), ["SET", "replicated", "yes"], ["WAIT", "1", "2000"]) == [True, 1]
    lost = _host_of(environment, old)
    environment.world.control.ask("power_off", host=lost)
    after = await_primary(cache, group, other_than=old)
    assert ask(endpoint(after), ["GET", "replicated"], ["SET", "after", "yes"]) == ["yes", True]
    assert ask(endpoint(after, "ReaderEndpoint"), ["GET", "after"]) == ["yes"]
    assert _host_of(environment, old) != lost
    # The old machine's return changes nothing: what it held is gone, and it is given back.
    environment.world.control.ask("power_on", host=lost)
    wait_until(lambda: lost not in _host_names(environment), what="its end", within=WITHIN, every=EVERY)
    assert primary_of(await_available(cache, group)) == primary_of(after)


@pytest.mark.long
def test_a_lost_replica_is_replaced(cache: Any, new_group: NewGroup, ask: Ask, environment: Embedded) -> None:
    """A lost replica is replaced while the primary serves; until then the group does not say `available`.

    https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/AutoFailover.html#AutoFailover.Scenarios
    """
    before = new_group()
    group, primary = before["ReplicationGroupId"], primary_of(before)
    replica = next(cluster for cluster in roles(before) if cluster != primary)
    environment.world.control.ask("power_off", host=_host_of(environment, replica))
    wait_until(
        lambda: describe(cache, group)["Status"] == "modifying", what="the loss", within=WITHIN, every=EVERY
    )
    assert ask(endpoint(before), ["SET", "meanwhile", "yes"]) == [True]
    after = await_available(cache, group)
    assert primary_of(after) == primary
    assert ask(endpoint(after, "ReaderEndpoint"), ["GET", "meanwhile"]) == ["yes"]


@pytest.mark.long
def test_without_automatic_failover(cache: Any, new_group: NewGroup, ask: Ask, environment: Embedded) -> None:
    """Without automatic failover a new node takes the lost primary's place, with a copy of the replica.

    https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/AutoFailover.html#AutoFailover.Scenarios
    """
    before = new_group(AutomaticFailoverEnabled=False, MultiAZEnabled=False)
    group, primary = before["ReplicationGroupId"], primary_of(before)
    ask(endpoint(before), ["SET", "copied", "yes"], ["WAIT", "1", "2000"])
    environment.world.control.ask("power_off", host=_host_of(environment, primary))
    wait_until(
        lambda: describe(cache, group)["Status"] == "modifying", what="the loss", within=WITHIN, every=EVERY
    )
    after = await_available(cache, group)
    assert primary_of(after) == primary
    assert ask(endpoint(after), ["GET", "copied"], ["SET", "more", "yes"]) == ["yes", True]


@pytest.mark.long
def test_the_only_node_is_lost(cache: Any, new_group: NewGroup, ask: Ask, environment: Embedded) -> None:
    """A group of one node comes back empty when that is lost: nothing else had what it held.

    https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/disaster-recovery-resiliency.html
    """
    before = new_group(NumCacheClusters=1, AutomaticFailoverEnabled=False, MultiAZEnabled=False)
    group = before["ReplicationGroupId"]
    ask(endpoint(before), ["SET", "only", "here"])
    environment.world.control.ask("power_off", host=_host_of(environment, primary_of(before)))
    wait_until(
        lambda: describe(cache, group)["Status"] == "modifying", what="the loss", within=WITHIN, every=EVERY
    )
    after = await_available(cache, group)
    assert ask(endpoint(after), ["GET", "only"], ["SET", "again", "yes"]) == [None, True]


def test_the_primarys_zone_is_lost(cache: Any, new_group: NewGroup, ask: Ask, environment: Embedded) -> None:
    """When a whole zone is lost a replica in another one takes over; the lost node is replaced when the zone is back.

    https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/AutoFailover.html#AutoFailover.Scenarios
    """
    before = new_group(NumCacheClusters=3)
    group, old = before["ReplicationGroupId"], primary_of(before)
    zone = _zone_of(before, old)
    ask(endpoint(before), ["SET", "replicated", "yes"], ["WAIT", "2", "2000"])
    environment.world.control.ask("lose_zone", zone=zone)
    try:
        wait_until(
            lambda: primary_of(describe(cache, group)) != old,
            what="another primary",
            within=WITHIN,
            every=EVERY,
        )
        during = describe(cache, group)
        assert during["Status"] == "modifying"
        assert _zone_of(during, primary_of(during)) != zone
        assert ask(endpoint(during), ["GET", "replicated"], ["SET", "during", "yes"]) == ["yes", True]
    finally:
        environment.world.control.ask("return_zone", zone=zone)
    after = await_available(cache, group)
    assert (roles(after)[old], _zone_of(after, old)) == ("replica", zone)
    (member,) = [one for one in after["NodeGroups"][0]["NodeGroupMembers"] if one["CacheClusterId"] == old]
    assert ask(member["ReadEndpoint"]["Address"], ["GET", "during"]) == ["yes"]


@pytest.mark.long
def test_the_primarys_zone_is_cut_off(
    cache: Any, new_group: NewGroup, ask: Ask, environment: Embedded
) -> None:
    """A primary that lives on in a zone that nobody reaches is fenced before another one takes writes.

    https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/AutoFailover.html#AutoFailover.Scenarios
    """
    zone = (
        environment.observe_store("payments").members[0].zone
    )  # the fault is injected where that primary is
    other = next(one for one in _ZONES if one != zone)
    before = new_group(PreferredCacheClusterAZs=[zone, other])
    group, old = before["ReplicationGroupId"], primary_of(before)
    lost = _host_of(environment, old)
    request = FaultRequest("zone_partition", "payments-database", "payments", StoreRole.PRIMARY)
    injection = environment.faults.inject(request)
    try:
        wait_until(
            lambda: primary_of(describe(cache, group)) != old,
            what="another primary",
            within=WITHIN,
            every=EVERY,
        )
        assert lost not in _host_names(environment)
        assert ask(endpoint(describe(cache, group)), ["SET", "during", "yes"]) == [True]
    finally:
        environment.faults.heal(injection)
    assert roles(await_available(cache, group))[old] == "replica"


def test_a_failover_that_cannot_be_tested(cache: Any, new_group: NewGroup) -> None:
    """A test is refused without automatic failover, of a shard or a group that there is not, and of a busy group.

    https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_TestFailover.html
    """
    single = new_group(NumCacheClusters=1, AutomaticFailoverEnabled=False, MultiAZEnabled=False)[
        "ReplicationGroupId"
    ]
    with pytest.raises(cache.exceptions.InvalidReplicationGroupStateFault):
        cache.test_failover(ReplicationGroupId=single, NodeGroupId="0001")
    with pytest.raises(cache.exceptions.NodeGroupNotFoundFault):
        cache.test_failover(ReplicationGroupId=single, NodeGroupId="0002")
    with pytest.raises(cache.exceptions.ReplicationGroupNotFoundFault):
        cache.test_failover(ReplicationGroupId="nobody", NodeGroupId="0001")
    group = new_group()["ReplicationGroupId"]
    cache.test_failover(ReplicationGroupId=group, NodeGroupId="0001")
    with pytest.raises(cache.exceptions.InvalidReplicationGroupStateFault):
        cache.test_failover(ReplicationGroupId=group, NodeGroupId="0001")


def _zone_of(described: dict[str, Any], cluster: str) -> str:
    members = described["NodeGroups"][0]["NodeGroupMembers"]
    return next(str(one["PreferredAvailabilityZone"]) for one in members if one["CacheClusterId"] == cluster)


def _host_names(environment: Embedded) -> set[str]:
    return {str(host["name"]) for host in environment.world.control.ask("hosts")["hosts"]}
