"""Operations on node groups and their updates. A node group is an Auto Scaling group whose instances are nodes."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

from drdrill.aws.autoscaling import Capacity
from drdrill.aws.eks.cluster_operations import read_version, require_role, require_subnets
from drdrill.aws.eks.description import describe_nodegroup, describe_update
from drdrill.aws.eks.listing import read_tags, refuse_parameters, select_names
from drdrill.aws.eks.model import NodegroupRecord, NodegroupStatus, UpdateRecord
from drdrill.aws.eks.nodegroup import Nodegroup
from drdrill.aws.errors import AwsError, NotImplementedInMirrorError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.eks.cluster import Cluster
    from drdrill.aws.eks.region import EksRegion
    from drdrill.aws.protocol import Parameters

_NAME = re.compile(r"[0-9A-Za-z][A-Za-z0-9_-]{0,62}")
_LABEL = re.compile(r"[A-Za-z0-9./_-]{1,316}")
_LABEL_VALUE = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?")
_KNOWN = (
    "clusterName", "nodegroupName", "scalingConfig", "diskSize", "subnets", "instanceTypes", "amiType", "nodeRole",
    "labels", "tags", "clientRequestToken", "updateConfig", "capacityType", "version",
)  # fmt: skip
_UPDATED = ("clusterName", "nodegroupName", "scalingConfig", "updateConfig", "clientRequestToken")
_DEFAULT_TYPE, _DEFAULT_DISK = "t3.medium", 20  # API reference, CreateNodegroup
_DEFAULT_SIZES = {"minSize": 1, "maxSize": 2, "desiredSize": 2}


class NodegroupOperations:
    """The operations on the node groups of one region."""

    def __init__(self, region: EksRegion) -> None:
        self._region = region

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return {
            "CreateNodegroup": self.create_nodegroup,
            "DescribeNodegroup": self.describe_nodegroup,
            "ListNodegroups": self.list_nodegroups,
            "UpdateNodegroupConfig": self.update_nodegroup_config,
            "DeleteNodegroup": self.delete_nodegroup,
            "DescribeUpdate": self.describe_update,
            "ListUpdates": self.list_updates,
        }

    def create_nodegroup(self, parameters: Parameters) -> Mapping[str, Any]:
        """Begin to create a node group; it is `CREATING` until all of its nodes are Ready."""
        refuse_parameters("CreateNodegroup", parameters, _KNOWN)
        cluster, region = self._region.find(parameters["clusterName"]), self._region
        plane, name = cluster.require_active(), parameters["nodegroupName"]
        token = parameters.get("clientRequestToken") or str(uuid.uuid4())
        for existing in cluster.nodegroups():
            if (existing.record.name, existing.record.token) == (name, token):
                return {"nodegroup": self._describe(existing)}
        if not _NAME.fullmatch(name):
            raise AwsError("InvalidParameterException", f"The nodegroup name {name} is not valid.")
        if parameters.get("capacityType", "ON_DEMAND") != "ON_DEMAND":
            raise NotImplementedInMirrorError("A capacityType other than ON_DEMAND of eks:CreateNodegroup")
        if len(parameters.get("instanceTypes", [])) > 1:
            raise NotImplementedInMirrorError("More than one of the instanceTypes of eks:CreateNodegroup")
        require_role(parameters["nodeRole"])
        subnets = require_subnets(region, parameters["subnets"])
        if {subnet.vpc for subnet in subnets} != {cluster.record.vpc}:
            text = "Subnets are not in the VPC of the cluster"
            raise AwsError("InvalidParameterException", text)
        sizes = read_sizes({**_DEFAULT_SIZES, **parameters.get("scalingConfig", {})})
        identity = str(uuid.uuid4())
        record = NodegroupRecord(
            name=name,
            cluster=cluster.record.name,
            arn=f"arn:aws:eks:{region.name}:{region.account}:nodegroup/{cluster.record.name}/{name}/{identity}",
            version=read_version(parameters, region.fleet.version),
            role=parameters["nodeRole"],
            subnets=tuple(parameters["subnets"]),
            instance_type=next(iter(parameters.get("instanceTypes", [])), _DEFAULT_TYPE),
            disk_size=parameters.get("diskSize", _DEFAULT_DISK),
            created_at=region.clock.utc(),
            token=token,
            group=f"eks-{name}-{identity}",
            labels=_read_labels(parameters),
            tags=read_tags(parameters),
            max_unavailable=_read_max_unavailable(parameters) or 1,
        )
        nodegroup = Nodegroup(record, plane, region.clock)
        cluster.add_nodegroup(nodegroup)
        region.autoscaling.create(
            record.group,
            nodegroup,
            subnets,
            sizes,
            instance_type=record.instance_type,
            tags={
                f"kubernetes.io/cluster/{record.cluster}": "owned",
                "eks:cluster-name": record.cluster,
                "eks:nodegroup-name": name,
                "Name": f"{record.cluster}-{name}-node",
            },
        )
        return {"nodegroup": self._describe(nodegroup)}

    def describe_nodegroup(self, parameters: Parameters) -> Mapping[str, Any]:
        """Describe a node group as it is now."""
        return {"nodegroup": self._describe(self._find(parameters)[1])}

    def list_nodegroups(self, parameters: Parameters) -> Mapping[str, Any]:
        """List the names of a cluster's node groups."""
        cluster = self._region.find(parameters["clusterName"])
        names, more = select_names((one.record.name for one in cluster.nodegroups()), parameters)
        return {"nodegroups": names, **more}

    def update_nodegroup_config(self, parameters: Parameters) -> Mapping[str, Any]:
        """Begin to make a node group larger or smaller; the update is `Successful` when all nodes are Ready."""
        refuse_parameters("UpdateNodegroupConfig", parameters, _UPDATED)
        _, nodegroup = self._find(parameters)
        wanted, unavailable = parameters.get("scalingConfig", {}), _read_max_unavailable(parameters)
        if not wanted and unavailable is None:
            raise AwsError("InvalidParameterException", "No changes needed for the nodegroup config provided")
        token = parameters.get("clientRequestToken") or str(uuid.uuid4())
        for existing in nodegroup.updates():
            if existing.token == token:
                return {"update": describe_update(existing)}
        kinds = {"minSize": "MinSize", "maxSize": "MaxSize", "desiredSize": "DesiredSize"}
        changes = [(kinds[key], str(value)) for key, value in wanted.items()]
        if unavailable is not None:
            changes.append(("MaxUnavailable", str(unavailable)))
        record = nodegroup.record
        update = UpdateRecord(str(uuid.uuid4()), record.name, tuple(changes), self._region.clock.utc(), token)
        group = self._region.autoscaling.find(record.group)

        def apply() -> None:
            group.resize(
                lambda now: read_sizes(
                    {"minSize": now.minimum, "maxSize": now.maximum, "desiredSize": now.desired, **wanted}
                )
            )

        if not nodegroup.begin_update(update, apply, max_unavailable=unavailable):
            text = f"Nodegroup cannot be updated as it is currently not in Active State: {nodegroup.record.status}"
            raise AwsError("ResourceInUseException", text, status=409)
        return {"update": describe_update(update)}

    def delete_nodegroup(self, parameters: Parameters) -> Mapping[str, Any]:
        """Begin to drain a node group's nodes and to take them away."""
        _, nodegroup = self._find(parameters)
        record = nodegroup.record
        if record.status is NodegroupStatus.DELETING:
            text = f"Nodegroup {record.name} is being deleted already."
            raise AwsError("ResourceInUseException", text, status=409)
        nodegroup.change(status=NodegroupStatus.DELETING, issues=())
        self._region.autoscaling.find(record.group).delete()
        return {"nodegroup": self._describe(nodegroup)}

    def describe_update(self, parameters: Parameters) -> Mapping[str, Any]:
        """Describe an update of a node group as it is now."""
        wanted = parameters["updateId"]
        for update in self._updates(parameters):
            if update.identifier == wanted:
                return {"update": describe_update(update)}
        raise AwsError("ResourceNotFoundException", f"No update found for ID: {wanted}", status=404)

    def list_updates(self, parameters: Parameters) -> Mapping[str, Any]:
        """List the ids of a node group's updates; clusters have none here."""
        names, more = select_names((one.identifier for one in self._updates(parameters)), parameters)
        return {"updateIds": names, **more}

    def _updates(self, parameters: Parameters) -> tuple[UpdateRecord, ...]:
        cluster = self._region.find(parameters["name"])
        name = parameters.get("nodegroupName")
        return cluster.find_nodegroup(name).updates() if name else ()

    def _find(self, parameters: Parameters) -> tuple[Cluster, Nodegroup]:
        cluster = self._region.find(parameters["clusterName"])
        return cluster, cluster.find_nodegroup(parameters["nodegroupName"])

    def _describe(self, nodegroup: Nodegroup) -> dict[str, Any]:
        record = nodegroup.record
        try:
            capacity = self._region.autoscaling.find(record.group).capacity
        except AwsError:  # its last instance just went
            capacity = Capacity(0, 0, 0)
        return describe_nodegroup(record, capacity)


def read_sizes(sizes: Mapping[str, int]) -> Capacity:
    """Return how large a node group is to be; raises EKS's errors for sizes that contradict each other."""
    smallest, largest, desired = sizes["minSize"], sizes["maxSize"], sizes["desiredSize"]
    problem = ""
    if smallest < 0 or largest < 1 or desired < 0:
        problem = "Sizes must not be negative, and the maximum at least 1"
    elif smallest > desired:
        problem = f"Minimum capacity {smallest} can't be greater than desired size {desired}"
    elif desired > largest:
        problem = f"desired capacity {desired} can't be greater than max size {largest}"
    if problem:
        raise AwsError("InvalidParameterException", problem)
    return Capacity(smallest, largest, desired)


def _read_max_unavailable(parameters: Parameters) -> int | None:
    wanted = parameters.get("updateConfig", {})
    refuse_parameters("UpdateNodegroupConfig (updateConfig)", wanted, ("maxUnavailable",))
    found: int | None = wanted.get("maxUnavailable")
    if found is not None and found < 1:
        raise AwsError("InvalidParameterException", "maxUnavailable must be at least 1")
    return found


def _read_labels(parameters: Parameters) -> Mapping[str, str]:
    labels: Mapping[str, str] = parameters.get("labels", {})
    for key, value in labels.items():
        reserved = key.split("/", maxsplit=1)[0].endswith(("kubernetes.io", "k8s.io", "eks.amazonaws.com"))
        if reserved or not _LABEL.fullmatch(key) or not _LABEL_VALUE.fullmatch(value):
            raise AwsError("InvalidParameterException", f"The label {key}={value} is not valid")
    return dict(labels)
