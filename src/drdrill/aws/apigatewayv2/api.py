"""The API of API Gateway (version 2) of one region: its operations by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.aws.apigatewayv2.api_operations import ApiOperations
from drdrill.aws.apigatewayv2.domain_operations import DomainOperations
from drdrill.aws.apigatewayv2.integration_operations import IntegrationOperations
from drdrill.aws.apigatewayv2.route_operations import RouteOperations
from drdrill.aws.apigatewayv2.stage_operations import StageOperations

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.apigatewayv2.region import GatewayRegion
    from drdrill.aws.protocol import Parameters


class GatewayService:
    """API Gateway in one region, as the gate calls it. Thread-safe."""

    name = "apigatewayv2"

    def __init__(self, region: GatewayRegion) -> None:
        self.region = region
        self._operations = {
            **ApiOperations(region).table(),
            **IntegrationOperations(region).table(),
            **RouteOperations(region).table(),
            **StageOperations(region).table(),
            **DomainOperations(region).table(),
        }

    def operations(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations that are implemented."""
        return self._operations
