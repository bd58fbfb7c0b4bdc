"""What the DNS server answers from hosted zones: aliases, health, refusals, and packets of every size."""

from __future__ import annotations

import gc
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from dnslib import EDNS0, QTYPE, RCODE, DNSRecord

from drdrill.dataplane.dns_names import Names, Tree
from drdrill.dataplane.dns_records import FailoverRole, NameRecords, Policy, RecordSet
from drdrill.dataplane.dns_server import Server

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

ZONE = "example.com"
SOA = "ns-1.awsdns-00.com. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"
BALANCER = "shop-1.eu-west-1.elb.amazonaws.com"


class Told:
    """A server as its driver tells it."""

    def __init__(self) -> None:
        self.server = Server(Names())
        self.tell(tell="zone", id="Z1", name=ZONE)
        self.put(ZONE, "SOA", RecordSet((SOA,), 900))

    def tell(self, **what: Any) -> None:
        """Tell it something."""
        self.server.take(json.dumps(what))

    def put(self, name: str, kind: str, *sets: RecordSet) -> None:
        """Have a name have these records."""
        self.tell(tell="records", id="Z1", records=[NameRecords(name, kind, sets).to_json()])

    def put_own(self, name: str, *values: str, ttl: int = 60) -> None:
        """Have a name of the mirror's own have these addresses."""
        records = NameRecords(name, "A", (RecordSet(values, ttl),) if values else ())
        self.tell(tell="own", name=name, records=[records.to_json()])

    def ask(self, name: str, kind: str = "A", asker: str = "198.18.0.9") -> DNSRecord:
        """Ask it for a name."""
        reply = self.server.answer(bytes(DNSRecord.question(name, kind).pack()), asker)
        assert reply
        return DNSRecord.parse(reply)

    def values(self, name: str, kind: str = "A", asker: str = "198.18.0.9") -> list[str]:
        """Return the answers' data."""
        return [str(one.rdata) for one in self.ask(name, kind, asker).rr]


@pytest.fixture
def told() -> Told:
    """Return a server with an empty zone."""
    return Told()


@pytest.mark.parametrize(
    ("kind", "value", "answered"),
    [
        ("A", "192.0.2.1", "192.0.2.1"),
        ("AAAA", "2001:db8::1", "2001:db8::1"),
        ("MX", "10 mail.example.com", "10 mail.example.com."),
        ("TXT", '"a b" "c"', '"a b","c"'),
        ("SRV", "1 10 5269 x.example.com.", "1 10 5269 x.example.com."),
        ("CAA", '0 issue "ca.example.net"', '0 issue "ca.example.net"'),
        ("NS", "ns-1.awsdns-00.com.", "ns-1.awsdns-00.com."),
    ],
)
def test_types(told: Told, kind: str, value: str, answered: str) -> None:
    """Each type is answered with its value and its TTL.

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/ResourceRecordTypes.html
    """
    told.put(f"x.{ZONE}", kind, RecordSet((value,), 30))
    (answer,) = told.ask(f"x.{ZONE}", kind).rr
    assert (str(answer.rdata), answer.ttl) == (answered, 30)


@pytest.mark.parametrize(
    ("name", "kind", "rcode"), [("x", "AAAA", RCODE.NOERROR), ("nobody", "A", RCODE.NXDOMAIN)]
)
def test_refusals_say_how_long_they_hold(told: Told, name: str, kind: str, rcode: int) -> None:
    """What is not there is answered with the zone's SOA, whose TTL is how long resolvers remember it.

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/SOA-NSrecords.html
    """
    told.put(f"x.{ZONE}", "A", RecordSet(("192.0.2.1",), 30))
    answer = told.ask(f"{name}.{ZONE}", kind)
    assert (answer.header.rcode, answer.rr) == (rcode, [])
    (authority,) = answer.auth
    assert (QTYPE.get(authority.rtype), authority.ttl, str(authority.rname)) == ("SOA", 900, f"{ZONE}.")


def test_an_alias_answers_in_its_own_name(told: Told) -> None:
    """An alias answers with the addresses and the TTL of what it leads to, without a CNAME, at the apex, too.

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resource-record-sets-choosing-alias-non-alias.html
    """
    told.put_own(BALANCER, "10.20.0.10", "10.20.1.10")
    told.put(ZONE, "A", RecordSet(alias=BALANCER))
    answers = told.ask(ZONE).rr
    assert [(str(one.rname), str(one.rdata), one.ttl) for one in answers] == [
        (f"{ZONE}.", "10.20.0.10", 60),
        (f"{ZONE}.", "10.20.1.10", 60),
    ]


def test_a_chain_is_followed(told: Told) -> None:
    """A CNAME is answered with what it leads to, also in another zone or outside of all; a loop ends."""
    told.put_own("db.rds.amazonaws.com", "10.20.0.10", ttl=5)
    told.put(f"db.{ZONE}", "CNAME", RecordSet(("db.rds.amazonaws.com",), 30))
    assert told.values(f"db.{ZONE}") == ["db.rds.amazonaws.com.", "10.20.0.10"]
    told.put(f"out.{ZONE}", "CNAME", RecordSet(("elsewhere.example.net",), 30))
    assert told.ask(f"out.{ZONE}").header.rcode == RCODE.NXDOMAIN
    told.put(f"loop.{ZONE}", "CNAME", RecordSet((f"loop.{ZONE}",), 30))
    assert set(told.values(f"loop.{ZONE}")) == {f"loop.{ZONE}."}


def _pair(told: Told, primary: RecordSet) -> None:
    second = RecordSet(("192.0.2.2",), 30, policy=Policy.FAILOVER, role=FailoverRole.SECONDARY)
    told.put(f"x.{ZONE}", "A", primary, second)


def test_a_health_check_moves_answers(told: Told) -> None:
    """An unhealthy primary's secondary answers; a check that nobody has heard of yet counts as healthy.

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-simple-configs.html
    """
    _pair(told, RecordSet(("192.0.2.1",), 30, check="c", policy=Policy.FAILOVER))
    seen = [told.values(f"x.{ZONE}")]
    for healthy in (False, True, False, None):
        told.tell(tell="check", id="c", healthy=healthy)
        seen.append(told.values(f"x.{ZONE}"))
    assert seen == [["192.0.2.1"], ["192.0.2.2"], ["192.0.2.1"], ["192.0.2.2"], ["192.0.2.1"]]


@pytest.mark.parametrize(("evaluates", "expected"), [(True, "192.0.2.2"), (False, "10.20.0.10")])
def test_an_alias_evaluates_its_target(told: Told, *, evaluates: bool, expected: str) -> None:
    """With EvaluateTargetHealth an alias to a load balancer without a healthy target is unhealthy, otherwise never.

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resource-record-sets-values-alias-common.html
    """
    told.put_own(BALANCER, "10.20.0.10")
    _pair(told, RecordSet(alias=BALANCER, evaluates_target=evaluates, policy=Policy.FAILOVER))
    assert told.values(f"x.{ZONE}") == ["10.20.0.10"]
    told.tell(tell="target", name=BALANCER, healthy=False)
    assert told.values(f"x.{ZONE}") == [expected]


def test_an_alias_to_what_is_gone(told: Told) -> None:
    """A load balancer whose name is taken back is no healthy target, whatever was said of it last."""
    told.put_own(BALANCER, "10.20.0.10")
    told.tell(tell="target", name=BALANCER, healthy=True)
    _pair(told, RecordSet(alias=BALANCER, evaluates_target=True, policy=Policy.FAILOVER))
    told.put_own(BALANCER)
    assert told.values(f"x.{ZONE}") == ["192.0.2.2"]


def test_an_alias_inherits_health_in_its_zone(told: Told) -> None:
    """An alias to records of the zone is healthy while one of them is; one whose target is gone is not.

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-complex-configs.html
    """
    sets = [
        RecordSet((f"192.0.2.1{n}",), 30, check=f"c{n}", policy=Policy.WEIGHTED, weight=1) for n in (1, 2)
    ]
    told.put(f"group.{ZONE}", "A", *sets)
    _pair(told, RecordSet(alias=f"group.{ZONE}", evaluates_target=True, policy=Policy.FAILOVER))
    told.tell(tell="check", id="c1", healthy=False)
    assert {told.values(f"x.{ZONE}")[0] for _ in range(20)} == {"192.0.2.12"}
    told.tell(tell="check", id="c2", healthy=False)
    assert told.values(f"x.{ZONE}") == ["192.0.2.2"]
    told.put(f"group.{ZONE}", "A")
    assert told.values(f"x.{ZONE}") == ["192.0.2.2"]


def test_latency_is_by_where_the_question_comes_from(told: Told) -> None:
    """A region's hosts are led to their own region, users of the internet to the nearest that the mirror states."""
    told.tell(tell="places", places={"10.20.0.0/16": "eu-west-1", "10.40.0.0/16": "eu-central-1"},
              regions=["eu-west-1", "eu-central-1"])  # fmt: skip
    sets = (RecordSet((f"192.0.2.{n}",), 30, policy=Policy.LATENCY, region=region)
            for n, region in ((1, "eu-west-1"), (2, "eu-central-1")))  # fmt: skip
    told.put(f"x.{ZONE}", "A", *sets)
    seen = [told.values(f"x.{ZONE}", asker=asker) for asker in ("198.18.0.9", "10.40.0.10", "10.20.1.10")]
    assert seen == [["192.0.2.1"], ["192.0.2.2"], ["192.0.2.1"]]


def test_zones_one_in_another(told: Told) -> None:
    """The longest zone that a name lies in answers, and of two with one name the older, as it is delegated to."""
    told.put(f"x.sub.{ZONE}", "A", RecordSet(("192.0.2.1",), 30))
    for number in (2, 3):
        told.tell(tell="zone", id=f"Z{number}", name=f"sub.{ZONE}")
        records = NameRecords(f"x.sub.{ZONE}", "A", (RecordSet((f"192.0.2.{number}",), 30),))
        told.tell(tell="records", id=f"Z{number}", records=[records.to_json()])
    seen = [told.values(f"x.sub.{ZONE}")]
    for number in (2, 3):
        told.tell(tell="no zone", id=f"Z{number}")
        seen.append(told.values(f"x.sub.{ZONE}"))
    assert seen == [["192.0.2.2"], ["192.0.2.3"], ["192.0.2.1"]]


def test_a_long_answer(told: Told) -> None:
    """An answer that does not fit is truncated, so that TCP is used; EDNS lets a longer one fit (RFC 6891)."""
    told.put(f"x.{ZONE}", "A", RecordSet(tuple(f"192.0.2.{n}" for n in range(40)), 30))
    question = DNSRecord.question(f"x.{ZONE}")
    plain = told.server.answer(bytes(question.pack()))
    assert plain
    cut = DNSRecord.parse(plain)
    assert (cut.header.tc, cut.rr) == (1, [])
    question.add_ar(EDNS0(udp_len=4096))
    longer = told.server.answer(bytes(question.pack()))
    assert longer
    assert len(DNSRecord.parse(longer).rr) == 40
    over_tcp = told.server.answer(bytes(DNSRecord.question(f"x.{ZONE}").pack()), most=65535)
    assert over_tcp
    assert len(DNSRecord.parse(over_tcp).rr) == 40


def _count_lines(work: Callable[[], object]) -> int:
    """Return how many lines of Python are run by some work."""
    lines = 0

    def note(_frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal lines
        lines += event == "line"
        return note

    before = sys.gettrace()
    gc.disable()  # others' callbacks at a collection are no work of ours, and come whenever they come
    sys.settrace(note)
    try:
        work()
    finally:
        sys.settrace(before)
        gc.enable()
    return lines


def test_a_name_is_as_much_work_in_a_large_zone() -> None:
    """Records come and go with as much work among a thousand names as among ten."""
    records = NameRecords(f"one.{ZONE}", "A", (RecordSet(("192.0.2.1",), 60),))

    def measure(others: int) -> int:
        tree = Tree(ZONE)
        for number in range(others):
            tree.put(NameRecords(f"n{number}.{ZONE}", "A", records.sets))

        def change() -> None:
            tree.put(records)
            tree.drop(records.name)

        change()  # what is remembered of the name is remembered
        lines = _count_lines(change)
        assert (tree.find(records.name), tree.find(ZONE)) == (None, {})
        return lines

    assert measure(1000) == measure(10)
