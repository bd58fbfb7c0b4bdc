"""The API of Route 53. It is one service for all regions; its control plane sits in us-east-1, as in reality.

In the mirror its address is one in the first region, until global services have places of their own.
"""

from __future__ import annotations

import secrets
import string
import threading
from typing import TYPE_CHECKING, Any

from drdrill.aws.errors import AwsError, NotImplementedInMirrorError
from drdrill.aws.route53.zones import Change, HostedZone, Record, check_type

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.ports import AliasNames
    from drdrill.aws.protocol import Parameters
    from drdrill.core.clock import Clock

REGION = "us-east-1"  # of every signature for it
_WORD = string.ascii_uppercase + string.digits
_ACTIONS = ("CREATE", "DELETE", "UPSERT")
_MOST_LISTED = 100
_PLAIN = frozenset({"Name", "Type", "TTL", "ResourceRecords"})


class Route53Service:
    """Route 53, as the gate calls it. Thread-safe."""

    name = "route53"

    def __init__(self, names: AliasNames, clock: Clock) -> None:
        self._names = names
        self._clock = clock
        self._lock = threading.Lock()
        self._zones: dict[str, HostedZone] = {}
        self._changes: dict[str, Mapping[str, Any]] = {}

    def operations(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations that are implemented."""
        return {
            "CreateHostedZone": self.create_hosted_zone,
            "ListHostedZonesByName": self.list_hosted_zones_by_name,
            "ListResourceRecordSets": self.list_resource_record_sets,
            "ChangeResourceRecordSets": self.change_resource_record_sets,
            "GetChange": self.get_change,
        }

    def create_hosted_zone(self, parameters: Parameters) -> Mapping[str, Any]:
        """Make a public zone."""
        for name in ("VPC", "DelegationSetId"):
            if parameters.get(name):
                raise NotImplementedInMirrorError(f"The parameter {name} of route53:CreateHostedZone")
        name = _canonical(parameters["Name"])
        zone = HostedZone(f"Z{_draw()}", name, parameters["CallerReference"], self._names)
        with self._lock:
            if any(one.reference == zone.reference for one in self._zones.values()):
                text = "A hosted zone with that caller reference has been created already."
                raise AwsError("HostedZoneAlreadyExists", text, status=409)
            self._zones[zone.identifier] = zone
        return {
            "HostedZone": _describe_zone(zone),
            "ChangeInfo": self._note_change(),
            "DelegationSet": {"NameServers": [f"ns-1.{name.rstrip('.')}"]},
            "Location": f"https://route53.amazonaws.com/2013-04-01/hostedzone/{zone.identifier}",
        }

    def list_hosted_zones_by_name(self, parameters: Parameters) -> Mapping[str, Any]:
        """List zones in the order of their names, from one on."""
        first = _canonical(parameters["DNSName"]).split(".")[::-1] if parameters.get("DNSName") else []
        with self._lock:
            zones = sorted(self._zones.values(), key=lambda one: one.name.split(".")[::-1])
        listed = [one for one in zones if one.name.split(".")[::-1] >= first]
        most = int(parameters.get("MaxItems", _MOST_LISTED))
        more = (
            {"NextDNSName": listed[most].name, "NextHostedZoneId": listed[most].identifier}
            if len(listed) > most
            else {}
        )
        return {
            "HostedZones": [_describe_zone(one) for one in listed[:most]],
            **({"DNSName": parameters["DNSName"]} if parameters.get("DNSName") else {}),
            "IsTruncated": bool(more),
            "MaxItems": str(most),
            **more,
        }

    def list_resource_record_sets(self, parameters: Parameters) -> Mapping[str, Any]:
        """List a zone's records, from a name on."""
        records = list(self._find(parameters["HostedZoneId"]).records())
        if start := parameters.get("StartRecordName"):
            first = (_canonical(start).split(".")[::-1], parameters.get("StartRecordType", ""))
            records = [one for one in records if (one.name.split(".")[::-1], one.type) >= first]
        most = int(parameters.get("MaxItems", _MOST_LISTED))
        more = (
            {"NextRecordName": records[most].name, "NextRecordType": records[most].type}
            if len(records) > most
            else {}
        )
        listed = [_describe_record(one) for one in records[:most]]
        return {"ResourceRecordSets": listed, "IsTruncated": bool(more), "MaxItems": str(most), **more}

    def change_resource_record_sets(self, parameters: Parameters) -> Mapping[str, Any]:
        """Make a batch of changes, all or none."""
        zone = self._find(parameters["HostedZoneId"])
        batch = parameters["ChangeBatch"]
        zone.change([_read_change(one) for one in batch["Changes"]])
        return {"ChangeInfo": self._note_change()}

    def get_change(self, parameters: Parameters) -> Mapping[str, Any]:
        """Say whether all name servers answer with a change: there is one, and it did when the change was made."""
        identifier = parameters["Id"].rpartition("/")[2]
        with self._lock:
            change = self._changes.get(identifier)
        if change is None:
            text = f"Could not find resource with ID: {identifier}"
            raise AwsError("NoSuchChange", text, status=404)
        return {"ChangeInfo": change}

    def _note_change(self) -> Mapping[str, Any]:
        identifier = f"C{_draw()}"
        change = {"Id": f"/change/{identifier}", "Status": "INSYNC", "SubmittedAt": self._clock.utc()}
        with self._lock:
            self._changes[identifier] = change
        return change

    def _find(self, identifier: str) -> HostedZone:
        identifier = identifier.rpartition("/")[2]
        with self._lock:
            zone = self._zones.get(identifier)
        if zone is None:
            raise AwsError("NoSuchHostedZone", f"No hosted zone found with ID: {identifier}", status=404)
        return zone


def _read_change(described: Mapping[str, Any]) -> Change:
    if described["Action"] not in _ACTIONS:
        text = f"Invalid request: the action {described['Action']} is none of {', '.join(_ACTIONS)}"
        raise AwsError("InvalidInput", text)
    return Change(described["Action"], _read_record(described["ResourceRecordSet"]))


def _read_record(described: Mapping[str, Any]) -> Record:
    for name in sorted(described.keys() - _PLAIN):
        raise NotImplementedInMirrorError(
            f"The member {name} of a record in route53:ChangeResourceRecordSets"
        )
    check_type(described["Type"])
    values = tuple(one["Value"] for one in described.get("ResourceRecords", ()))
    if "TTL" not in described or not values:
        text = f"Invalid request: Missing field 'TTL' or 'ResourceRecords' of {described['Name']}"
        raise AwsError("InvalidInput", text)
    return Record(_canonical(described["Name"]), described["Type"], int(described["TTL"]), values)


def _describe_record(record: Record) -> Mapping[str, Any]:
    return {
        "Name": record.name,
        "Type": record.type,
        "TTL": record.ttl_seconds,
        "ResourceRecords": [{"Value": value} for value in record.values],
    }


def _describe_zone(zone: HostedZone) -> Mapping[str, Any]:
    return {
        "Id": f"/hostedzone/{zone.identifier}",
        "Name": zone.name,
        "CallerReference": zone.reference,
        "Config": {"PrivateZone": False},
        "ResourceRecordSetCount": len(zone.records()),
    }


def _canonical(name: str) -> str:
    return f"{name.lower().rstrip('.')}."


def _draw() -> str:
    return "".join(secrets.choice(_WORD) for _ in range(20))
