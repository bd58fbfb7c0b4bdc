"""What CloudWatch is told of replication, through the SDK over a moto in this process."""

from __future__ import annotations

import pytest

from drdrill.dataplane.link import LinkCondition
from tests.aws.s3.world import FIRST, SECOND, World, new_bucket, put_rules, rule


def test_metrics(world: World) -> None:
    """Where a rule has metrics, what is pending and for how long is put into the destination's region, by rule."""
    metrics = {"Status": "Enabled", "EventThreshold": {"Minutes": 15}}
    destination = {"Metrics": metrics}
    here, there = world.client(FIRST), world.client(SECOND)
    source, target = new_bucket(here, FIRST), new_bucket(there, SECOND)
    put_rules(here, source, rule(target, Destination={"Bucket": f"arn:aws:s3:::{target}", **destination}))
    world.links.conditions[FIRST, SECOND] = LinkCondition(delay_seconds=10)
    here.put_object(Bucket=source, Key="one", Body=b"12345")
    world.clock.sleep(4)
    world.replicator.measure()
    store = world.metrics[SECOND]
    found = {
        metric.name: next(iter(store.read(metric, world.clock.utc(), world.clock.utc().replace(hour=1), 60)))[
            1
        ]
        for metric in store.list()
    }
    assert found["BytesPendingReplication"].total == 5
    assert found["OperationsPendingReplication"].total == 1
    assert found["ReplicationLatency"].highest == pytest.approx(4)
    assert dict(store.list()[0].dimensions) == {
        "SourceBucket": source,
        "DestinationBucket": target,
        "RuleId": "everything",
    }
    assert world.metrics[FIRST].list() == ()


def test_a_dark_source_measures_nothing(world: World) -> None:
    """While the source is dark there are no metrics of it: unknown is not zero."""
    here, there = world.client(FIRST), world.client(SECOND)
    source, target = new_bucket(here, FIRST), new_bucket(there, SECOND)
    arn = f"arn:aws:s3:::{target}"
    put_rules(here, source, rule(target, Destination={"Bucket": arn, "Metrics": {"Status": "Enabled"}}))
    world.links.dark.add(FIRST)
    world.replicator.measure()
    assert world.metrics[SECOND].list() == ()


def test_failures_are_metrics_of_the_source(world: World) -> None:
    """What failed is counted in the source's region."""
    here, there = world.client(FIRST), world.client(SECOND)
    source, target = new_bucket(here, FIRST), new_bucket(there, SECOND)
    arn = f"arn:aws:s3:::{target}"
    put_rules(here, source, rule(target, Destination={"Bucket": arn, "Metrics": {"Status": "Enabled"}}))
    there.delete_bucket(Bucket=target)
    here.put_object(Bucket=source, Key="one", Body=b"x")
    world.replicate()
    assert [one.name for one in world.metrics[FIRST].list()] == ["OperationsFailedReplication"]
