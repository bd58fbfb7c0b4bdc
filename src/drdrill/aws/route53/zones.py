"""Hosted zones: their records and the name servers that answer for them."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drdrill.aws.errors import AwsError
from drdrill.aws.route53.batch import Batch, Key
from drdrill.aws.route53.domain_names import sort_key
from drdrill.aws.route53.records import Record
from drdrill.dataplane.dns_records import NameRecords

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from drdrill.aws.route53.records import Change
    from drdrill.dataplane.dns_records import RecordSet

_SOA_TTL_SECONDS, _NS_TTL_SECONDS = 900, 172_800
_TIMES = "1 7200 900 1209600 86400"  # the last one: how long a refusal may be kept, at most the SOA's own TTL
_DOMAINS = ("com", "net", "org", "co.uk")
_SERVERS_OF_DOMAIN, _SERVERS_OF_GROUP = 512, 8


@dataclass(frozen=True, slots=True)
class ZoneIdentity:
    """What a zone is called: its id, its name with a dot at its end, and what its creator called the request."""

    identifier: str
    name: str
    reference: str


class HostedZone:
    """One zone. Thread-safe."""

    def __init__(
        self,
        identity: ZoneIdentity,
        servers: Sequence[str],
        comment: str = "",
        records: Sequence[Record] = (),
    ) -> None:
        self.identity = identity
        self.servers = tuple(servers)
        self.comment = comment
        self._lock = threading.Lock()
        records = records or _make_apex(identity.name, servers)
        self._records: dict[Key, Record] = {one.key: one for one in records}

    def __repr__(self) -> str:
        return f"HostedZone({self.identity.identifier}, {self.identity.name})"

    def records(self) -> tuple[Record, ...]:
        """Return all records in the order in which AWS lists them: by the labels of their names, the last one first."""
        with self._lock:
            found = list(self._records.values())
        return tuple(sorted(found, key=lambda one: (sort_key(one.name), one.type, one.identifier)))

    def is_bare(self) -> bool:
        """Tell whether it has only the two records that every zone has."""
        apex = {(self.identity.name, kind) for kind in ("NS", "SOA")}
        return all((one.name, one.type) in apex for one in self.records())

    def change(
        self,
        changes: Sequence[Change],
        *,
        is_published: Callable[[str], bool],
        publish: Callable[[Sequence[NameRecords]], None],
    ) -> None:
        """Make all changes or none, and publish what they changed. Raises AWS's `InvalidChangeBatch`."""
        with self._lock:
            batch = Batch(self.identity.identifier, self.identity.name, self._records, is_published)
            problems = batch.apply(changes)
            if problems:
                raise AwsError("InvalidChangeBatch", f"[{', '.join(problems)}]")
            self._records = batch.records
            # Within the lock: what is made later is published later.
            publish(_gather(batch.records, {(one.record.name, one.record.type) for one in changes}))

    def publication(self) -> Sequence[NameRecords]:
        """Return all records as the DNS server wants them."""
        with self._lock:
            return _gather(self._records, {(name, kind) for name, kind, _ in self._records})


def draw_servers(draw: Callable[[int], int]) -> tuple[str, ...]:
    """Return the names of four name servers, in the four domains that Route 53 has them in; `draw` below a number."""
    numbers = [(draw(_SERVERS_OF_DOMAIN), domain, index) for index, domain in enumerate(_DOMAINS)]
    return tuple(
        f"ns-{index * _SERVERS_OF_DOMAIN + number}.awsdns-{number // _SERVERS_OF_GROUP:02}.{domain}"
        for number, domain, index in numbers
    )


def _make_apex(name: str, servers: Sequence[str]) -> tuple[Record, Record]:
    authority = f"{servers[0]}. awsdns-hostmaster.amazon.com. {_TIMES}"
    return (
        Record(name, "NS", ttl_seconds=_NS_TTL_SECONDS, values=tuple(f"{server}." for server in servers)),
        Record(name, "SOA", ttl_seconds=_SOA_TTL_SECONDS, values=(authority,)),
    )


def _gather(records: dict[Key, Record], touched: set[tuple[str, str]]) -> Sequence[NameRecords]:
    """Return all sets of names and types; empty where none is left."""
    sets: dict[tuple[str, str], list[RecordSet]] = {place: [] for place in sorted(touched)}
    for one in records.values():
        if (one.name, one.type) in sets:
            sets[one.name, one.type].append(one.publish())
    return [NameRecords(name.rstrip("."), kind, tuple(found)) for (name, kind), found in sets.items()]
