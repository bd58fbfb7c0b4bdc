"""What Elastic Load Balancing keeps: everything that its API was told, but for targets.

Targets are instances and addresses of one mirror: whoever registers them there does so in another one as well.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from drdrill.aws.elbv2.model import Phase
from drdrill.aws.errors import AwsError
from drdrill.aws.keeping import NotKeptError
from drdrill.core.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from drdrill.aws.elbv2.model import Listener, LoadBalancer, Rule, TargetGroup
    from drdrill.aws.elbv2.region import ElbRegion
    from drdrill.aws.tagging import Tags

_THERE_WITHIN = timedelta(minutes=1)  # measured 1 s
_POLL = timedelta(milliseconds=50)


@dataclass(frozen=True, slots=True)
class KeptRegion:
    """What is known in one region."""

    balancers: tuple[LoadBalancer, ...]
    groups: tuple[TargetGroup, ...]
    listeners: tuple[Listener, ...]
    rules: tuple[Rule, ...]
    tags: Mapping[str, Tags]


class ElbKeeper:
    """Keeps the load balancers of these regions. Implements `drdrill.aws.keeping.Keeper`."""

    name = "elbv2"
    after = ("delegated",)  # certificates

    def __init__(self, regions: Mapping[str, ElbRegion]) -> None:
        self._regions = regions

    def keep(self, _: Path, /) -> Mapping[str, KeptRegion]:
        """Return what is known once every node answers."""
        self._await_active()
        return {name: _keep(region) for name, region in self._regions.items()}

    def restore(self, kept: Mapping[str, KeptRegion], _: Path, /) -> None:
        """Make all load balancers again; returns when every node answers."""
        for name, one in kept.items():
            region, records = self._regions[name], self._regions[name].records
            try:
                region.require_certificates(tuple(arn for each in one.listeners for arn in each.certificates))
            except AwsError as error:
                raise NotKeptError(f"load balancers in {name}: {error}") from error
            with records.lock:
                records.groups.update({each.arn: each for each in one.groups})
                records.listeners.update({each.arn: each for each in one.listeners})
                records.rules.update({each.arn: each for each in one.rules})
                records.tags.update(one.tags)
                for balancer in one.balancers:
                    region.add(balancer)
        self._await_active()

    def _await_active(self) -> None:
        wait_until(self._all_active, what="active load balancers", within=_THERE_WITHIN, every=_POLL)

    def _all_active(self) -> bool:
        return all(
            region.phase_of(balancer) is Phase.ACTIVE
            for region in self._regions.values()
            for balancer in tuple(region.records.balancers.values())
        )


def _keep(region: ElbRegion) -> KeptRegion:
    records = region.records
    with records.lock:
        return KeptRegion(
            tuple(records.balancers.values()),
            tuple(replace(group, targets=()) for group in records.groups.values()),
            tuple(records.listeners.values()),
            tuple(records.rules.values()),
            dict(records.tags),
        )
