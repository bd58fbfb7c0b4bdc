"""Choosing and opening a mirror's upstream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.aws.ec2 import make_zones
from drdrill.mirror.upstream.moto import MotoUpstream

if TYPE_CHECKING:
    from drdrill.aws.upstream import Upstream
    from drdrill.mirror.directory import MirrorDirectory
    from drdrill.mirror.network import Network


def open_upstream(network: Network, directory: MirrorDirectory, account: str) -> Upstream:
    """Return what answers for the services that are not the mirror's own; nothing is started."""
    zones = [
        zone
        for layout in network.regions
        for zone in make_zones(layout.name, {name: network.range_of(name) for name in layout.zones})
    ]
    return MotoUpstream(directory, account, zones)
