"""What a batch of changes makes of a zone's records, or why it is refused as a whole: in AWS's words, a pure function.

Source: API reference, ChangeResourceRecordSets and ResourceRecordSet; the words are those that AWS answers with.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from drdrill.aws.route53.canonical_zones import find_canonical_zone
from drdrill.aws.route53.domain_names import escape, is_name
from drdrill.aws.route53.values import find_bad_values
from drdrill.dataplane.dns_records import Policy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drdrill.aws.route53.records import Alias, Change, Record

Key = tuple[str, str, str]
_MOST_VALUES = 1000  # of one batch
_BALANCED_TYPES = ("A", "AAAA")  # in which AWS's own services have records


class Batch:
    """A batch on its way through a zone: `records` are those that there are after it."""

    def __init__(
        self,
        identifier: str,
        zone: str,
        records: Mapping[Key, Record],
        is_published: Callable[[str], bool],
    ) -> None:
        self._identifier = identifier
        self._zone = zone
        self._is_published = is_published
        self.records = dict(records)

    def apply(self, changes: Sequence[Change]) -> list[str]:
        """Make all changes, and return why they cannot be made; empty: they were."""
        if sum(len(one.record.values) for one in changes) > _MOST_VALUES:
            return [f"Number of records limit of {_MOST_VALUES} exceeded."]
        problems = [problem for one in changes for problem in self._apply(one)]
        touched = {(one.record.name, one.record.type) for one in changes}
        added = [one.record for one in changes if one.action != "DELETE"]
        if not problems:
            problems += self._find_conflicts({name for name, _ in touched})
            problems += [
                problem for name, kind in sorted(touched) for problem in self._find_mixtures(name, kind)
            ]
            problems += [
                problem for one in added if one.alias and (problem := self._find_lost(one, one.alias))
            ]
            problems += self._find_lacking()
        return problems

    def _apply(self, change: Change) -> list[str]:
        record, there = change.record, self.records.get(change.record.key)
        misplaced = self._find_misplaced(record)
        if misplaced:
            return [misplaced]
        if change.action == "DELETE":
            if there is None:
                return [f"Tried to delete {record.title} but it was not found"]
            if there != record:
                return [
                    f"Tried to delete {record.title} but the values provided do not match the current values"
                ]
            del self.records[record.key]
            return []
        if change.action == "CREATE" and there is not None:
            return [f"Tried to create {record.title} but it already exists"]
        self.records[record.key] = record
        return find_bad_values(record.type, record.values)

    def _find_misplaced(self, record: Record) -> str:
        name = escape(record.name)
        if not is_name(record.name):
            return f"RRSet with DNS name {name} is not a valid domain name"
        if record.name != self._zone and not record.name.endswith(f".{self._zone}"):
            return f"RRSet with DNS name {name} is not permitted in zone {self._zone}"
        if record.type == "CNAME" and record.name == self._zone:
            return f"RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {self._zone}"
        if record.type == "SOA" and record.name != self._zone:
            return f"RRSet of type SOA with DNS name {name} is only permitted at apex in zone {self._zone}"
        return ""

    def _find_conflicts(self, names: set[str]) -> list[str]:
        """Return where a CNAME does not stand alone under its name."""
        problems = []
        for name in sorted(names):
            kinds = sorted({kind for other, kind, _ in self.records if other == name})
            if "CNAME" in kinds and len(kinds) > 1:
                other = next(kind for kind in kinds if kind != "CNAME")
                problems.append(
                    f"RRSet of type CNAME with DNS name {escape(name)} is not permitted because a conflicting RRSet of "
                    f"type  {other} with the same DNS name already exists in zone {self._zone}"
                )
        return problems

    def _find_mixtures(self, name: str, kind: str) -> list[str]:
        """Return where the sets of a name and type have several policies, or two of them do the same work."""
        sets = [one for one in self.records.values() if (one.name, one.type) == (name, kind)]
        policies = {one.policy for one in sets}
        if len(policies) > 1:
            odd = max(sets, key=lambda one: one.identifier)
            told = f"RRSet with DNS name {escape(name)}, type {kind}, SetIdentifier {odd.identifier}"
            if Policy.SIMPLE in policies:
                return [f"{told} cannot be created as other RRSets exist with the same name and type."]
            return [
                f"{told} cannot be created because a non {odd.policy} RRSet exists with the same name and type."
            ]
        return [
            f"RRSet with DNS name {escape(name)}, type {kind}, SetIdentifier {alike[-1].identifier}, and {what} cannot "
            f"be created because a {alike[-1].policy} RRSet with the same name, type and {word} already exists."
            for (what, word), alike in _group(sets).items()
            if len(alike) > 1
        ]

    def _find_lost(self, record: Record, alias: Alias) -> str:
        """Return why an alias leads nowhere: its target is in this zone, or a name of AWS's own in its own zone."""
        told = (
            f"Tried to create an alias that targets {alias.name}, type {record.type} in zone {alias.zone}, "
        )
        if alias.zone == self._identifier:
            inside = alias.name == self._zone or alias.name.endswith(f".{self._zone}")
            there = any((alias.name, record.type) == (name, kind) for name, kind, _ in self.records)
        else:
            target = f"{alias.answered}."
            inside = find_canonical_zone(target) == alias.zone
            there = record.type in _BALANCED_TYPES and self._is_published(alias.answered)
        if not inside:
            return f"{told}but the alias target name does not lie within the target zone"
        return "" if there else f"{told}but that target was not found"

    def _find_lacking(self) -> list[str]:
        kinds = {kind for name, kind, _ in self.records if name == self._zone}
        problems = []
        if "SOA" not in kinds:
            problems.append("A HostedZone must contain exactly one SOA record.")
        if "NS" not in kinds:
            problems.append("A HostedZone must contain at least one NS record for the zone itself.")
        return problems


def _group(sets: Sequence[Record]) -> Mapping[tuple[str, str], list[Record]]:
    """Return sets by what only one of them may have."""
    grouped: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for one in sets:
        if one.policy is Policy.LATENCY:
            grouped[f"Region Name={one.region}", "region"].append(one)
        elif one.policy is Policy.FAILOVER:
            grouped[f"Failover={one.role.value}", "failover"].append(one)
    return grouped
