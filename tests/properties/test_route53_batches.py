"""Whatever batches of changes are sent: each is done as a whole or not at all, and what is listed is answered."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.aws.route53_world import ZONE, Route53World

_ADDRESSES = ("192.0.2.1", "192.0.2.2")
_POLICIES: list[dict[str, Any]] = [
    {}, {}, {"SetIdentifier": "a", "Weight": 1}, {"SetIdentifier": "b", "Weight": 0},
    {"SetIdentifier": "a", "Failover": "PRIMARY"}, {"SetIdentifier": "b", "Failover": "SECONDARY"},
    {"SetIdentifier": "a", "Region": "eu-west-1"}, {"SetIdentifier": "b", "MultiValueAnswer": True},
]  # fmt: skip


@st.composite
def _records(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(["A", "A", "CNAME", "TXT"]))
    values = {"A": _ADDRESSES, "CNAME": (f"y.{ZONE}",), "TXT": ('"text"', "bare")}[kind]
    name = draw(st.sampled_from([f"x.{ZONE}", f"y.{ZONE}", ZONE, "x.example.org"]))
    return {
        "Name": name, "Type": kind, "TTL": 30, "ResourceRecords": [{"Value": draw(st.sampled_from(values))}],
        **draw(st.sampled_from(_POLICIES)),
    }  # fmt: skip


_changes = st.tuples(st.sampled_from(["CREATE", "UPSERT", "DELETE"]), _records())


def _read(world: Route53World, zone: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = world.client.list_resource_record_sets(HostedZoneId=zone)[
        "ResourceRecordSets"
    ]
    return listed


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(_changes, min_size=1, max_size=4), max_size=6))
def test_batches(batches: list[list[tuple[str, dict[str, Any]]]]) -> None:
    """A refused batch leaves all as it was; a name is answered with what one of its listed records says, or not."""
    world = Route53World()
    zone = world.make_zone()
    for batch in batches:
        before = _read(world, zone)
        status = _send(world, zone, batch)
        assert status in ("INSYNC", "InvalidChangeBatch")
        if status == "InvalidChangeBatch":
            assert _read(world, zone) == before
        _require_answers(world, _read(world, zone))


def _send(world: Route53World, zone: str, batch: list[tuple[str, dict[str, Any]]]) -> str:
    """Send a batch and return the change's status, or the code that it was refused with."""
    try:
        change = world.change(zone, *batch)["ChangeInfo"]
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return str(world.client.get_change(Id=change["Id"])["ChangeInfo"]["Status"])


def _require_answers(world: Route53World, listed: list[dict[str, Any]]) -> None:
    for name in (f"x.{ZONE}", f"y.{ZONE}"):
        for kind in ("A", "TXT"):
            sets = [one for one in listed if (one["Name"], one["Type"]) == (f"{name}.", kind)]
            values = {value["Value"] for one in sets for value in one["ResourceRecords"]}
            alone = not any(one["Type"] == "CNAME" for one in listed if one["Name"] == f"{name}.")
            if alone:
                answered = set(world.names.values(name, kind))
                assert answered <= values
                assert bool(answered) == bool(values)
