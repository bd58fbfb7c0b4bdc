"""Route 53 in the world: control plane, health checkers and the DNS server, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.aws.route53 import REGION, ControlPlane, Route53Service
from drdrill.mirror.health_checkers import InternetCheckers
from drdrill.mirror.network import DNS_ADDRESS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drdrill.aws.gate import Service
    from drdrill.core.clock import Clock
    from drdrill.dataplane.dns import DnsServer
    from drdrill.mirror.directory import MirrorDirectory
    from drdrill.mirror.network import Network


def open_route53(
    network: Network, names: DnsServer, directory: MirrorDirectory, clock: Clock
) -> Mapping[tuple[str, str], Service]:
    """Return the service, at its place among the regions, with the data plane behind it.

    Users of the internet are nearest to the first region, and a region's hosts to their own: modelled, for latency.
    """
    checkers = InternetCheckers(network, directory.logs)
    plane = ControlPlane(names, checkers, clock)
    checkers.on_look, checkers.on_loss = plane.board.observe, plane.board.lose
    places = {network.range_of(zone): layout.name for layout in network.regions for zone in layout.networks}
    names.locate(places, [layout.name for layout in network.regions])
    return {(REGION, "route53"): Route53Service(plane, DNS_ADDRESS)}
