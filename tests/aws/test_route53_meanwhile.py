"""What happens to Route 53's zones while something else does: all that was promised is told to the name servers."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from drdrill.aws.errors import AwsError
from drdrill.aws.route53.propagation import Worker
from drdrill.aws.route53.record_operations import RecordOperations
from tests.aws.route53_world import Route53World, record

if TYPE_CHECKING:
    from collections.abc import Callable


class _Meanwhile(dict[str, Any]):
    """A batch, while whose changes are read something else happens."""

    def __init__(self, changes: list[dict[str, Any]], happens: Callable[[], object]) -> None:
        super().__init__(Changes=changes)
        self._happens = happens

    def __getitem__(self, name: str) -> Any:
        self._happens()
        return super().__getitem__(name)


def test_a_zone_that_is_deleted_meanwhile() -> None:
    """A change to a zone that is deleted while it is read is refused: it could never be in sync."""
    world = Route53World()
    zone = world.make_zone()
    changes = [{"Action": "CREATE", "ResourceRecordSet": record()}]
    batch = _Meanwhile(changes, lambda: world.client.delete_hosted_zone(Id=zone))
    with pytest.raises(AwsError) as refused:
        RecordOperations(world.plane).change_resource_record_sets(
            {"HostedZoneId": zone, "ChangeBatch": batch}
        )
    assert refused.value.code == "NoSuchHostedZone"
    assert world.plane.propagation.is_settled()


def test_the_name_servers_are_told_after_a_mistake() -> None:
    """Whatever goes wrong with one thing that is told, the next one is told."""
    work, told = Worker(), threading.Event()

    def fail() -> None:
        raise ValueError("a mistake")

    work(fail)
    work(told.set)
    assert told.wait(10)
