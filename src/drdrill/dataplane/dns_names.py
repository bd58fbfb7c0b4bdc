"""All names that the DNS server knows, and what it answers: the mirror's own names, and hosted zones with policies.

The mirror's own names (endpoints, databases, nodes) stand in one tree without a zone; every hosted zone has a tree of
its own. A wildcard speaks for names below it, unless a longer part of them exists (RFC 4592, 3.3.1): so
`*.amazonaws.com` answers for the names of every bucket, and not for a database that was deleted.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING

from dnslib import CNAME, QTYPE, RCODE, RR

from drdrill.dataplane.dns_choice import choose
from drdrill.dataplane.dns_records import QTYPES, NameRecords, RecordSet, read_value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dnslib import RD

_LONGEST_CHAIN = 8  # names followed before we call it a loop


@dataclass(frozen=True, slots=True)
class Answer:
    """What one question is answered with."""

    rcode: int
    answers: Sequence[RR]
    authority: Sequence[RR]


@dataclass(frozen=True, slots=True)
class _Held:
    """A record set with its values read."""

    set: RecordSet
    data: tuple[RD, ...]


class Tree:
    """Record sets by name and type."""

    def __init__(self, name: str = "") -> None:
        self.name = name
        self._records: dict[str, dict[str, tuple[_Held, ...]]] = {}
        self._existing: Counter[str] = Counter()  # every name, and every one above: how many names are below

    def put(self, records: NameRecords) -> None:
        """Have a name's records of one type be these."""
        name = records.name
        node = {kind: held for kind, held in self._records.get(name, {}).items() if kind != records.type}
        if records.sets:
            read = (
                _Held(one, tuple(read_value(records.type, v) for v in one.values)) for one in records.sets
            )
            node[records.type] = tuple(read)
        if self._records.pop(name, None):
            self._count(name, -1)
        if node:
            self._records[name] = node
            self._count(name, 1)

    def drop(self, name: str) -> None:
        """Have no records of a name."""
        if self._records.pop(name, None):
            self._count(name, -1)

    def _count(self, name: str, by: int) -> None:
        """Count a name, and every one above it. Not by Counters' own sums, which look at all names that there are."""
        for part in _names_above(name):
            self._existing[part] += by
            if not self._existing[part]:
                del self._existing[part]

    def find(self, name: str) -> Mapping[str, tuple[_Held, ...]] | None:
        """Return a name's records by type: none where it only has others below it, None where nothing is."""
        encloser = next((part for part in _names_above(name) if part in self._existing), None)
        if encloser == name:
            return self._records.get(name, {})
        return self._records.get(f"*.{encloser}")

    def refusal(self) -> Sequence[RR]:
        """Return the SOA record that says how long a refusal may be kept (RFC 2308, 5)."""
        held = self._records.get(self.name, {}).get("SOA", ())
        return [
            RR(self.name, QTYPE.SOA, rdata=data, ttl=min(one.set.ttl_seconds, data.times[4]))
            for one in held
            for data in one.data
        ]


@dataclass(slots=True)
class Names:
    """Everything that answers depend on."""

    chance: Random = field(default_factory=lambda: Random(0))  # noqa: S311 (a seeded choice of records)
    own: Tree = field(default_factory=Tree)
    zones: dict[str, Tree] = field(
        default_factory=dict
    )  # by their ids, in the order in which they were opened
    checks: dict[str, bool] = field(default_factory=dict)  # what is healthy by health check; unknown: healthy
    targets: dict[str, bool] = field(default_factory=dict)  # by name, of what evaluates its own health
    places: dict[str, str] = field(default_factory=dict)  # the region of a range of addresses
    regions: list[str] = field(default_factory=list)  # the nearest to the internet's users first

    def answer(self, asked: str, kind: int, asker: str = "") -> Answer:
        """Answer one question of somebody at an address."""
        name, owner = asked.lower().rstrip("."), asked
        answers: list[RR] = []
        for _ in range(_LONGEST_CHAIN):
            tree, node = self._find(name)
            if node is None:
                return Answer(RCODE.NXDOMAIN, answers, tree.refusal())
            wanted = QTYPE.get(kind)
            found = [
                RR(owner, QTYPES[one], rdata=data, ttl=ttl)
                for one in ([wanted] if kind != QTYPE.ANY else list(node))
                for data, ttl in self._flatten(node.get(one, ()), one, asker)
            ]
            if found or "CNAME" not in node:
                answers += found
                return Answer(RCODE.NOERROR, answers, [] if found else tree.refusal())
            ((data, ttl),) = self._flatten(node["CNAME"], "CNAME", asker)[:1] or [(None, 0)]
            if not isinstance(data, CNAME):
                return Answer(RCODE.NOERROR, answers, tree.refusal())
            answers.append(RR(owner, QTYPE.CNAME, rdata=data, ttl=ttl))
            owner = str(data.label)
            name = owner.lower().rstrip(".")
        return Answer(RCODE.NOERROR, answers, [])

    def _find(self, name: str) -> tuple[Tree, Mapping[str, tuple[_Held, ...]] | None]:
        """Return the tree that answers for a name, and what it has there. The mirror's own names come first."""
        if node := self.own.find(name):
            return self.own, node
        above = _names_above(name)
        fitting = [zone for zone in self.zones.values() if zone.name in above]
        if not fitting:
            return self.own, self.own.find(name)
        zone = max(
            fitting, key=lambda one: len(one.name)
        )  # of several with one name the first: it is delegated to
        return zone, zone.find(name)

    def _flatten(self, held: Sequence[_Held], kind: str, asker: str, depth: int = 0) -> list[tuple[RD, int]]:
        """Return data and TTL of what one question is answered with; an alias has those of what it leads to."""
        if not held or depth > _LONGEST_CHAIN:
            return []
        by_set = {id(one.set): one for one in held}
        chosen = choose(
            [one.set for one in held],
            healthy=self._judge(kind),
            chance=self.chance,
            regions=self._order(asker) if any(one.set.region for one in held) else (),
        )
        found: list[tuple[RD, int]] = []
        for one in chosen:
            if one.alias:
                found += self._flatten(self._held(one.alias, kind), kind, asker, depth + 1)
            else:
                found += [(data, one.ttl_seconds) for data in by_set[id(one)].data]
        return found

    def _held(self, name: str, kind: str) -> Sequence[_Held]:
        _, node = self._find(name)
        return node.get(kind, ()) if node else ()

    def _judge(self, kind: str) -> Callable[[RecordSet], bool]:
        """Return what says of a record set whether it is healthy."""

        def is_healthy(one: RecordSet, depth: int = 0) -> bool:
            if one.check and not self.checks.get(one.check, True):
                return False
            if not (one.alias and one.evaluates_target):
                return True
            below = self._held(one.alias, kind)
            if below and one.alias in self.targets:  # what is gone is ill, whatever was said of it last
                return self.targets[one.alias]
            return depth < _LONGEST_CHAIN and any(is_healthy(held.set, depth + 1) for held in below)

        return is_healthy

    def _order(self, asker: str) -> Sequence[str]:
        """Return the regions by distance from an address: modelled as its own first, then as they were told."""
        own = ""
        if asker and self.places:
            address = ipaddress.ip_address(asker)
            own = next(
                (name for net, name in self.places.items() if address in ipaddress.ip_network(net)), ""
            )
        return [own, *(one for one in self.regions if one != own)] if own else self.regions


@lru_cache(maxsize=4096)  # asked several times for every answer, mostly of the same names
def _names_above(name: str) -> tuple[str, ...]:
    """Return a name and every one above it, the longest first."""
    labels = name.split(".")
    return tuple(".".join(labels[number:]) for number in range(len(labels)))
