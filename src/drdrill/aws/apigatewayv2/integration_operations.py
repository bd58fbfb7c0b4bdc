"""Operations on integrations: where requests of an API may go."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from drdrill.aws.apigatewayv2.model import Integration
from drdrill.aws.apigatewayv2.region import draw_identifier
from drdrill.aws.apigatewayv2.requests import refuse_others, tabulate
from drdrill.aws.errors import AwsError, NotImplementedInMirrorError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.apigatewayv2.region import GatewayRegion
    from drdrill.aws.protocol import Parameters

_METHODS = "ANY|GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS"
_TIMEOUTS = (50, 30000)  # API reference, timeoutInMillis of HTTP APIs
_INTEGRATION = {
    "ApiId", "IntegrationId", "IntegrationType", "IntegrationUri", "IntegrationMethod", "ConnectionType",
    "ConnectionId", "PayloadFormatVersion", "TimeoutInMillis", "Description", "TlsConfig",
}  # fmt: skip


class IntegrationOperations:
    """The operations on the integrations of one region."""

    def __init__(self, region: GatewayRegion) -> None:
        self._region = region

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return tabulate(
            self,
            "CreateIntegration",
            "GetIntegration",
            "GetIntegrations",
            "UpdateIntegration",
            "DeleteIntegration",
        )

    def create_integration(self, parameters: Parameters) -> Mapping[str, Any]:
        """Say where requests of an API may go."""
        self._region.find_api(parameters)
        new = Integration(draw_identifier(7), parameters["ApiId"], "", "")
        return self._put_integration("CreateIntegration", new, parameters)

    def update_integration(self, parameters: Parameters) -> Mapping[str, Any]:
        """Change where requests go: what is not named stays."""
        return self._put_integration("UpdateIntegration", self._find_integration(parameters), parameters)

    def _put_integration(self, operation: str, now: Integration, parameters: Parameters) -> Mapping[str, Any]:
        refuse_others(operation, parameters, _INTEGRATION, {"RequestParameters": {}})
        kind = parameters.get("IntegrationType", "HTTP_PROXY")
        if kind != "HTTP_PROXY":
            raise NotImplementedInMirrorError(f"The integration type {kind} of apigatewayv2")
        connection = parameters.get("ConnectionType", "VPC_LINK" if now.link else "INTERNET")
        link = parameters.get("ConnectionId", now.link) if connection == "VPC_LINK" else ""
        wanted = replace(
            now,
            uri=parameters.get("IntegrationUri", now.uri),
            method=parameters.get("IntegrationMethod", now.method),
            link=link,
            timeout_ms=int(parameters.get("TimeoutInMillis", now.timeout_ms)),
            description=parameters.get("Description", now.description),
            tls_name=parameters.get("TlsConfig", {}).get("ServerNameToVerify", now.tls_name),
        )
        least, most = _TIMEOUTS
        if not least <= wanted.timeout_ms <= most:
            raise AwsError("BadRequestException", f"Timeout should be between {least} and {most} ms")
        if connection != "VPC_LINK" and wanted.tls_name:
            text = "TlsConfig is supported only for private integrations"
            raise AwsError("BadRequestException", text)
        if connection == "VPC_LINK":
            self._region.find(self._region.links, link, "VpcLink")
            self._region.balancers.records.listener(wanted.uri)
        elif urlsplit(wanted.uri).scheme not in ("http", "https") or not urlsplit(wanted.uri).hostname:
            raise AwsError("BadRequestException", "Invalid HTTP endpoint specified for URI")
        if wanted.method not in (*_METHODS.split("|"),):
            raise AwsError("BadRequestException", "Invalid HTTP method specified for the integration")
        if wanted.method != "ANY":
            raise NotImplementedInMirrorError(f"The integration method {wanted.method} of apigatewayv2")
        with self._region.lock:
            self._region.integrations[wanted.identifier] = wanted
        return _describe_integration(wanted)

    def get_integration(self, parameters: Parameters) -> Mapping[str, Any]:
        """Describe an integration."""
        return _describe_integration(self._find_integration(parameters))

    def get_integrations(self, parameters: Parameters) -> Mapping[str, Any]:
        """Describe an API's integrations."""
        api = self._region.find_api(parameters).identifier
        with self._region.lock:
            found = [one for one in self._region.integrations.values() if one.api == api]
        return {"Items": [_describe_integration(one) for one in found]}

    def delete_integration(self, parameters: Parameters) -> Mapping[str, Any]:
        """Delete an integration that no route has."""
        with self._region.lock:
            found = self._find_integration(parameters)
            if any(one.integration == found.identifier for one in self._region.routes.values()):
                text = "Cannot delete Integration because it is referenced by a Route"
                raise AwsError("ConflictException", text, status=409)
            del self._region.integrations[found.identifier]
        return {}

    def _find_integration(self, parameters: Parameters) -> Integration:
        self._region.find_api(parameters)
        return self._region.find(self._region.integrations, parameters["IntegrationId"], "Integration")


def _describe_integration(one: Integration) -> dict[str, Any]:
    return {
        "IntegrationId": one.identifier,
        "IntegrationType": "HTTP_PROXY",
        "IntegrationUri": one.uri,
        "IntegrationMethod": one.method,
        "ConnectionType": "VPC_LINK" if one.link else "INTERNET",
        "ConnectionId": one.link or None,
        "PayloadFormatVersion": "1.0",
        "TimeoutInMillis": one.timeout_ms,
        "Description": one.description or None,
        "TlsConfig": {"ServerNameToVerify": one.tls_name} if one.tls_name else None,
    }
