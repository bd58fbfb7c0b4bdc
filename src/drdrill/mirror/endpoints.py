"""AWS's endpoints in the world: one address per region and service, under AWS's real names, with TLS; the gate behind.

Global services have their control planes in us-east-1, as in reality: lost with it where the mirror has that region,
and apart from all of its regions otherwise. Names that belong to no service of the mirror lead to the gate as well, so
that whoever asks hears which operation is not there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from drdrill.mirror.authority import serve_any_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from wsgiref.types import WSGIApplication

    from drdrill.dataplane.dns import DnsServer
    from drdrill.mirror.network import Network

_SERVICE_NUMBERS = {
    "rds": 10,
    "monitoring": 11,
    "sts": 12,
    "eks": 13,
    "ec2": 14,
    "autoscaling": 15,
    "elasticloadbalancing": 16,
    "apigateway": 17,
    "elasticache": 18,
    "s3": 19,
    "secretsmanager": 20,
    "ssm": 21,
    "kms": 22,
    "sns": 23,
    "sqs": 24,
    "dynamodb": 25,
    "logs": 26,
}
_BUCKETS = "s3"  # whose names may stand before the service's
_ANY_SERVICE = 1  # answers for all services that are not implemented, so that they say so
_GLOBAL = 2
_GLOBAL_REGION = "us-east-1"
_DOMAINS = ("amazonaws.com", "api.aws")  # the second one: endpoints that speak IPv6, too
# What stands below these is the name of a database or of a cluster, or nothing.
_OWN_NAMES = ("rds.amazonaws.com", "eks.amazonaws.com", "elb.amazonaws.com", "cache.amazonaws.com")
_OWN_REGIONAL_NAMES = ("elb", "execute-api")  # of a region: network load balancers, APIs
_TTL_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What stands at an address: a service of a region, as signatures name it, or several under one word."""

    region: str
    service: str


def open_endpoints(
    network: Network, names: DnsServer, secrets: Path, gate: WSGIApplication
) -> Mapping[str, Endpoint]:
    """Publish all names, serve the gate behind their addresses, and say what stands at each of these."""
    from drdrill.mirror.gate_server import serve  # noqa: PLC0415  (80 ms, while the hosts boot)

    serve(gate, serve_any_name(secrets, otherwise=_DOMAINS[0]))
    endpoints = {}
    for address, endpoint, called in _assign_addresses(network):
        endpoints[address] = endpoint
        for name in called:
            names.publish(name, [address], ttl_seconds=_TTL_SECONDS)
    return endpoints


def _assign_addresses(network: Network) -> Iterator[tuple[str, Endpoint, Sequence[str]]]:
    """Yield every address with its names; a wildcard stands for names of several labels, such as a bucket's."""
    (everywhere,) = network.add_endpoints(_GLOBAL_REGION, [_GLOBAL])
    called = [*(f"*.{domain}" for domain in _DOMAINS), *_OWN_NAMES]
    yield everywhere, Endpoint(_GLOBAL_REGION, "a global service"), called
    for layout in network.regions:
        suffixes = [f"{layout.name}.{domain}" for domain in _DOMAINS]
        anything, *addresses = network.add_endpoints(layout.name, [_ANY_SERVICE, *_SERVICE_NUMBERS.values()])
        called = [f"*.{suffix}" for suffix in suffixes]
        called += [f"{kind}.{layout.name}.amazonaws.com" for kind in _OWN_REGIONAL_NAMES]
        yield anything, Endpoint(layout.name, "another service"), called
        for service, address in zip(_SERVICE_NUMBERS, addresses, strict=True):
            called = [f"{service}.{suffix}" for suffix in suffixes]
            if service == _BUCKETS:
                called += [f"*.{name}" for name in called]
            yield address, Endpoint(layout.name, service), called
