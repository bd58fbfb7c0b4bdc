"""Operations on clusters: create, describe, list, delete."""

from __future__ import annotations

import re
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from drdrill.aws.eks.access import ADMIN_POLICY
from drdrill.aws.eks.access_operations import make_entry
from drdrill.aws.eks.cluster import Cluster
from drdrill.aws.eks.description import SERVICE_RANGE, describe_cluster
from drdrill.aws.eks.listing import read_tags, refuse_parameters, select_names
from drdrill.aws.eks.model import ClusterRecord
from drdrill.aws.errors import AwsError, NotImplementedInMirrorError
from drdrill.aws.ports import SubnetNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drdrill.aws.eks.region import EksRegion
    from drdrill.aws.ports import Subnet
    from drdrill.aws.protocol import Parameters

_NAME = re.compile(r"[0-9A-Za-z][A-Za-z0-9_-]{0,99}")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/.+")
_FEWEST_ZONES = 2
_KNOWN = (
    "name", "version", "roleArn", "resourcesVpcConfig", "kubernetesNetworkConfig", "clientRequestToken", "tags",
    "accessConfig", "upgradePolicy", "bootstrapSelfManagedAddons", "logging",
)  # fmt: skip
_MODES = ("API", "API_AND_CONFIG_MAP")


class ClusterOperations:
    """The operations on the clusters of one region; `caller` is the ARN of whoever calls."""

    def __init__(self, region: EksRegion, caller: str) -> None:
        self._region = region
        self._caller = caller

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return {
            "CreateCluster": self.create_cluster,
            "DescribeCluster": self.describe_cluster,
            "ListClusters": self.list_clusters,
            "DeleteCluster": self.delete_cluster,
        }

    def create_cluster(self, parameters: Parameters) -> Mapping[str, Any]:
        """Begin to create a cluster; it is `CREATING` until all of its control plane is ready."""
        refuse_parameters("CreateCluster", parameters, _KNOWN)
        name, region = parameters["name"], self._region
        if not _NAME.fullmatch(name):
            text = f"The name {name} is not valid: it begins with a letter or digit, and has letters, digits, - and _."
            raise AwsError("InvalidParameterException", text)
        require_role(parameters["roleArn"])
        places = parameters["resourcesVpcConfig"]
        refuse_parameters(
            "CreateCluster (resourcesVpcConfig)", places, ("subnetIds", "securityGroupIds", *_OPEN)
        )
        if places.get("endpointPublicAccess") is False or places.get("publicAccessCidrs", _ALL) != _ALL:
            raise NotImplementedInMirrorError("A restricted public endpoint of eks:CreateCluster")
        subnets = tuple(dict.fromkeys(places.get("subnetIds", [])))
        found = require_subnets(region, subnets)
        if len({subnet.zone for subnet in found}) < _FEWEST_ZONES:
            raise AwsError(
                "InvalidParameterException", "Subnets specified must be in at least two different AZs"
            )
        _refuse_other_network(parameters.get("kubernetesNetworkConfig", {}))
        access = parameters.get("accessConfig", {})
        mode = access.get("authenticationMode", _MODES[-1])
        if mode not in _MODES:
            raise NotImplementedInMirrorError(f"The authenticationMode {mode} of eks:CreateCluster")
        record = ClusterRecord(
            name=name,
            region=region.name,
            account=region.account,
            version=read_version(parameters, region.fleet.version),
            role=parameters["roleArn"],
            subnets=subnets,
            vpc=found[0].vpc,
            security_groups=tuple(places.get("securityGroupIds", [])),
            created_at=region.clock.utc(),
            token=parameters.get("clientRequestToken") or str(uuid.uuid4()),
            authentication_mode=mode,
            bootstrap_admin=access.get("bootstrapClusterCreatorAdminPermissions", True),
            private_access=places.get("endpointPrivateAccess", False),
            tags=read_tags(parameters),
        )
        cluster = Cluster(record)
        if record.bootstrap_admin:
            entry = make_entry(region, cluster, self._caller)
            cluster.put_entry(replace(entry, policies={ADMIN_POLICY: entry.created_at}))
        return {"cluster": describe_cluster(region.create(cluster).record)}

    def describe_cluster(self, parameters: Parameters) -> Mapping[str, Any]:
        """Describe a cluster as it is now."""
        return {"cluster": describe_cluster(self._region.find(parameters["name"]).record)}

    def list_clusters(self, parameters: Parameters) -> Mapping[str, Any]:
        """List the names of all clusters."""
        names, more = select_names((one.record.name for one in self._region.clusters()), parameters)
        return {"clusters": names, **more}

    def delete_cluster(self, parameters: Parameters) -> Mapping[str, Any]:
        """Begin to take a cluster away; its node groups must be gone."""
        cluster = self._region.find(parameters["name"])
        self._region.delete(cluster)
        return {"cluster": describe_cluster(cluster.record)}


_ALL = ["0.0.0.0/0"]
_OPEN = ("endpointPublicAccess", "endpointPrivateAccess", "publicAccessCidrs")


def require_role(role: str) -> None:
    """Raise AWS's error for what is no role's ARN; whether there is such a role, only IAM knows."""
    if not _ROLE.fullmatch(role):
        raise AwsError("InvalidParameterException", f"The role ARN is not valid: {role}")


def require_subnets(region: EksRegion, subnets: Sequence[str]) -> tuple[Subnet, ...]:
    """Return subnets; raises AWS's error for none, for one that there is not, and for those of several VPCs."""
    if not subnets:
        raise AwsError("InvalidParameterException", "Subnets must be specified.")
    try:
        found = region.autoscaling.ec2.subnets.find(subnets)
    except SubnetNotFoundError as error:
        raise AwsError("InvalidParameterException", str(error)) from error
    if len({subnet.vpc for subnet in found}) > 1:
        raise AwsError("InvalidParameterException", "Subnets specified must belong to the same VPC")
    return found


def read_version(parameters: Parameters, there: str) -> str:
    """Return the minor version of Kubernetes that is asked for: the mirror has one."""
    minor = ".".join(there.split(".")[:2])
    if parameters.get("version", minor) != minor:
        text = f"unsupported Kubernetes version {parameters['version']}: this mirror has {minor}"
        raise AwsError("InvalidParameterException", text)
    return minor


def _refuse_other_network(wanted: Mapping[str, Any]) -> None:
    if (
        wanted.get("ipFamily", "ipv4") != "ipv4"
        or wanted.get("serviceIpv4Cidr", SERVICE_RANGE) != SERVICE_RANGE
    ):
        raise NotImplementedInMirrorError(
            f"A network of services other than {SERVICE_RANGE} of eks:CreateCluster"
        )
