"""The operations on hosted zones: create, look, list, comment, delete; DNSSEC is not there, and says so."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from drdrill.aws.errors import AwsError, NotImplementedInMirrorError
from drdrill.aws.route53.domain_names import canonical, require_name, sort_key
from drdrill.aws.route53.listing import cut_page
from drdrill.aws.route53.propagation import draw_identifier
from drdrill.aws.route53.zones import HostedZone, ZoneIdentity, draw_servers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.protocol import Parameters
    from drdrill.aws.route53.control_plane import ControlPlane

_MOST_LISTED = 100


class ZoneOperations:
    """The operations on hosted zones."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return {
            "CreateHostedZone": self.create_hosted_zone,
            "GetHostedZone": self.get_hosted_zone,
            "GetHostedZoneCount": self.get_hosted_zone_count,
            "ListHostedZones": self.list_hosted_zones,
            "ListHostedZonesByName": self.list_hosted_zones_by_name,
            "UpdateHostedZoneComment": self.update_hosted_zone_comment,
            "DeleteHostedZone": self.delete_hosted_zone,
            "GetDNSSEC": self.get_dnssec,
        }

    def create_hosted_zone(self, parameters: Parameters) -> Mapping[str, Any]:
        """Make a public zone with its NS and SOA records."""
        config = parameters.get("HostedZoneConfig", {})
        for name in ("VPC", "DelegationSetId"):
            if parameters.get(name):
                raise NotImplementedInMirrorError(f"The parameter {name} of route53:CreateHostedZone")
        if config.get("PrivateZone"):
            text = "When you're creating a private hosted zone, you must specify the VPC that it is for."
            raise AwsError("InvalidInput", text)
        name, reference = require_name(parameters["Name"]), parameters["CallerReference"]
        identity = ZoneIdentity(draw_identifier("Z"), name, reference)
        zone = HostedZone(identity, draw_servers(secrets.randbelow), config.get("Comment", ""))
        plane = self._plane
        with plane.lock:
            if any(one.identity.reference == reference for one in plane.zones.values()):
                text = (
                    f"A hosted zone has already been created with the specified caller reference {reference}."
                )
                raise AwsError("HostedZoneAlreadyExists", text, status=409)
            plane.zones[identity.identifier] = zone
            change = plane.publish(zone)
        return {
            "HostedZone": describe_zone(zone),
            "ChangeInfo": change,
            "DelegationSet": {"NameServers": list(zone.servers)},
            "Location": f"https://route53.amazonaws.com/2013-04-01/hostedzone/{identity.identifier}",
        }

    def get_hosted_zone(self, parameters: Parameters) -> Mapping[str, Any]:
        """Describe a zone and its name servers."""
        zone = self._plane.find_zone(parameters["Id"])
        return {"HostedZone": describe_zone(zone), "DelegationSet": {"NameServers": list(zone.servers)}}

    def get_hosted_zone_count(self, _: Parameters) -> Mapping[str, Any]:
        """Count the zones."""
        return {"HostedZoneCount": len(self._plane.zones)}

    def list_hosted_zones(self, parameters: Parameters) -> Mapping[str, Any]:
        """List zones in the order in which they were made."""
        if parameters.get("DelegationSetId"):
            raise NotImplementedInMirrorError("The parameter DelegationSetId of route53:ListHostedZones")
        with self._plane.lock:
            zones = list(self._plane.zones.values())
        if parameters.get("HostedZoneType") == "PrivateHostedZone":
            zones = []
        marker = parameters.get("Marker", "")
        if marker:
            identifiers = [one.identity.identifier for one in zones]
            if marker not in identifiers:
                raise AwsError("InvalidInput", f"The marker {marker} is no hosted zone.")
            zones = zones[identifiers.index(marker) :]
        page, after, size = cut_page(zones, parameters.get("MaxItems"), most=_MOST_LISTED)
        return {
            "HostedZones": [describe_zone(one) for one in page],
            "Marker": marker,
            "IsTruncated": after is not None,
            "MaxItems": size,
            **({"NextMarker": after.identity.identifier} if after else {}),
        }

    def list_hosted_zones_by_name(self, parameters: Parameters) -> Mapping[str, Any]:
        """List zones in the order of their names, from one on."""
        said = {name: parameters[name] for name in ("DNSName", "HostedZoneId") if parameters.get(name)}
        if "HostedZoneId" in said and "DNSName" not in said:
            raise AwsError("InvalidInput", "HostedZoneId can be specified only together with DNSName.")
        first = (sort_key(canonical(said["DNSName"])), said.get("HostedZoneId", "")) if said else ([], "")
        with self._plane.lock:
            zones = sorted(self._plane.zones.values(), key=_place)
        page, after, size = cut_page(
            [one for one in zones if _place(one) >= first], parameters.get("MaxItems"), most=_MOST_LISTED
        )
        more = (
            {"NextDNSName": after.identity.name, "NextHostedZoneId": after.identity.identifier}
            if after
            else {}
        )
        return {
            "HostedZones": [describe_zone(one) for one in page],
            **said,
            "IsTruncated": after is not None,
            "MaxItems": size,
            **more,
        }

    def update_hosted_zone_comment(self, parameters: Parameters) -> Mapping[str, Any]:
        """Give a zone another comment, or none."""
        zone = self._plane.find_zone(parameters["Id"])
        zone.comment = parameters.get("Comment", "")
        return {"HostedZone": describe_zone(zone)}

    def delete_hosted_zone(self, parameters: Parameters) -> Mapping[str, Any]:
        """Delete a zone that has no records but those that every zone has."""
        plane = self._plane
        with plane.lock:
            zone = plane.find_zone(parameters["Id"])
            identifier = zone.identity.identifier
            if not zone.is_bare():
                text = "The specified hosted zone contains non-required resource record sets and so cannot be deleted."
                raise AwsError("HostedZoneNotEmpty", text)
            plane.zones.pop(identifier, None)
            plane.tags.pop(("hostedzone", identifier), None)
            return {"ChangeInfo": plane.propagation.begin(lambda: plane.names.close_zone(identifier))}

    def get_dnssec(self, parameters: Parameters) -> Mapping[str, Any]:
        """Say that a zone is not signed."""
        self._plane.find_zone(parameters["HostedZoneId"])
        return {"Status": {"ServeSignature": "NOT_SIGNING"}, "KeySigningKeys": []}


def describe_zone(zone: HostedZone) -> Mapping[str, Any]:
    """Return a zone as answers have it."""
    comment = {"Comment": zone.comment} if zone.comment else {}
    return {
        "Id": f"/hostedzone/{zone.identity.identifier}",
        "Name": zone.identity.name,
        "CallerReference": zone.identity.reference,
        "Config": {**comment, "PrivateZone": False},
        "ResourceRecordSetCount": len(zone.records()),
    }


def _place(zone: HostedZone) -> tuple[list[str], str]:
    return sort_key(zone.identity.name), zone.identity.identifier
