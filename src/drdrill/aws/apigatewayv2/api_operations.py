"""Operations on HTTP APIs themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from drdrill.aws.apigatewayv2.model import Api
from drdrill.aws.apigatewayv2.region import draw_identifier
from drdrill.aws.apigatewayv2.requests import read_tags, refuse_others, tabulate
from drdrill.aws.errors import AwsError, NotImplementedInMirrorError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.apigatewayv2.region import GatewayRegion
    from drdrill.aws.protocol import Parameters

_API = {"ApiId", "Name", "ProtocolType", "Description", "Version", "DisableExecuteApiEndpoint", "Tags"}
_API_DEFAULTS = {
    "RouteSelectionExpression": "$request.method $request.path",
    "ApiKeySelectionExpression": "$request.header.x-api-key",
    "IpAddressType": "ipv4",
}


class ApiOperations:
    """The operations on the HTTP APIs of one region."""

    def __init__(self, region: GatewayRegion) -> None:
        self._region = region

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return tabulate(self, "CreateApi", "GetApi", "GetApis", "UpdateApi", "DeleteApi")

    def create_api(self, parameters: Parameters) -> Mapping[str, Any]:
        """Make an HTTP API, with nothing in it."""
        refuse_others("CreateApi", parameters, _API, _API_DEFAULTS)
        if parameters["ProtocolType"] == "WEBSOCKET":
            raise NotImplementedInMirrorError("The protocol WEBSOCKET of apigatewayv2:CreateApi")
        if parameters["ProtocolType"] != "HTTP":
            raise AwsError(
                "BadRequestException", "Invalid protocol specified. Must be one of [HTTP, WEBSOCKET]"
            )
        region = self._region
        api = Api(
            draw_identifier(), parameters["Name"], region.clock.utc(), parameters.get("Description", ""),
            parameters.get("Version", ""), parameters.get("DisableExecuteApiEndpoint", False), read_tags(parameters),
        )  # fmt: skip
        with region.lock:
            region.apis[api.identifier] = api
        region.begin()
        return self._describe_api(api)

    def get_api(self, parameters: Parameters) -> Mapping[str, Any]:
        """Describe an API."""
        return self._describe_api(self._region.find_api(parameters))

    def get_apis(self, _: Parameters) -> Mapping[str, Any]:
        """Describe all APIs."""
        with self._region.lock:
            return {"Items": [self._describe_api(one) for one in self._region.apis.values()]}

    def update_api(self, parameters: Parameters) -> Mapping[str, Any]:
        """Change an API: what is not named stays."""
        refuse_others("UpdateApi", parameters, _API - {"ProtocolType", "Tags"}, _API_DEFAULTS)
        api = self._region.find_api(parameters)
        api = replace(
            api,
            name=parameters.get("Name", api.name),
            description=parameters.get("Description", api.description),
            version=parameters.get("Version", api.version),
            endpoint_disabled=parameters.get("DisableExecuteApiEndpoint", api.endpoint_disabled),
        )
        with self._region.lock:
            self._region.apis[api.identifier] = api
        return self._describe_api(api)

    def delete_api(self, parameters: Parameters) -> Mapping[str, Any]:
        """Delete an API with all that it has; refused while a domain leads to it."""
        region = self._region
        with region.lock:
            api = self._region.find_api(parameters)
            if any(one.api == api.identifier for one in region.mappings.values()):
                text = "Deleting API is not allowed while it has API mappings"
                raise AwsError("BadRequestException", text)
            for records in (region.integrations, region.routes, region.stages, region.deployments):
                region.drop(records, lambda one: one.api == api.identifier)
            del region.apis[api.identifier]
        return {}

    def _describe_api(self, api: Api) -> dict[str, Any]:
        return {
            **_API_DEFAULTS,
            "ApiId": api.identifier,
            "ApiEndpoint": f"https://{api.identifier}.{self._region.suffix}",
            "Name": api.name,
            "ProtocolType": "HTTP",
            "CreatedDate": api.created_at,
            "Description": api.description or None,
            "Version": api.version or None,
            "DisableExecuteApiEndpoint": api.endpoint_disabled,
            "Tags": dict(api.tags),
        }
