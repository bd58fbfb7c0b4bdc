"""API Gateway's HTTP APIs: one real proxy a region in front of load balancers and public servers."""

from drdrill.aws.apigatewayv2.api import GatewayService
from drdrill.aws.apigatewayv2.region import GatewayCertificates, GatewayRegion

__all__ = ["GatewayCertificates", "GatewayRegion", "GatewayService"]
