"""Record sets as the DNS server answers from them: what they lead to, by which policy, and how they travel to it.

A record set's values are texts as Route 53 has them (`10 mail.example.com`). One with an alias has none: it answers
with what the alias leads to. Which of several sets of one name and type answers is for `dns_choice` to say.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from dnslib import QTYPE, RR, DNSError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dnslib import RD

QTYPES: Mapping[str, int] = {name: number for number, name in QTYPE.forward.items()}


class Policy(StrEnum):
    """How one of several record sets of a name and type is chosen."""

    SIMPLE = "simple"
    WEIGHTED = "weighted"
    FAILOVER = "failover"
    LATENCY = "latency"
    MULTIVALUE = "multivalue"


class FailoverRole(StrEnum):
    """Which record set of a failover pair one is."""

    PRIMARY = "PRIMARY"
    SECONDARY = "SECONDARY"


@dataclass(frozen=True, slots=True)
class RecordSet:
    """One set of a name and type. `check`: the health check that it stands or falls with, `` for none."""

    values: tuple[str, ...] = ()
    ttl_seconds: int = 0
    alias: str = ""
    evaluates_target: bool = False
    check: str = ""
    policy: Policy = Policy.SIMPLE
    weight: int = 0
    role: FailoverRole = FailoverRole.PRIMARY
    region: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return it as a document."""
        return asdict(self)

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> RecordSet:
        """Return what a document says."""
        kinds = {"policy": Policy(said["policy"]), "role": FailoverRole(said["role"])}
        return cls(**{**said, **kinds, "values": tuple(said["values"])})


@dataclass(frozen=True, slots=True)
class NameRecords:
    """All record sets of one name and type; none: the name has no such records."""

    name: str
    type: str
    sets: tuple[RecordSet, ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as a document."""
        return {"name": self.name, "type": self.type, "sets": [one.to_json() for one in self.sets]}

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> NameRecords:
        """Return what a document says."""
        return cls(said["name"], said["type"], tuple(RecordSet.from_json(one) for one in said["sets"]))


def read_value(kind: str, text: str) -> RD:
    """Return a record's data from its text; raises ValueError for a text that is none of that type."""
    try:
        (parsed,) = RR.fromZone(f"name. 1 IN {kind} {text}")
    except (DNSError, ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise ValueError(f"{text!r} is no value of a record of the type {kind}.") from error
    if QTYPE.get(parsed.rtype) != kind:
        raise ValueError(f"{text!r} is no value of a record of the type {kind}.")
    return parsed.rdata
