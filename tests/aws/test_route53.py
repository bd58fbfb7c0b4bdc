"""Route 53 as boto3 sees it: records lead where a batch of changes says, all of it or nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from drdrill.aws.route53 import Route53Service
from drdrill.aws.route53.api import REGION
from drdrill.core.clock import SystemClock
from tests.aws.sdk import Wire

if TYPE_CHECKING:
    from collections.abc import Sequence

ZONE = "example.com"
NAME = f"database.{ZONE}"


@dataclass
class Answers:
    """What a DNS server was told."""

    told: dict[str, object] = field(default_factory=dict)

    def publish(self, name: str, addresses: Sequence[str], *, ttl_seconds: int) -> None:
        """Note addresses."""
        self.told[name] = (tuple(addresses), ttl_seconds)

    def publish_alias(self, name: str, target: str, *, ttl_seconds: int) -> None:
        """Note another name."""
        self.told[name] = (target, ttl_seconds)

    def withdraw(self, name: str) -> None:
        """Forget a name."""
        del self.told[name]


@pytest.fixture
def answers() -> Answers:
    """Return a DNS server that only listens."""
    return Answers()


@pytest.fixture
def route53(answers: Answers) -> Any:
    """Return boto3's client."""
    return Wire({(REGION, "route53"): Route53Service(answers, SystemClock())}).client("route53")


@pytest.fixture
def zone(route53: Any) -> str:
    """Return the id of a new zone."""
    made = route53.create_hosted_zone(Name=ZONE, CallerReference="one")
    assert made["HostedZone"]["Name"] == f"{ZONE}."
    return str(made["HostedZone"]["Id"])


def _change(action: str, target: str = "db.example.net", **other: Any) -> dict[str, Any]:
    record = {"Name": NAME, "Type": "CNAME", "TTL": 30, "ResourceRecords": [{"Value": target}], **other}
    return {"Action": action, "ResourceRecordSet": record}


def _send(route53: Any, zone: str, *changes: dict[str, Any]) -> Any:
    return route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": list(changes)})


def test_a_record_is_pointed_elsewhere(route53: Any, zone: str, answers: Answers) -> None:
    """An UPSERT makes a record, another one replaces it, and the SDK's waiter sees the change in sync."""
    _send(route53, zone, _change("UPSERT"))
    changed = _send(route53, zone, _change("UPSERT", "other.example.net."))
    route53.get_waiter("resource_record_sets_changed").wait(Id=changed["ChangeInfo"]["Id"])
    assert answers.told == {NAME: ("other.example.net", 30)}
    (record,) = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    assert record == {
        "Name": f"{NAME}.",
        "Type": "CNAME",
        "TTL": 30,
        "ResourceRecords": [{"Value": "other.example.net."}],
    }


def test_zones_are_found_by_name(route53: Any, zone: str) -> None:
    """A zone is listed by its name, and none before it in the order of names."""
    listed = route53.list_hosted_zones_by_name(DNSName=ZONE, MaxItems="1")
    assert [one["Id"] for one in listed["HostedZones"]] == [zone]
    assert route53.list_hosted_zones_by_name(DNSName="example.org")["HostedZones"] == []


def test_a_deleted_record_answers_no_more(route53: Any, zone: str, answers: Answers) -> None:
    """A DELETE takes a record away if it says exactly what is there."""
    _send(route53, zone, _change("CREATE"))
    with pytest.raises(ClientError, match="do not match the current values"):
        _send(route53, zone, _change("DELETE", "wrong.example.net"))
    _send(route53, zone, _change("DELETE"))
    assert answers.told == {}


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (_change("DELETE"), "InvalidChangeBatch", "was not found"),
        (_change("CREATE", Name="database.example.org"), "InvalidChangeBatch", "not permitted in zone"),
        (_change("CREATE", Name=ZONE), "InvalidChangeBatch", "apex"),
        (_change("CREATE", Type="TXT"), "NotImplemented", "TXT"),
        (_change("CREATE", SetIdentifier="a", Weight=1), "NotImplemented", "SetIdentifier"),
    ],
)
def test_a_batch_is_all_or_nothing(
    route53: Any, zone: str, answers: Answers, *, change: dict[str, Any], code: str, words: str
) -> None:
    """What cannot be is refused in AWS's words, and nothing else of the batch is done."""
    good = _change("CREATE", Name=f"good.{ZONE}")
    with pytest.raises(ClientError, match=words) as refused:
        _send(route53, zone, good, change)
    assert refused.value.response["Error"]["Code"] == code
    assert answers.told == {}


def test_what_is_not_there(route53: Any) -> None:
    """Unknown zones and changes are AWS's own errors."""
    with pytest.raises(ClientError) as refused:
        route53.list_resource_record_sets(HostedZoneId="Z0")
    assert refused.value.response["Error"]["Code"] == "NoSuchHostedZone"
    with pytest.raises(ClientError) as refused:
        route53.get_change(Id="C0")
    assert refused.value.response["Error"]["Code"] == "NoSuchChange"
