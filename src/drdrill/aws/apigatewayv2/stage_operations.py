"""Operations on stages and deployments: what of an API can be called, and under which name."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from drdrill.aws.apigatewayv2.model import Deployment, Stage
from drdrill.aws.apigatewayv2.region import draw_identifier
from drdrill.aws.apigatewayv2.requests import read_tags, refuse_others, tabulate
from drdrill.aws.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.apigatewayv2.region import GatewayRegion
    from drdrill.aws.protocol import Parameters

_STAGE = re.compile(r"\$default|[A-Za-z0-9_-]{1,128}")
_STAGE_MEMBERS = {"ApiId", "StageName", "AutoDeploy", "DeploymentId", "Description", "Tags"}


class StageOperations:
    """The operations on the stages and deployments of one region."""

    def __init__(self, region: GatewayRegion) -> None:
        self._region = region

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return tabulate(
            self,
            "CreateStage",
            "GetStage",
            "GetStages",
            "UpdateStage",
            "DeleteStage",
            "CreateDeployment",
            "GetDeployment",
            "GetDeployments",
        )

    def create_stage(self, parameters: Parameters) -> Mapping[str, Any]:
        """Have an API be called under a name."""
        api, name = self._region.find_api(parameters), parameters["StageName"]
        if not _STAGE.fullmatch(name):
            raise AwsError("BadRequestException", f"Invalid stage name: {name}")
        new = Stage(name, api.identifier, self._region.clock.utc(), tags=read_tags(parameters))
        with self._region.lock:
            if (api.identifier, name) in self._region.stages:
                raise AwsError("ConflictException", "Stage already exists", status=409)
            return self._put_stage("CreateStage", new, parameters)

    def update_stage(self, parameters: Parameters) -> Mapping[str, Any]:
        """Change a stage: what is not named stays."""
        return self._put_stage("UpdateStage", self._find_stage(parameters), parameters)

    def _put_stage(self, operation: str, now: Stage, parameters: Parameters) -> Mapping[str, Any]:
        empty = {
            "StageVariables": {},
            "RouteSettings": {},
            "DefaultRouteSettings": {"DetailedMetricsEnabled": False},
        }
        refuse_others(operation, parameters, _STAGE_MEMBERS, empty)
        stage = replace(
            now,
            auto_deploy=parameters.get("AutoDeploy", now.auto_deploy),
            deployment=parameters.get("DeploymentId", now.deployment),
            description=parameters.get("Description", now.description),
        )
        with self._region.lock:
            if stage.deployment:
                self._region.find(self._region.deployments, stage.deployment, "Deployment")
            self._region.stages[stage.api, stage.name] = stage
        return _describe_stage(stage)

    def get_stage(self, parameters: Parameters) -> Mapping[str, Any]:
        """Describe a stage."""
        return _describe_stage(self._find_stage(parameters))

    def get_stages(self, parameters: Parameters) -> Mapping[str, Any]:
        """Describe an API's stages."""
        api = self._region.find_api(parameters).identifier
        with self._region.lock:
            return {"Items": [_describe_stage(one) for one in self._region.stages.values() if one.api == api]}

    def delete_stage(self, parameters: Parameters) -> Mapping[str, Any]:
        """Delete a stage; refused while a domain leads to it."""
        with self._region.lock:
            stage = self._find_stage(parameters)
            if any((one.api, one.stage) == (stage.api, stage.name) for one in self._region.mappings.values()):
                text = "Deleting stage is not allowed while it has API mappings"
                raise AwsError("BadRequestException", text)
            del self._region.stages[stage.api, stage.name]
        return {}

    def _find_stage(self, parameters: Parameters) -> Stage:
        key = (self._region.find_api(parameters).identifier, parameters["StageName"])
        return self._region.find(self._region.stages, key, "stage")

    def create_deployment(self, parameters: Parameters) -> Mapping[str, Any]:
        """Keep what an API is now, and have a stage be that, if one is named."""
        region, api = self._region, self._region.find_api(parameters).identifier
        with region.lock:
            routes = tuple(one for one in region.routes.values() if one.api == api)
            if not routes:
                raise AwsError(
                    "BadRequestException", "At least one route is required before deploying the API"
                )
            made = Deployment(
                draw_identifier(6), api, region.clock.utc(), routes,
                tuple(one for one in region.integrations.values() if one.api == api), parameters.get("Description", ""),
            )  # fmt: skip
            if name := parameters.get("StageName"):
                stage = region.find(region.stages, (api, name), "stage")
                region.stages[api, name] = replace(stage, deployment=made.identifier)
            region.deployments[made.identifier] = made
        return _describe_deployment(made)

    def get_deployment(self, parameters: Parameters) -> Mapping[str, Any]:
        """Describe a deployment."""
        self._region.find_api(parameters)
        found = self._region.find(self._region.deployments, parameters["DeploymentId"], "Deployment")
        return _describe_deployment(found)

    def get_deployments(self, parameters: Parameters) -> Mapping[str, Any]:
        """Describe an API's deployments."""
        api = self._region.find_api(parameters).identifier
        with self._region.lock:
            found = [one for one in self._region.deployments.values() if one.api == api]
        return {"Items": [_describe_deployment(one) for one in found]}


def _describe_stage(one: Stage) -> dict[str, Any]:
    return {
        "StageName": one.name,
        "AutoDeploy": one.auto_deploy,
        "CreatedDate": one.created_at,
        "LastUpdatedDate": one.created_at,
        "DeploymentId": one.deployment or None,
        "Description": one.description or None,
        "DefaultRouteSettings": {"DetailedMetricsEnabled": False},
        "RouteSettings": {},
        "StageVariables": {},
        "Tags": dict(one.tags),
    }


def _describe_deployment(one: Deployment) -> dict[str, Any]:
    return {
        "DeploymentId": one.identifier,
        "DeploymentStatus": "DEPLOYED",
        "AutoDeployed": False,
        "CreatedDate": one.created_at,
        "Description": one.description or None,
    }
