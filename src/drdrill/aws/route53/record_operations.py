"""The operations on records: a batch of changes, all or none; listing; and whether a change is in sync."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.aws.errors import AwsError
from drdrill.aws.route53.domain_names import canonical, escape, sort_key
from drdrill.aws.route53.listing import cut_page
from drdrill.aws.route53.records import describe, read_change

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drdrill.aws.protocol import Parameters
    from drdrill.aws.route53.control_plane import ControlPlane
    from drdrill.aws.route53.records import Record
    from drdrill.dataplane.dns_records import NameRecords

_MOST_LISTED = 300


class RecordOperations:
    """The operations on records."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return {
            "ChangeResourceRecordSets": self.change_resource_record_sets,
            "ListResourceRecordSets": self.list_resource_record_sets,
            "GetChange": self.get_change,
        }

    def change_resource_record_sets(self, parameters: Parameters) -> Mapping[str, Any]:
        """Make a batch of changes, all or none; it is in sync when the name servers answer with it."""
        plane, batch = self._plane, parameters["ChangeBatch"]
        plane.find_zone(parameters["HostedZoneId"])
        changes = [read_change(one) for one in batch["Changes"]]
        if not changes:
            raise AwsError("InvalidInput", "The change batch has no changes.")
        begun: list[Mapping[str, Any]] = []

        def publish(records: Sequence[NameRecords]) -> None:
            identifier = zone.identity.identifier
            tell = plane.propagation.begin
            begun.append(
                tell(
                    lambda: plane.names.change_records(identifier, records), comment=batch.get("Comment", "")
                )
            )

        with plane.lock:  # what is there now is there when the name servers are told
            zone = plane.find_zone(parameters["HostedZoneId"])
            for one in changes:
                if one.record.check and one.action != "DELETE":
                    plane.find_check(one.record.check)
            zone.change(changes, is_published=plane.names.is_published, publish=publish)
        return {"ChangeInfo": begun[0]}

    def list_resource_record_sets(self, parameters: Parameters) -> Mapping[str, Any]:
        """List a zone's records in AWS's order, from a name, a type and a set identifier on."""
        records: Sequence[Record] = self._plane.find_zone(parameters["HostedZoneId"]).records()
        name, kind, identifier = (
            parameters.get(f"StartRecord{part}", "") for part in ("Name", "Type", "Identifier")
        )
        if (kind and not name) or (identifier and not kind):
            text = "A type can be specified only together with a name, and an identifier with both."
            raise AwsError("InvalidInput", text)
        if name:
            first = (sort_key(canonical(name)), kind, identifier)
            records = [one for one in records if (sort_key(one.name), one.type, one.identifier) >= first]
        page, after, size = cut_page(records, parameters.get("MaxItems"), most=_MOST_LISTED)
        more: dict[str, str] = {}
        if after is not None:
            more = {"NextRecordName": escape(after.name), "NextRecordType": after.type}
            more |= {"NextRecordIdentifier": after.identifier} if after.identifier else {}
        return {
            "ResourceRecordSets": [describe(one) for one in page],
            "IsTruncated": after is not None,
            "MaxItems": size,
            **more,
        }

    def get_change(self, parameters: Parameters) -> Mapping[str, Any]:
        """Say whether the name servers answer with a change."""
        return {"ChangeInfo": self._plane.propagation.find(parameters["Id"])}
