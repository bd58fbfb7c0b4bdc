"""What load balancers need of the mirror: in which zone an address is, and a certificate for ACM's names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import pytest
from cryptography import x509

from drdrill.aws.errors import AwsError
from drdrill.mirror.authority import create_authority
from drdrill.mirror.load_balancers import AcmCertificates, RegionAddresses
from drdrill.mirror.network import RegionLayout

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.aws.upstream_client import UpstreamClient
    from drdrill.mirror.kubernetes.clusters import Clusters
    from drdrill.mirror.network import Network

LAYOUT = RegionLayout("eu-west-1", ("eu-west-1a", "eu-west-1b"))


@dataclass
class Here:
    """A host, by its zone."""

    zone: str


@dataclass
class Node:
    """A node with a range of pods."""

    pods: str
    host: Here


@dataclass
class Cluster:
    """A cluster of one node."""

    region: str

    def nodes(self) -> tuple[Node, ...]:
        """Return it."""
        return (Node("10.20.128.0/25", Here("eu-west-1b")),)


class World:
    """Two zones, and a cluster in each of two regions."""

    def range_of(self, zone: str) -> str:
        """Return a zone's range."""
        return f"10.20.{LAYOUT.zones.index(zone)}.0/24"

    def all(self) -> tuple[Cluster, ...]:
        """Return the clusters: of the other region first, whose pods have the same addresses here."""
        return Cluster("eu-central-1"), Cluster("eu-west-1")


@dataclass
class Acm:
    """ACM with one certificate."""

    status: str = "ISSUED"

    def call(self, service: str, operation: str, /, **parameters: object) -> dict[str, Any]:
        """Describe it."""
        assert (service, operation) == ("acm", "DescribeCertificate")
        if parameters["CertificateArn"] != "arn:known":
            raise AwsError("ResourceNotFoundException", "none")
        names = {"DomainName": "example.com", "SubjectAlternativeNames": ["example.com", "*.example.com"]}
        return {"Certificate": {**names, "Status": self.status}}


@pytest.mark.parametrize(
    ("address", "zone"),
    [("10.20.1.7", "eu-west-1b"), ("10.20.128.9", "eu-west-1b"), ("10.20.200.1", None)],
)
def test_zones_of_addresses(address: str, zone: str | None) -> None:
    """A host is in its zone, a pod in its node's, and nobody knows of other addresses."""
    world = World()
    addresses = RegionAddresses(cast("Network", world), LAYOUT, cast("Clusters", world))
    assert addresses.find_zone(address) == zone


def test_certificates(tmp_path: Path) -> None:
    """A certificate is for the names that ACM's is for, and from the mirror's authority; none for one not issued."""
    create_authority(tmp_path / "authority.pem", tmp_path)
    found = AcmCertificates(cast("UpstreamClient", Acm()), tmp_path).find("arn:known")
    assert found is not None
    certificate = x509.load_pem_x509_certificate(found.chain.encode("ascii"))
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["example.com", "*.example.com"]
    assert certificate.not_valid_after_utc > datetime.now(UTC)
    assert found.key not in repr(found)
    assert AcmCertificates(cast("UpstreamClient", Acm()), tmp_path).find("arn:other") is None
    pending = Acm("PENDING_VALIDATION")
    assert AcmCertificates(cast("UpstreamClient", pending), tmp_path).find("arn:known") is None
