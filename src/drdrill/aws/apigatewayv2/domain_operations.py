"""Operations on what leads in and out: custom domains with their mappings, and VPC links."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from drdrill.aws.apigatewayv2.model import Domain, VpcLink
from drdrill.aws.apigatewayv2.model import Mapping as ApiMapping
from drdrill.aws.apigatewayv2.region import draw_identifier
from drdrill.aws.apigatewayv2.requests import read_tags, refuse_others, tabulate
from drdrill.aws.errors import AwsError, NotImplementedInMirrorError
from drdrill.aws.ports import SubnetNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.apigatewayv2.region import GatewayRegion
    from drdrill.aws.protocol import Parameters

_DOMAIN = re.compile(r"(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
_CONFIGURATION = {"CertificateArn", "EndpointType", "SecurityPolicy", "IpAddressType"}


class DomainOperations:
    """The operations on the domains and links of one region."""

    def __init__(self, region: GatewayRegion) -> None:
        self._region = region

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return tabulate(
            self,
            "CreateDomainName", "GetDomainName", "GetDomainNames", "DeleteDomainName",
            "CreateApiMapping", "GetApiMapping", "GetApiMappings", "DeleteApiMapping",
            "CreateVpcLink", "GetVpcLink", "GetVpcLinks", "DeleteVpcLink",
        )  # fmt: skip

    # -- domains --------------------------------------------------------------------------------------------------

    def create_domain_name(self, parameters: Parameters) -> Mapping[str, Any]:
        """Have the gateway answer for a name of the customer's own."""
        known = {"DomainName", "DomainNameConfigurations", "Tags"}
        refuse_others("CreateDomainName", parameters, known, {"RoutingMode": "API_MAPPING_ONLY"})
        name, configurations = (
            parameters["DomainName"].lower(),
            parameters.get("DomainNameConfigurations", []),
        )
        if not _DOMAIN.fullmatch(name) or len(configurations) != 1:
            raise AwsError("BadRequestException", f"Invalid domain name or configuration specified: {name}")
        if name.startswith("*."):
            raise NotImplementedInMirrorError("A wildcard in apigatewayv2:CreateDomainName")
        (said,) = configurations
        for member in sorted(said.keys() - _CONFIGURATION):
            raise NotImplementedInMirrorError(f"The member {member} of apigatewayv2:CreateDomainName")
        if said.get("EndpointType", "REGIONAL") != "REGIONAL":
            raise AwsError("BadRequestException", "HTTP APIs support regional domain names only")
        self._region.require_certificate(said.get("CertificateArn", ""))
        target = f"d-{draw_identifier()}.{self._region.suffix}"
        domain = Domain(name, target, said["CertificateArn"], read_tags(parameters))
        with self._region.lock:
            if name in self._region.domains:
                text = "The domain name you provided already exists."
                raise AwsError("ConflictException", text, status=409)
            self._region.domains[name] = domain
        self._region.begin()
        return self._describe_domain(domain)

    def get_domain_name(self, parameters: Parameters) -> Mapping[str, Any]:
        """Describe a domain."""
        return self._describe_domain(self._find_domain(parameters))

    def get_domain_names(self, _: Parameters) -> Mapping[str, Any]:
        """Describe all domains."""
        with self._region.lock:
            return {"Items": [self._describe_domain(one) for one in self._region.domains.values()]}

    def delete_domain_name(self, parameters: Parameters) -> Mapping[str, Any]:
        """Answer for a name no longer."""
        with self._region.lock:
            name = self._find_domain(parameters).name
            self._region.drop(self._region.mappings, lambda one: one.domain == name)
            del self._region.domains[name]
        return {}

    def _find_domain(self, parameters: Parameters) -> Domain:
        return self._region.find(self._region.domains, parameters["DomainName"].lower(), "domain name")

    def _describe_domain(self, domain: Domain) -> dict[str, Any]:
        configuration = {
            "ApiGatewayDomainName": domain.target,
            "CertificateArn": domain.certificate,
            "DomainNameStatus": "AVAILABLE" if self._region.is_published(domain.target) else "UPDATING",
            "EndpointType": "REGIONAL",
            "HostedZoneId": self._region.zone_id,
            "IpAddressType": "ipv4",
            "SecurityPolicy": "TLS_1_2",
        }
        return {
            "ApiMappingSelectionExpression": "$request.basepath",
            "DomainName": domain.name,
            "DomainNameArn": f"arn:aws:apigateway:{self._region.name}::/domainnames/{domain.name}",
            "DomainNameConfigurations": [configuration],
            "Tags": dict(domain.tags),
        }

    # -- mappings -------------------------------------------------------------------------------------------------

    def create_api_mapping(self, parameters: Parameters) -> Mapping[str, Any]:
        """Have a domain lead to a stage of an API, below a path."""
        region, key = self._region, parameters.get("ApiMappingKey", "")
        with region.lock:
            domain = self._find_domain(parameters)
            region.find(region.apis, parameters["ApiId"], "API")
            region.find(region.stages, (parameters["ApiId"], parameters["Stage"]), "stage")
            if any((one.domain, one.key) == (domain.name, key) for one in region.mappings.values()):
                text = "ApiMapping key already exists for this domain name"
                raise AwsError("ConflictException", text, status=409)
            made = ApiMapping(draw_identifier(6), domain.name, parameters["ApiId"], parameters["Stage"], key)
            region.mappings[made.identifier] = made
        return _describe_mapping(made)

    def get_api_mapping(self, parameters: Parameters) -> Mapping[str, Any]:
        """Describe a mapping."""
        return _describe_mapping(self._find_mapping(parameters))

    def get_api_mappings(self, parameters: Parameters) -> Mapping[str, Any]:
        """Describe a domain's mappings."""
        domain = self._find_domain(parameters).name
        with self._region.lock:
            found = [one for one in self._region.mappings.values() if one.domain == domain]
        return {"Items": [_describe_mapping(one) for one in found]}

    def delete_api_mapping(self, parameters: Parameters) -> Mapping[str, Any]:
        """Have a domain lead there no longer."""
        with self._region.lock:
            del self._region.mappings[self._find_mapping(parameters).identifier]
        return {}

    def _find_mapping(self, parameters: Parameters) -> ApiMapping:
        self._find_domain(parameters)
        return self._region.find(self._region.mappings, parameters["ApiMappingId"], "API mapping")

    # -- links ----------------------------------------------------------------------------------------------------

    def create_vpc_link(self, parameters: Parameters) -> Mapping[str, Any]:
        """Make a way into the VPC of some subnets."""
        try:
            self._region.subnets.find(parameters["SubnetIds"])
        except SubnetNotFoundError as error:
            raise AwsError("BadRequestException", str(error)) from error
        made = VpcLink(
            draw_identifier(6), parameters["Name"], self._region.clock.utc(), tuple(parameters["SubnetIds"]),
            tuple(parameters.get("SecurityGroupIds", ())), read_tags(parameters),
        )  # fmt: skip
        with self._region.lock:
            self._region.links[made.identifier] = made
        self._region.begin()
        return self._describe_link(made)

    def get_vpc_link(self, parameters: Parameters) -> Mapping[str, Any]:
        """Describe a link."""
        return self._describe_link(self._find_link(parameters))

    def get_vpc_links(self, _: Parameters) -> Mapping[str, Any]:
        """Describe all links."""
        with self._region.lock:
            return {"Items": [self._describe_link(one) for one in self._region.links.values()]}

    def delete_vpc_link(self, parameters: Parameters) -> Mapping[str, Any]:
        """Delete a link that no integration has."""
        with self._region.lock:
            link = self._find_link(parameters).identifier
            if any(one.link == link for one in self._region.integrations.values()):
                text = "Cannot delete vpc link. Vpc link is referenced by an integration"
                raise AwsError("BadRequestException", text)
            del self._region.links[link]
        return {}

    def _find_link(self, parameters: Parameters) -> VpcLink:
        return self._region.find(self._region.links, parameters["VpcLinkId"], "VpcLink")

    def _describe_link(self, link: VpcLink) -> dict[str, Any]:
        return {
            "VpcLinkId": link.identifier,
            "Name": link.name,
            "CreatedDate": link.created_at,
            "SubnetIds": list(link.subnets),
            "SecurityGroupIds": list(link.security_groups),
            "VpcLinkStatus": "AVAILABLE" if self._region.answers else "PENDING",
            "VpcLinkVersion": "V2",
            "Tags": dict(link.tags),
        }


def _describe_mapping(one: ApiMapping) -> dict[str, Any]:
    return {
        "ApiMappingId": one.identifier,
        "ApiId": one.api,
        "ApiMappingKey": one.key or None,
        "Stage": one.stage,
    }
