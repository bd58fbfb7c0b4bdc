"""Zones in the codes of users who come by HTTPS, put into the words that the rest of the measurement knows.

Such a user is told the zone of the service that answered and no database's address. Two readings of that:

- *by region*, for the watch over writers: one region at a time may acknowledge. Clients that know addresses are
  among them, where the zone of the address was seen.
- *by server*, for rows: what a region acknowledged was committed by the one primary that was seen in it. Where more
  than one was, nobody knows by which, and the acknowledgement has no server: it explains nothing and accuses nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from drdrill.core.verdict import Verdict
from drdrill.measure.reason import Reason
from drdrill.record.ledger import ClientLedger, Outcome, outcomes_of, servers_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from drdrill.measure.clientele import Clientele

_OUTCOME = np.uint64((1 << 32) - 1)  # the part of a code that says what became of the request
_SERVER_SHIFT = np.uint64(32)


def region_of(zone: str) -> str:
    """Return the region of a zone: its name without the last letter."""
    return zone[:-1]


def list_regions(clientele: Clientele) -> tuple[str, ...]:
    """Return the regions of all zones that codes hold, in order; empty: codes hold addresses only."""
    return tuple(dict.fromkeys(region_of(zone) for zone in clientele.zones))


def by_region(
    ledgers: Sequence[ClientLedger], clientele: Clientele, zones_of_servers: Mapping[int, str]
) -> tuple[ClientLedger, ...]:
    """Return the ledgers with the region's number in `list_regions`, from 1 on, in the place of server or zone."""
    regions = {region: number for number, region in enumerate(list_regions(clientele), start=1)}
    servers = {
        server: regions[region_of(zone)]
        for server, zone in zones_of_servers.items()
        if region_of(zone) in regions
    }
    return tuple(
        _translate(ledger, {number: regions[region_of(zone)] for number, zone in _number(zones)} or servers)
        for ledger, zones in _with_zones(ledgers, clientele)
    )


def by_server(
    ledgers: Sequence[ClientLedger],
    clientele: Clientele,
    primaries: frozenset[int],
    zones_of_servers: Mapping[int, str],
) -> tuple[ClientLedger, ...]:
    """Return the ledgers with addresses in all codes. `primaries`: all that were seen to be one of the store."""
    found: dict[str, list[int]] = {}
    for server in sorted(primaries & set(zones_of_servers)):
        found.setdefault(region_of(zones_of_servers[server]), []).append(server)
    only = {region: servers[0] for region, servers in found.items() if len(servers) == 1}
    return tuple(
        _translate(ledger, {number: only.get(region_of(zone), 0) for number, zone in _number(zones)})
        if zones
        else ledger
        for ledger, zones in _with_zones(ledgers, clientele)
    )


def check_named(ledgers: Sequence[ClientLedger], clientele: Clientele) -> Iterator[Reason]:
    """Demand that whoever acknowledged a write by the public name says where it stands: else two regions may have."""
    nameless = 0
    for ledger, zones in _with_zones(ledgers, clientele):
        if zones and bool((ledger.attempts["amount"] > 0).any()):
            codes = ledger.outcomes["code"]
            nameless += int(((outcomes_of(codes) == Outcome.ACKNOWLEDGED) & (servers_of(codes) == 0)).sum())
    if nameless:
        yield Reason(
            Verdict.INCONCLUSIVE,
            "writer_not_named",
            f"{nameless} acknowledged writes do not say in which zone they were taken: whether two regions wrote at a "
            "time is not known.",
        )


def with_addresses(ledgers: Sequence[ClientLedger], clientele: Clientele) -> tuple[ClientLedger, ...]:
    """Return the ledgers whose codes hold addresses themselves."""
    return tuple(ledger for ledger, zones in _with_zones(ledgers, clientele) if not zones)


def _with_zones(
    ledgers: Sequence[ClientLedger], clientele: Clientele
) -> list[tuple[ClientLedger, tuple[str, ...]]]:
    return [(ledger, clientele.zones_of(ledger.client.name)) for ledger in ledgers]


def _number(zones: Sequence[str]) -> enumerate[str]:
    return enumerate(zones, start=1)


def _translate(ledger: ClientLedger, meanings: Mapping[int, int]) -> ClientLedger:
    """Return a ledger with other servers in its codes; one that means nothing becomes 0, nobody."""
    outcomes = ledger.outcomes.copy()
    servers = servers_of(outcomes["code"])
    meant = np.zeros(len(servers), np.uint64)
    for server, meaning in meanings.items():
        meant[servers == server] = meaning
    outcomes["code"] = outcomes["code"] & _OUTCOME | meant << _SERVER_SHIFT
    return ClientLedger(ledger.client, ledger.attempts, outcomes)
