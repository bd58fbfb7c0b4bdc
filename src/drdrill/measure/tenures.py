"""Who is watched for two writers, and how often the writer's place may have changed: servers, and whole regions.

Users who come by HTTPS learn no database's address, only the zone of the service that answered. With such users a
region is the writer: two that acknowledge writes at one time are two writers, whatever servers stand in them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from drdrill.measure.regions import by_region, list_regions, region_of, with_addresses
from drdrill.measure.writers import WritersWatch, count_allowed, watch_writers
from drdrill.plan.runbook import Where

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drdrill.measure.clientele import Clientele
    from drdrill.measure.facts import Facts
    from drdrill.measure.runbook_record import RunbookRecord
    from drdrill.plan.model import Regions
    from drdrill.record.ledger import ClientLedger


def watch_servers(
    ledgers: Sequence[ClientLedger], clientele: Clientele, facts: Facts, resource: str, restored: int
) -> WritersWatch:
    """Watch servers by those who know their addresses; `restored`: how many restored databases served users."""
    reported = [one for one in facts.failovers if one.resource == resource]
    return watch_writers(with_addresses(ledgers, clientele), count_allowed(reported, restored))


@dataclass(frozen=True, slots=True)
class Moves:
    """What may have moved users between regions. `runbook` None: none was run."""

    regions: Regions
    resource: str
    runbook: RunbookRecord | None

    @property
    def first(self) -> str:
        """Return the region that served users before any move: the one that the runbook gives up."""
        lost = self.runbook.loses if self.runbook else Where.PRIMARY
        return (self.regions.recovery if lost is Where.RECOVERY else self.regions.primary).name

    def count(self, facts: Facts) -> int:
        """Return how often users may have moved: once where a failover ran, or the cloud has the store elsewhere now.

        Nothing moves them back within a drill: so the region that they left may not acknowledge anything later.
        """
        before = facts.zones.get(facts.primaries.get(self.resource, 0))
        after = facts.zones.get(facts.addresses.get(facts.serving.get(self.resource, ""), 0))
        elsewhere = before is not None and after is not None and region_of(before) != region_of(after)
        return int(self.runbook is not None or facts.command is not None or elsewhere)


def watch_regions(
    ledgers: Sequence[ClientLedger], clientele: Clientele, facts: Facts, moves: Moves
) -> WritersWatch:
    """Watch regions by all clients: those who were told zones, and those who know addresses whose zone was seen."""
    regions = list_regions(clientele)
    first = regions.index(moves.first) + 1 if moves.first in regions else None
    watch = watch_writers(by_region(ledgers, clientele, facts.zones), moves.count(facts), first=first)
    return replace(watch, places=regions)
