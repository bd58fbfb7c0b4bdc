"""Route 53 in the world: control plane, health checkers and the DNS server, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.aws.route53 import ControlPlane
from drdrill.mirror.health_checkers import InternetCheckers
from drdrill.mirror.network import DNS_ADDRESS

if TYPE_CHECKING:
    from drdrill.core.clock import Clock
    from drdrill.dataplane.dns import DnsServer
    from drdrill.mirror.directory import MirrorDirectory
    from drdrill.mirror.network import Network


def open_route53(
    network: Network, names: DnsServer, directory: MirrorDirectory, clock: Clock
) -> ControlPlane:
    """Return the control plane with the data plane behind it.

    Users of the internet are nearest to the first region, and a region's hosts to their own: modelled, for latency.
    """
    checkers = InternetCheckers(network, directory.logs)
    plane = ControlPlane(names, checkers, clock, server=DNS_ADDRESS)
    checkers.on_look, checkers.on_loss = plane.board.observe, plane.board.lose
    checkers.on_return = plane.board.expect
    places = {network.range_of(zone): layout.name for layout in network.regions for zone in layout.networks}
    names.locate(places, [layout.name for layout in network.regions])
    return plane
