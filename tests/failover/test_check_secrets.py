"""Secrets, keys and the certificate of the recovery region: made independent once, and looked at."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from failover._notes import Notes
from failover._places import Places
from failover.check_secrets import KEYS, SECRETS, detach, observe
from tests.failover.fake_clients import FakeClient, refusal

if TYPE_CHECKING:
    from pathlib import Path

HERE, THERE, NAME = "eu-central-1", "eu-west-1", "api.meqenet.et"
PLACES = Places(primary=THERE, recovery=HERE, domain="meqenet.et")


@dataclass
class Cloud(FakeClient):
    """Secrets Manager, KMS and ACM of the recovery region."""

    sources: dict[str, str] = field(default_factory=lambda: dict.fromkeys(SECRETS, THERE))
    unreadable: str = ""
    keys: dict[str, str] = field(default_factory=lambda: dict.fromkeys(KEYS, "Enabled"))
    certificates: dict[str, str] = field(default_factory=lambda: {NAME: "ISSUED", "other": "EXPIRED"})
    refuses: ClientError | None = None

    def describe_secret(self, SecretId: str) -> dict[str, Any]:  # noqa: N803
        """Answer as Secrets Manager does."""
        return {"PrimaryRegion": self.sources[SecretId]}

    def stop_replication_to_replica(self, SecretId: str) -> None:  # noqa: N803
        """Make a replica a secret of its own."""
        if self.refuses is not None:
            raise self.refuses
        self.changes.append(SecretId)
        self.sources[SecretId] = HERE

    def get_secret_value(self, SecretId: str) -> dict[str, str]:  # noqa: N803
        """Answer as Secrets Manager does."""
        if SecretId == self.unreadable:
            raise refusal("ResourceNotFoundException", "GetSecretValue")
        return {"SecretString": "{}"}

    def describe_key(self, KeyId: str) -> dict[str, Any]:  # noqa: N803
        """Answer as KMS does."""
        if KeyId not in self.keys:
            raise refusal("NotFoundException", "DescribeKey")
        return {"KeyMetadata": {"KeyState": self.keys[KeyId]}}

    def list_certificates(self, **_: object) -> dict[str, Any]:
        """Answer as ACM does."""
        listed = [{"CertificateArn": one, "DomainName": one} for one in self.certificates]
        return {"CertificateSummaryList": listed}

    def describe_certificate(self, CertificateArn: str) -> dict[str, Any]:  # noqa: N803
        """Answer as ACM does."""
        return {"Certificate": {"Status": self.certificates[CertificateArn]}}


def _observe(cloud: Cloud, notes: Notes) -> list[str]:
    return observe(cloud, cloud, cloud, PLACES, notes)


def test_secrets_are_made_independent_once(tmp_path: Path) -> None:
    """They are replicas before, and their own after; the second time there is nothing to do."""
    cloud, notes = Cloud(), Notes(tmp_path)
    replica = "is a replica of that in eu-west-1, and cannot be changed here."
    assert _observe(cloud, notes) == [f"The secret {name} {replica}" for name in SECRETS]
    detach(cloud, HERE, notes)
    detach(cloud, HERE, notes)
    assert cloud.changes == list(SECRETS)
    assert _observe(cloud, notes) == []


@pytest.mark.parametrize("error", [refusal("NotImplemented"), refusal("Whatever", status=501)])
def test_where_that_cannot_be_done_it_is_said(
    error: ClientError, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A replica is enough for services to run, and no secret of its own is claimed."""
    cloud, notes = Cloud(refuses=error), Notes(tmp_path)
    detach(cloud, HERE, notes)
    said = [json.loads(line)["what"] for line in capsys.readouterr().out.splitlines()]
    assert said == ["stays a replica: it can be read, and not changed"] * 2
    assert _observe(cloud, notes) == []


def test_a_refusal_is_raised(tmp_path: Path) -> None:
    """Whoever is not allowed to do it has to know."""
    with pytest.raises(ClientError, match="AccessDenied"):
        detach(Cloud(refuses=refusal("AccessDeniedException")), HERE, Notes(tmp_path))


@pytest.mark.parametrize(
    ("cloud", "says"),
    [
        (Cloud(unreadable=SECRETS[1]), f"The secret {SECRETS[1]} cannot be read: ResourceNotFoundException"),
        (Cloud(keys=dict.fromkeys(KEYS[1:], "Enabled")), f"The key {KEYS[0]} cannot be found"),
        (
            Cloud(keys={**dict.fromkeys(KEYS, "Enabled"), KEYS[2]: "Disabled"}),
            f"The key {KEYS[2]} is Disabled",
        ),
        (Cloud(certificates={NAME: "PENDING_VALIDATION"}), f"of {NAME} is PENDING_VALIDATION"),
        (Cloud(certificates={}), f"of {NAME} is not there"),
    ],
)
def test_what_is_missing_is_said(cloud: Cloud, says: str, tmp_path: Path) -> None:
    """By its name, with what it is instead."""
    notes = Notes(tmp_path)
    detach(cloud, HERE, notes)
    (missing,) = _observe(cloud, notes)
    assert says in missing
