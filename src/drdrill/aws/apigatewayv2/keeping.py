"""What API Gateway keeps: everything that it was told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from drdrill.aws.errors import AwsError
from drdrill.aws.keeping import NotKeptError
from drdrill.core.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from drdrill.aws.apigatewayv2.model import Api, Deployment, Domain, Integration, Route, Stage, VpcLink
    from drdrill.aws.apigatewayv2.model import Mapping as ApiMapping
    from drdrill.aws.apigatewayv2.region import GatewayRegion

_THERE_WITHIN = timedelta(minutes=1)  # measured 1 s
_POLL = timedelta(milliseconds=50)


@dataclass(frozen=True, slots=True)
class KeptGateway:
    """What is known in one region."""

    apis: Mapping[str, Api]
    integrations: Mapping[str, Integration]
    routes: Mapping[str, Route]
    stages: Mapping[tuple[str, str], Stage]
    deployments: Mapping[str, Deployment]
    links: Mapping[str, VpcLink]
    domains: Mapping[str, Domain]
    mappings: Mapping[str, ApiMapping]


class GatewayKeeper:
    """Keeps the HTTP APIs of these regions. Implements `drdrill.aws.keeping.Keeper`."""

    name = "apigatewayv2"
    after = ("delegated", "elbv2")  # certificates; listeners

    def __init__(self, regions: Mapping[str, GatewayRegion]) -> None:
        self._regions = regions

    def keep(self, _: Path, /) -> Mapping[str, KeptGateway]:
        """Return what is known."""
        return {name: _keep(region) for name, region in self._regions.items()}

    def restore(self, kept: Mapping[str, KeptGateway], _: Path, /) -> None:
        """Make all APIs again; returns when their names are answered."""
        for name, one in kept.items():
            region = self._regions[name]
            try:
                for domain in one.domains.values():
                    region.require_certificate(domain.certificate)
            except AwsError as error:
                raise NotKeptError(f"domains in {name}: {error}") from error
            with region.lock:
                region.links.update(one.links)
                region.apis.update(one.apis)
                region.integrations.update(one.integrations)
                region.routes.update(one.routes)
                region.deployments.update(one.deployments)
                region.stages.update(one.stages)
                region.domains.update(one.domains)
                region.mappings.update(one.mappings)
            if one.apis or one.domains or one.links:
                region.begin()
                wait_until(region.is_settled, what="a gateway", within=_THERE_WITHIN, every=_POLL)


def _keep(region: GatewayRegion) -> KeptGateway:
    with region.lock:
        return KeptGateway(
            dict(region.apis),
            dict(region.integrations),
            dict(region.routes),
            dict(region.stages),
            dict(region.deployments),
            dict(region.links),
            dict(region.domains),
            dict(region.mappings),
        )
