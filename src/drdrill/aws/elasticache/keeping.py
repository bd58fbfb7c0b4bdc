"""What ElastiCache keeps: groups of all kinds, and nothing of what nodes hold. A cache that is made again is empty."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from drdrill.aws.elasticache.model import Status
from drdrill.aws.elasticache.reconciler import Reconciler
from drdrill.aws.errors import AwsError
from drdrill.aws.keeping import NotKeptError
from drdrill.core.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from drdrill.aws.elasticache.model import GroupRecord
    from drdrill.aws.elasticache.parameter_groups import ParameterGroup
    from drdrill.aws.elasticache.region import CacheRegion
    from drdrill.aws.elasticache.subnet_groups import SubnetGroup

_THERE_WITHIN = timedelta(minutes=1)  # measured 1 s
_POLL = timedelta(milliseconds=50)


class OpenedRegion(Protocol):
    """ElastiCache of one region, which is opened when it is needed."""

    @property
    def region(self) -> CacheRegion | None:
        """What it is of; None: nobody has asked for a cache here yet."""
        ...

    def open_region(self) -> CacheRegion:
        """Open it; harmless when it is open."""
        ...


@dataclass(frozen=True, slots=True)
class KeptRegion:
    """What is known in one region."""

    groups: tuple[GroupRecord, ...]
    parameter_groups: tuple[ParameterGroup, ...]
    subnet_groups: tuple[SubnetGroup, ...]


class CacheKeeper:
    """Keeps the caches of these regions. Implements `drdrill.aws.keeping.Keeper`."""

    name = "elasticache"
    after: tuple[str, ...] = ()

    def __init__(self, regions: Mapping[str, OpenedRegion]) -> None:
        self._regions = regions

    def keep(self, _: Path, /) -> Mapping[str, KeptRegion]:
        """Return what is known once all groups are at rest."""
        opened = {name: one.region for name, one in self._regions.items() if one.region is not None}
        for region in opened.values():
            _await_available(region)
        return {
            name: KeptRegion(
                tuple(group.record for group in region.groups()),
                tuple(group for group in region.parameter_groups.all() if not group.is_default),
                region.subnet_groups.all(),
            )
            for name, region in opened.items()
        }

    def restore(self, kept: Mapping[str, KeptRegion], _: Path, /) -> None:
        """Make all groups again; returns when their primaries take writes and all replicas follow."""
        for name, one in kept.items():
            region = self._regions[name].open_region()
            for parameters in one.parameter_groups:
                region.parameter_groups.add(parameters)
            for subnets in one.subnet_groups:
                region.subnet_groups.add(subnets)
            for record in one.groups:
                _begin(region, record)
        for name in kept:
            _await_available(self._regions[name].open_region())


def _begin(region: CacheRegion, kept: GroupRecord) -> None:
    # Without times: whoever has one was there already, and what is not there now would be lost.
    nodes = tuple(replace(node, status=Status.CREATING, created_at=None) for node in kept.nodes)
    record = replace(
        kept, status=Status.CREATING, created_at=None, nodes=nodes, promoting=None, testing=False
    )
    try:
        region.add(record.identifier, lambda: Reconciler(record, region))
    except AwsError as error:
        raise NotKeptError(f"{record.identifier} in {region.name}: {error}") from error


def _await_available(region: CacheRegion) -> None:
    def all_available() -> bool:
        statuses = {group.record.identifier: group.record.status for group in region.groups()}
        failed = [name for name, status in statuses.items() if status is Status.CREATE_FAILED]
        if failed:
            raise NotKeptError(f"the cache {failed[0]} in {region.name} failed.")
        return all(status is Status.AVAILABLE for status in statuses.values())

    wait_until(all_available, what=f"caches in {region.name}", within=_THERE_WITHIN, every=_POLL)
