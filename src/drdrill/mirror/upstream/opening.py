"""Choosing and opening a mirror's upstream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.aws.ec2 import Networks, make_zones
from drdrill.aws.upstream_client import UpstreamClient
from drdrill.mirror.upstream.localstack import LocalStackUpstream
from drdrill.mirror.upstream.moto import MotoUpstream

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drdrill.aws.ec2 import Zone
    from drdrill.aws.upstream import Upstream
    from drdrill.mirror.directory import MirrorDirectory
    from drdrill.mirror.network import Network, RegionLayout


def open_upstream(network: Network, directory: MirrorDirectory, account: str, kind: str) -> Upstream:
    """Return what answers for the services that are not the mirror's own; nothing is started."""
    if kind == "localstack":
        return LocalStackUpstream(directory)
    zones = [zone for layout in network.regions for zone in _zones(network, layout)]
    return MotoUpstream(directory, account, zones)


def read_networks(network: Network, upstream: Upstream, account: str) -> Mapping[str, Networks]:
    """Return the networks of each region, as its EC2 describes them."""
    return {
        layout.name: Networks(_zones(network, layout), account, UpstreamClient(upstream, layout.name))
        for layout in network.regions
    }


def _zones(network: Network, layout: RegionLayout) -> tuple[Zone, ...]:
    return make_zones(layout.name, {name: network.range_of(name) for name in layout.zones})
