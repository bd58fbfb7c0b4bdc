"""Elastic Load Balancing and API Gateway in every region: proxies on the mirror's hosts, its own certificates."""

from __future__ import annotations

import ipaddress
from functools import cache, cached_property
from typing import TYPE_CHECKING

from drdrill.aws.apigatewayv2 import GatewayRegion, GatewayService
from drdrill.aws.ec2.security_groups import UpstreamSecurityGroups
from drdrill.aws.elbv2 import ElbRegion, ElbService, ElbSettings, EnvoyFleet
from drdrill.aws.errors import AwsError
from drdrill.aws.rds import ACCOUNT
from drdrill.aws.upstream_client import UpstreamClient
from drdrill.dataplane.envoy_configuration import Certificate
from drdrill.mirror.authority import read_authority
from drdrill.mirror.network import managed_zone

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from drdrill.aws.ec2 import Ec2Region
    from drdrill.aws.gate import Service
    from drdrill.aws.ports import TargetNames
    from drdrill.aws.upstream import Upstream
    from drdrill.core.clock import Clock
    from drdrill.mirror.directory import MirrorDirectory
    from drdrill.mirror.kubernetes.clusters import Clusters
    from drdrill.mirror.network import Network, RegionFleet, RegionLayout

SIGNED_AS = "elasticloadbalancing"
GATEWAY_SIGNED_AS = "apigateway"
_ISSUED = "ISSUED"
_read_network = cache(ipaddress.IPv4Network)  # asked for every target, some times a second


class RegionAddresses:
    """Which zone an address of a region is in: a host's, or a pod's by its node. Implements `Neighbourhood`."""

    def __init__(self, network: Network, layout: RegionLayout, clusters: Clusters) -> None:
        self._ranges = {zone: ipaddress.IPv4Network(network.range_of(zone)) for zone in layout.zones}
        self._region = layout.name
        self._clusters = clusters

    def find_zone(self, address: str, /) -> str | None:
        """Return the zone; None for an address that nobody in the region has."""
        parsed = ipaddress.IPv4Address(address)
        for zone, network in self._ranges.items():
            if parsed in network:
                return zone
        for cluster in self._clusters.all():
            for node in cluster.nodes() if cluster.region == self._region else ():
                if parsed in _read_network(node.pods):
                    return node.host.zone
        return None


class AcmCertificates:
    """Certificates as ACM has them, issued by the mirror's authority. Implements `Certificates`."""

    def __init__(self, acm: UpstreamClient, secrets: Path) -> None:
        self._acm = acm
        self._secrets = secrets

    def find(self, arn: str, /) -> Certificate | None:
        """Return a certificate for the names that ACM's has; None where ACM has none, or has not issued it."""
        try:
            said = self._acm.call("acm", "DescribeCertificate", CertificateArn=arn)["Certificate"]
        except AwsError:
            return None
        if said.get("Status") != _ISSUED:
            return None
        names = dict.fromkeys([said["DomainName"], *said.get("SubjectAlternativeNames", [])])
        return self._issue(*names)

    def issue(self, name: str, /) -> Certificate:
        """Return a certificate for one of AWS's own names."""
        return self._issue(name)

    @cached_property
    def authorities(self) -> str:
        """The certificate of the mirror's authority: nobody else issues any."""
        return read_authority(self._secrets).cert_pem.bytes().decode("ascii")

    def _issue(self, *names: str) -> Certificate:
        issued = read_authority(self._secrets).issue_cert(*names)
        chain = "".join(part.bytes().decode("ascii") for part in issued.cert_chain_pems)
        return Certificate(chain, issued.private_key_pem.bytes().decode("ascii"))


class LoadBalancers:
    """Both of all regions; `services` are for the gate."""

    def __init__(
        self,
        network: Network,
        fleets: Sequence[RegionFleet],
        clusters: Clusters,
        ec2: Mapping[str, Ec2Region],
        *,
        names: TargetNames,
        upstream: Upstream,
        directory: MirrorDirectory,
        clock: Clock,
    ) -> None:
        self.regions: dict[str, ElbRegion] = {}
        self.gateways: dict[str, GatewayRegion] = {}
        self.services: dict[tuple[str, str], Service] = {}
        layouts = {layout.name: layout for layout in network.regions}
        for fleet in fleets:
            name, nodes = fleet.region, EnvoyFleet(fleet, directory.logs)
            client = UpstreamClient(upstream, name)
            certificates = AcmCertificates(client, directory.secrets)
            balancers = self.regions[name] = ElbRegion(
                name,
                ACCOUNT,
                ec2=ec2[name],
                subnets=ec2[name].subnets,
                security_groups=UpstreamSecurityGroups(client),
                neighbourhood=RegionAddresses(network, layouts[name], clusters),
                certificates=certificates,
                fleet=nodes,
                names=names,
                settings=ElbSettings(),
                clock=clock,
            )
            gateway = self.gateways[name] = GatewayRegion(
                name,
                ACCOUNT,
                place=managed_zone(name),
                fleet=nodes,
                subnets=ec2[name].subnets,
                balancers=balancers,
                certificates=certificates,
                names=names,
                clock=clock,
            )
            self.services[name, SIGNED_AS] = ElbService(balancers)
            self.services[name, GATEWAY_SIGNED_AS] = GatewayService(gateway)
