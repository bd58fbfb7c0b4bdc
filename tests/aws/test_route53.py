"""Route 53's zones and records as boto3 sees them: records lead where a batch of changes says, all of it or nothing."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, WaiterError
from dnslib import RCODE

from drdrill.aws.keeping import NotKeptError
from drdrill.aws.route53.keeping import Route53Keeper
from tests.aws.route53_world import SERVER, ZONE, Route53World, record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BALANCER = "shop-1234567890.eu-west-1.elb.amazonaws.com"
BALANCERS_ZONE = "Z32O12XQLNTSW2"  # of load balancers in eu-west-1


@pytest.fixture
def world() -> Route53World:
    """Return Route 53 over a DNS server that answers."""
    return Route53World()


@pytest.fixture
def zone(world: Route53World) -> str:
    """Return the id of a new zone."""
    return world.make_zone()


def _error(refused: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    answer = refused.value.response
    return str(answer["Error"]["Code"]), int(answer["ResponseMetadata"]["HTTPStatusCode"])


def test_a_new_zone(world: Route53World, zone: str) -> None:
    """A zone has an SOA and an NS record, four name servers in four domains that are there, and answers with both."""
    got = world.client.get_hosted_zone(Id=zone)
    servers = got["DelegationSet"]["NameServers"]
    assert [server.partition(".awsdns-")[2].partition(".")[2] for server in servers] == [
        "com",
        "net",
        "org",
        "co.uk",
    ]
    assert (got["HostedZone"]["Name"], got["HostedZone"]["ResourceRecordSetCount"]) == (f"{ZONE}.", 2)
    listed = world.client.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    assert [(one["Type"], one["TTL"]) for one in listed] == [("NS", 172_800), ("SOA", 900)]
    assert world.names.values(ZONE, "NS") == [f"{server}." for server in servers]
    assert world.names.values(servers[0]) == [SERVER]
    assert world.names.values(ZONE, "SOA")[0].startswith(f"{servers[0]}. awsdns-hostmaster.amazon.com.")


def test_a_record_is_pointed_elsewhere(world: Route53World, zone: str) -> None:
    """An UPSERT makes a record, another one replaces it, and the SDK's waiter sees the change in sync."""
    name = f"db.{ZONE}"
    world.change(zone, ("UPSERT", record(name, "CNAME", "db.example.net")))
    changed = world.change(zone, ("UPSERT", record(name, "CNAME", "other.example.net.")))
    world.client.get_waiter("resource_record_sets_changed").wait(Id=changed["ChangeInfo"]["Id"])
    assert world.names.values(name, "CNAME") == ["other.example.net."]
    page = world.client.list_resource_record_sets(HostedZoneId=zone, StartRecordName=name)
    assert page["ResourceRecordSets"] == [
        {"Name": f"{name}.", "Type": "CNAME", "TTL": 30, "ResourceRecords": [{"Value": "other.example.net."}]}
    ]


def test_a_change_is_in_sync_when_it_is_answered(world: Route53World, zone: str) -> None:
    """A change is PENDING until the DNS server answers with it, and stays so when that one is gone."""
    world.holding = True
    change = world.change(zone, ("CREATE", record()))["ChangeInfo"]
    assert (change["Status"], world.names.ask(f"x.{ZONE}").header.rcode) == ("PENDING", RCODE.NXDOMAIN)
    with pytest.raises(WaiterError):
        world.client.get_waiter("resource_record_sets_changed").wait(
            Id=change["Id"], WaiterConfig={"MaxAttempts": 1}
        )
    world.held.pop(0)()
    assert world.client.get_change(Id=change["Id"])["ChangeInfo"]["Status"] == "INSYNC"
    assert world.names.values(f"x.{ZONE}") == ["192.0.2.1"]
    world.names.dead, world.holding = True, False
    lost = world.change(zone, ("DELETE", record()))["ChangeInfo"]
    assert world.client.get_change(Id=lost["Id"])["ChangeInfo"]["Status"] == "PENDING"


def test_zones_are_listed(world: Route53World) -> None:
    """Zones are listed by page in the order in which they were made, or from a name on in the order of names."""
    made = [world.make_zone(name) for name in ("b.example", "a.example", "c.test")]
    listed = world.client.get_paginator("list_hosted_zones").paginate(PaginationConfig={"PageSize": 2})
    pages = [[zone["Id"] for zone in page["HostedZones"]] for page in listed]
    assert pages == [made[:2], made[2:]]
    by_name = world.client.list_hosted_zones_by_name(DNSName="b.example", MaxItems="1")
    assert [zone["Name"] for zone in by_name["HostedZones"]] == ["b.example."]
    assert (by_name["NextDNSName"], by_name["NextHostedZoneId"]) == ("c.test.", made[2].rpartition("/")[2])
    assert world.client.list_hosted_zones_by_name(DNSName="zzz")["HostedZones"] == []
    assert world.client.get_hosted_zone_count()["HostedZoneCount"] == 3


def test_records_are_listed_in_order(world: Route53World, zone: str) -> None:
    r"""Records are listed by their names' labels, the last one first, then by type and identifier; `*` is `\052`."""
    weighted = [("CREATE", record(f"w.{ZONE}", SetIdentifier=one, Weight=1)) for one in ("b", "a")]
    plain = [("CREATE", record(f"{name}.{ZONE}", kind, value)) for name, kind, value in (
        ("z", "A", "192.0.2.1"), ("a.b", "TXT", '"x"'), ("a.b", "A", "192.0.2.1"), ("*", "A", "192.0.2.1"),
    )]  # fmt: skip
    world.change(zone, *weighted, *plain)
    pages = world.client.get_paginator("list_resource_record_sets").paginate(
        HostedZoneId=zone, PaginationConfig={"PageSize": 3}
    )
    listed = [
        [(r["Name"], r["Type"], r.get("SetIdentifier")) for r in page["ResourceRecordSets"]] for page in pages
    ]
    assert listed == [
        [(f"{ZONE}.", "NS", None), (f"{ZONE}.", "SOA", None), (f"\\052.{ZONE}.", "A", None)],
        [(f"a.b.{ZONE}.", "A", None), (f"a.b.{ZONE}.", "TXT", None), (f"w.{ZONE}.", "A", "a")],
        [(f"w.{ZONE}.", "A", "b"), (f"z.{ZONE}.", "A", None)],
    ]
    assert world.names.values(f"anything.{ZONE}") == ["192.0.2.1"]


def test_a_zone_with_records_stays(world: Route53World, zone: str) -> None:
    """A zone is deleted only when it has nothing but its NS and SOA records, which cannot be deleted themselves."""
    world.change(zone, ("CREATE", record()))
    with pytest.raises(ClientError) as refused:
        world.client.delete_hosted_zone(Id=zone)
    assert _error(refused) == ("HostedZoneNotEmpty", 400)
    (servers, authority) = world.client.list_resource_record_sets(HostedZoneId=zone, MaxItems="2")[
        "ResourceRecordSets"
    ]
    for one, words in ((servers, "at least one NS record"), (authority, "exactly one SOA record")):
        with pytest.raises(ClientError, match=words):
            world.change(zone, ("DELETE", one))
    world.change(zone, ("DELETE", record()))
    world.client.delete_hosted_zone(Id=zone)
    assert world.names.ask(ZONE, "SOA").header.rcode == RCODE.NXDOMAIN
    with pytest.raises(world.client.exceptions.NoSuchHostedZone):
        world.client.get_hosted_zone(Id=zone)


def test_a_delete_says_exactly_what_is_there(world: Route53World, zone: str) -> None:
    """A DELETE takes a record away if it says exactly what is there."""
    world.change(zone, ("CREATE", record()))
    for other in (record(ttl=31), record(f"x.{ZONE}", "A", "192.0.2.9")):
        with pytest.raises(ClientError, match="the values provided do not match the current values"):
            world.change(zone, ("DELETE", other))
    world.change(zone, ("DELETE", record()))
    assert world.names.ask(f"x.{ZONE}").header.rcode == RCODE.NXDOMAIN


def _alias(name: str, zone: str = BALANCERS_ZONE, **other: Any) -> dict[str, Any]:
    target = {"HostedZoneId": zone, "DNSName": name, "EvaluateTargetHealth": True}
    return record(AliasTarget=target, **other)


def _weighted(identifier: str, **other: Any) -> dict[str, Any]:
    return record(SetIdentifier=identifier, **(other or {"Weight": 1}))


INVALID_BATCHES: list[tuple[list[tuple[str, dict[str, Any]]], str]] = [
    ([("DELETE", record())], "Tried to delete resource record set .name='x.example.com.', type='A'. but it was not"),
    ([("CREATE", record()), ("CREATE", record())], "Tried to create resource record set .* but it already exists"),
    ([("CREATE", record("x.example.org"))], "is not permitted in zone example.com"),
    ([("CREATE", record(ZONE, "CNAME", "y.example.com"))], "is not permitted at apex"),
    ([("CREATE", record()), ("CREATE", record(f"x.{ZONE}", "CNAME", "y.test"))], "conflicting RRSet of type  A"),
    ([("CREATE", record()), ("CREATE", _weighted("a"))], "as other RRSets exist with the same name and type"),
    ([("CREATE", _weighted("a")), ("CREATE", _weighted("b", Region="eu-west-1"))], "because a non .* RRSet exists"),
    ([("CREATE", _weighted(one, Region="eu-west-1")) for one in "ab"], "because a latency RRSet with the same name"),
    ([("CREATE", _weighted(one, Failover="PRIMARY")) for one in "ab"], "because a failover RRSet with the same name"),
    ([("CREATE", record(f"x.{ZONE}", "A", "192.0.2"))], "ARRDATAIllegalIPv4Address"),
    ([("CREATE", record(f"x.{ZONE}", "A", "192.0.2.1", "192.0.2.1"))], "Duplicate Resource Record: '192.0.2.1'"),
    ([("CREATE", record(f"x.{ZONE}", "AAAA", "192.0.2.1"))], "AAAARRDATAIllegalIPv6Address"),
    ([("CREATE", record(f"x.{ZONE}", "TXT", "bare"))], "should be enclosed in quotation marks"),
    ([("CREATE", record(f"x.{ZONE}", "MX", "mail.example.com"))], "MXRRDATANotSpaceSeparated"),
    ([("CREATE", record(f"x.{ZONE}", "CNAME", "a b"))], "DomainNameIllegal"),
    ([("CREATE", _alias(BALANCER, "Z215JYRZR1TBD5"))],
     f"targets {BALANCER}., type A in zone Z215JYRZR1TBD5, but the alias target name does not lie within the target"),
    ([("CREATE", _alias(f"dualstack.{BALANCER}"))], "but that target was not found"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "words"), INVALID_BATCHES)
def test_a_batch_is_all_or_nothing(
    world: Route53World, zone: str, *, changes: list[tuple[str, dict[str, Any]]], words: str
) -> None:
    """What cannot be is refused in AWS's words, and nothing else of the batch is done.

    https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html
    """
    with pytest.raises(ClientError, match=words) as refused:
        world.change(zone, ("CREATE", record(f"good.{ZONE}")), *changes)
    assert _error(refused) == ("InvalidChangeBatch", 400)
    assert len(world.client.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]) == 2
    assert world.names.ask(f"good.{ZONE}").header.rcode == RCODE.NXDOMAIN


INVALID_INPUTS: list[tuple[dict[str, Any], str]] = [
    (record(Weight=1), "Missing field 'SetIdentifier' in Change with"),
    (record(SetIdentifier="a"), "but found none in Change with .Action=CREATE, Name=x.example.com."),
    (record(SetIdentifier="a", Weight=1, Region="eu-west-1"), "but found more than one"),
    (record(SetIdentifier="a", Weight=256), "Weight must be from 0 to 255"),
    ({"Name": f"x.{ZONE}", "Type": "A", "TTL": 30}, "Expected exactly one of .AliasTarget"),
    (
        {**_alias(BALANCER), "TTL": 30, "ResourceRecords": [{"Value": "192.0.2.1"}]},
        "Expected exactly one of .Alias",
    ),
    (_alias(BALANCER, SetIdentifier="a", MultiValueAnswer=True), "MultiValueAnswer cannot be combined"),
    (record(f"\\089.{ZONE}"), "escape codes are those from"),
    (record(f"\\777.{ZONE}"), "escape codes are those from"),
]


@pytest.mark.parametrize(("wrong", "words"), INVALID_INPUTS)
def test_what_no_record_can_be(world: Route53World, zone: str, *, wrong: dict[str, Any], words: str) -> None:
    """A record set that is none is `InvalidInput`, in AWS's words.

    https://docs.aws.amazon.com/Route53/latest/APIReference/API_ResourceRecordSet.html
    """
    with pytest.raises(ClientError, match=words) as refused:
        world.change(zone, ("CREATE", wrong))
    assert _error(refused) == ("InvalidInput", 400)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (record(SetIdentifier="a", GeoLocation={"CountryCode": "GR"}), "The member GeoLocation"),
        (record(f"x.{ZONE}", "NAPTR", '1 1 "" "" "" x.'), "the type NAPTR"),
    ],
)  # fmt: skip
def test_what_the_mirror_cannot_do(
    world: Route53World, zone: str, *, wrong: dict[str, Any], words: str
) -> None:
    """What AWS can do and the mirror cannot is refused by name, and nothing is done."""
    with pytest.raises(ClientError, match=words) as refused:
        world.change(zone, ("CREATE", wrong))
    assert _error(refused) == ("NotImplemented", 501)


def test_an_alias_to_a_load_balancer(world: Route53World, zone: str) -> None:
    """An alias names a load balancer that is there, and the hosted zone of its region; it answers with its addresses.

    https://docs.aws.amazon.com/Route53/latest/APIReference/API_AliasTarget.html
    """
    world.names.publish(BALANCER, ("10.20.0.10", "10.20.1.10"), ttl_seconds=60)
    world.change(zone, ("CREATE", _alias(f"dualstack.{BALANCER}")))
    assert world.names.values(f"x.{ZONE}") == ["10.20.0.10", "10.20.1.10"]
    page = world.client.list_resource_record_sets(HostedZoneId=zone, StartRecordName=f"x.{ZONE}")
    assert page["ResourceRecordSets"][0]["AliasTarget"] == {
        "HostedZoneId": BALANCERS_ZONE, "DNSName": f"dualstack.{BALANCER}.", "EvaluateTargetHealth": True,
    }  # fmt: skip


def test_an_alias_in_its_zone(world: Route53World, zone: str) -> None:
    """An alias to another record of its zone needs that one to be there, with its type.

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resource-record-sets-values-alias-common.html
    """
    identifier = zone.rpartition("/")[2]
    with pytest.raises(ClientError, match="but that target was not found"):
        world.change(zone, ("CREATE", _alias(f"target.{ZONE}", identifier)))
    world.change(zone, ("CREATE", record(f"target.{ZONE}")), ("CREATE", _alias(f"target.{ZONE}", identifier)))
    assert world.names.values(f"x.{ZONE}") == ["192.0.2.1"]


def test_an_alias_to_a_name_like_a_load_balancers(world: Route53World, zone: str) -> None:
    """In one's own zone `dualstack.` is a part of a name as any other."""
    target = f"dualstack.{ZONE}"
    world.change(zone, ("CREATE", record(target)), ("CREATE", _alias(target, zone.rpartition("/")[2])))
    assert world.names.values(f"x.{ZONE}") == ["192.0.2.1"]


def test_a_zones_name_that_cannot_be(world: Route53World) -> None:
    """An escape code that is none makes a name that no zone can have.

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html
    """
    for name in ("a\\089.example.com", "a..example.com"):
        with pytest.raises(ClientError) as refused:
            world.make_zone(name)
        assert _error(refused) == ("InvalidDomainName", 400)


def test_policies_answer(world: Route53World, zone: str) -> None:
    """Weighted records of several identifiers stand side by side, and are changed one by one."""
    for identifier, weight, address in (("a", 1, "192.0.2.1"), ("b", 0, "192.0.2.2")):
        one = record(f"x.{ZONE}", "A", address, SetIdentifier=identifier, Weight=weight)
        world.change(zone, ("CREATE", one))
    assert {world.names.values(f"x.{ZONE}")[0] for _ in range(20)} == {"192.0.2.1"}
    world.change(zone, *(
        ("UPSERT", record(f"x.{ZONE}", "A", address, SetIdentifier=identifier, Weight=weight))
        for identifier, weight, address in (("a", 0, "192.0.2.1"), ("b", 1, "192.0.2.2"))
    ))  # fmt: skip
    assert {world.names.values(f"x.{ZONE}")[0] for _ in range(20)} == {"192.0.2.2"}


def test_what_is_not_there(world: Route53World, zone: str) -> None:
    """Unknown zones, changes and checks are AWS's own errors."""
    calls: list[tuple[str, Callable[[], object]]] = [
        ("NoSuchHostedZone", lambda: world.client.list_resource_record_sets(HostedZoneId="Z0")),
        ("NoSuchHostedZone", lambda: world.client.delete_hosted_zone(Id="Z0")),
        ("NoSuchChange", lambda: world.client.get_change(Id="C0")),
        ("NoSuchHealthCheck", lambda: world.client.get_health_check(HealthCheckId="h")),
        ("NoSuchHealthCheck", lambda: world.change(zone, ("CREATE", record(HealthCheckId="h")))),
    ]
    for code, call in calls:
        with pytest.raises(ClientError) as refused:
            call()
        assert _error(refused) == (code, 404)


def test_zones_that_cannot_be(world: Route53World, zone: str) -> None:
    """A reference is used once; names are domain names; private zones are refused, naming what is missing."""
    with pytest.raises(ClientError) as refused:
        world.make_zone("other.example", reference=ZONE)
    assert _error(refused) == ("HostedZoneAlreadyExists", 409)
    with pytest.raises(ClientError) as refused:
        world.make_zone("a..example")
    assert _error(refused) == ("InvalidDomainName", 400)
    vpc = {"VPCRegion": "eu-west-1", "VPCId": "vpc-1"}
    with pytest.raises(ClientError, match="VPC") as refused:
        world.client.create_hosted_zone(Name="p.example", CallerReference="p", VPC=vpc)
    assert _error(refused) == ("NotImplemented", 501)
    assert len(world.client.list_hosted_zones()["HostedZones"]) == len([zone])


def test_comments_and_tags(world: Route53World, zone: str) -> None:
    """A zone has a comment that can be changed, and tags that can be listed alone and for several at once."""
    described = world.client.update_hosted_zone_comment(Id=zone, Comment="shop")["HostedZone"]
    assert described["Config"] == {"Comment": "shop", "PrivateZone": False}
    identifier = zone.rpartition("/")[2]
    tags = [{"Key": "team", "Value": "till"}, {"Key": "old", "Value": ""}]
    world.client.change_tags_for_resource(ResourceType="hostedzone", ResourceId=identifier, AddTags=tags)
    world.client.change_tags_for_resource(
        ResourceType="hostedzone", ResourceId=identifier, RemoveTagKeys=["old"]
    )
    listed = world.client.list_tags_for_resources(ResourceType="hostedzone", ResourceIds=[identifier])
    assert listed["ResourceTagSets"] == [
        world.client.list_tags_for_resource(ResourceType="hostedzone", ResourceId=identifier)[
            "ResourceTagSet"
        ]
    ]
    assert listed["ResourceTagSets"][0]["Tags"] == tags[:1]


def test_what_is_kept_is_answered_again(world: Route53World, zone: str, tmp_path: Path) -> None:
    """Zones that were kept have their ids, servers, records and checks in another mirror, and are answered there."""
    check = world.make_check()
    world.change(zone, ("CREATE", record(f"x.{ZONE}", SetIdentifier="a", Weight=1, HealthCheckId=check)))
    tags = [{"Key": "team", "Value": "till"}]
    world.client.change_tags_for_resource(ResourceType="healthcheck", ResourceId=check, AddTags=tags)
    described = world.client.get_hosted_zone(Id=zone)
    kept = pickle.dumps(Route53Keeper(world.plane).keep(tmp_path))
    other = Route53World()
    Route53Keeper(other.plane).restore(pickle.loads(kept), tmp_path)  # noqa: S301 (our own)
    again = other.client.get_hosted_zone(Id=zone)
    assert [again[name] for name in ("HostedZone", "DelegationSet")] == [
        described[name] for name in ("HostedZone", "DelegationSet")
    ]
    assert other.names.values(f"x.{ZONE}") == ["192.0.2.1"]
    assert check in other.checkers.watched
    listed = other.client.list_tags_for_resource(ResourceType="healthcheck", ResourceId=check)
    assert listed["ResourceTagSet"]["Tags"] == tags


def test_nothing_is_kept_of_what_is_pending(world: Route53World, zone: str, tmp_path: Path) -> None:
    """A change that the DNS server does not answer with yet is not kept as if it did."""
    world.holding = True
    world.change(zone, ("CREATE", record()))
    with pytest.raises(NotKeptError, match="pending"):
        Route53Keeper(world.plane).keep(tmp_path)
