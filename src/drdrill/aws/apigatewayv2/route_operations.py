"""Operations on routes: which requests an integration gets."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from drdrill.aws.apigatewayv2.model import DEFAULT, Route
from drdrill.aws.apigatewayv2.region import draw_identifier
from drdrill.aws.apigatewayv2.requests import refuse_others, tabulate
from drdrill.aws.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.apigatewayv2.region import GatewayRegion
    from drdrill.aws.protocol import Parameters

_METHODS = "ANY|GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS"
_KEY = re.compile(rf"(?:{_METHODS}) /[^\s]*")
_ROUTE = {"ApiId", "RouteId", "RouteKey", "Target"}
_ROUTE_DEFAULTS = {"AuthorizationType": "NONE", "ApiKeyRequired": False}


class RouteOperations:
    """The operations on the routes of one region."""

    def __init__(self, region: GatewayRegion) -> None:
        self._region = region

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return tabulate(self, "CreateRoute", "GetRoute", "GetRoutes", "UpdateRoute", "DeleteRoute")

    def create_route(self, parameters: Parameters) -> Mapping[str, Any]:
        """Have requests go to an integration."""
        self._region.find_api(parameters)
        return self._put_route("CreateRoute", Route(draw_identifier(7), parameters["ApiId"], ""), parameters)

    def update_route(self, parameters: Parameters) -> Mapping[str, Any]:
        """Change a route: what is not named stays."""
        return self._put_route("UpdateRoute", self._find_route(parameters), parameters)

    def _put_route(self, operation: str, now: Route, parameters: Parameters) -> Mapping[str, Any]:
        refuse_others(operation, parameters, _ROUTE, _ROUTE_DEFAULTS)
        key, target = parameters.get("RouteKey", now.key), parameters.get("Target")
        if key != DEFAULT and not _KEY.fullmatch(key):
            raise AwsError("BadRequestException", f"The provided route key is not formatted properly: {key}")
        integration = now.integration if target is None else target.removeprefix("integrations/")
        with self._region.lock:
            if integration:
                self._region.find(self._region.integrations, integration, "Integration")
            for other in self._region.routes.values():
                if (other.api, other.key) == (now.api, key) and other.identifier != now.identifier:
                    text = f"Route with key {key} already exists for this API"
                    raise AwsError("ConflictException", text, status=409)
            route = replace(now, key=key, integration=integration)
            self._region.routes[route.identifier] = route
        return _describe_route(route)

    def get_route(self, parameters: Parameters) -> Mapping[str, Any]:
        """Describe a route."""
        return _describe_route(self._find_route(parameters))

    def get_routes(self, parameters: Parameters) -> Mapping[str, Any]:
        """Describe an API's routes."""
        api = self._region.find_api(parameters).identifier
        with self._region.lock:
            return {"Items": [_describe_route(one) for one in self._region.routes.values() if one.api == api]}

    def delete_route(self, parameters: Parameters) -> Mapping[str, Any]:
        """Delete a route."""
        with self._region.lock:
            del self._region.routes[self._find_route(parameters).identifier]
        return {}

    def _find_route(self, parameters: Parameters) -> Route:
        self._region.find_api(parameters)
        return self._region.find(self._region.routes, parameters["RouteId"], "Route")


def _describe_route(one: Route) -> dict[str, Any]:
    target = f"integrations/{one.integration}" if one.integration else None
    return {"RouteId": one.identifier, "RouteKey": one.key, "Target": target, **_ROUTE_DEFAULTS}
