"""Operations on access entries: which principals of IAM may ask a cluster's API, and as whom."""

from __future__ import annotations

import re
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from drdrill.aws.eks.access import POLICIES, group_of, role_of
from drdrill.aws.eks.description import describe_entry, describe_policy
from drdrill.aws.eks.listing import read_tags, refuse_parameters, select_names
from drdrill.aws.eks.model import AccessEntry
from drdrill.aws.errors import AwsError, NotImplementedInMirrorError
from drdrill.core.errors import DrdrillError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.eks.cluster import Cluster
    from drdrill.aws.eks.region import EksRegion
    from drdrill.aws.protocol import Parameters

_PRINCIPAL = re.compile(r"arn:aws[a-z-]*:iam::(?P<account>\d{12}):(?P<kind>user|role)/(?P<name>.+)")
_KNOWN = ("clusterName", "principalArn", "kubernetesGroups", "tags", "clientRequestToken", "username", "type")


class AccessOperations:
    """The operations on the access entries of one region's clusters."""

    def __init__(self, region: EksRegion) -> None:
        self._region = region

    def table(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations by name."""
        return {
            "CreateAccessEntry": self.create_access_entry,
            "DescribeAccessEntry": self.describe_access_entry,
            "UpdateAccessEntry": self.update_access_entry,
            "ListAccessEntries": self.list_access_entries,
            "DeleteAccessEntry": self.delete_access_entry,
            "AssociateAccessPolicy": self.associate_access_policy,
            "DisassociateAccessPolicy": self.disassociate_access_policy,
            "ListAssociatedAccessPolicies": self.list_associated_access_policies,
            "ListAccessPolicies": self.list_access_policies,
        }

    def create_access_entry(self, parameters: Parameters) -> Mapping[str, Any]:
        """Let a principal ask a cluster's API; without a policy or a group that has a role it may do nothing there."""
        refuse_parameters("CreateAccessEntry", parameters, _KNOWN)
        if parameters.get("type", "STANDARD") != "STANDARD":
            raise NotImplementedInMirrorError(f"The type {parameters['type']} of eks:CreateAccessEntry")
        cluster = self._region.find(parameters["clusterName"])
        entry = make_entry(self._region, cluster, parameters["principalArn"])
        entry = replace(
            entry,
            username=_read_username(parameters) or entry.username,
            groups=_read_groups(parameters),
            tags=read_tags(parameters),
        )
        cluster.put_entry(entry, new=True)
        return {"accessEntry": describe_entry(entry, cluster.record.name)}

    def describe_access_entry(self, parameters: Parameters) -> Mapping[str, Any]:
        """Describe an entry."""
        cluster, entry = self._find(parameters)
        return {"accessEntry": describe_entry(entry, cluster.record.name)}

    def update_access_entry(self, parameters: Parameters) -> Mapping[str, Any]:
        """Change as whom a principal asks."""
        cluster, entry = self._find(parameters)
        groups = _read_groups(parameters) if "kubernetesGroups" in parameters else entry.groups
        changed = replace(
            entry,
            username=_read_username(parameters) or entry.username,
            groups=groups,
            modified_at=self._region.clock.utc(),
        )
        cluster.put_entry(changed)
        return {"accessEntry": describe_entry(changed, cluster.record.name)}

    def list_access_entries(self, parameters: Parameters) -> Mapping[str, Any]:
        """List the principals of a cluster's entries."""
        cluster, policy = self._region.find(parameters["clusterName"]), parameters.get("associatedPolicyArn")
        found = (one.principal for one in cluster.entries() if not policy or policy in one.policies)
        names, more = select_names(found, parameters)
        return {"accessEntries": names, **more}

    def delete_access_entry(self, parameters: Parameters) -> Mapping[str, Any]:
        """Let a principal ask no more."""
        cluster, entry = self._find(parameters)
        cluster.drop_entry(entry.principal)
        return {}

    def associate_access_policy(self, parameters: Parameters) -> Mapping[str, Any]:
        """Give a principal what a policy allows, in the whole cluster."""
        cluster, entry = self._find(parameters)
        policy, scope = parameters["policyArn"], parameters["accessScope"]
        role = role_of(policy)
        if scope.get("type") != "cluster":
            raise NotImplementedInMirrorError("An accessScope of namespaces of eks:AssociateAccessPolicy")
        try:
            cluster.require_active().grant(group_of(policy), role)
        except DrdrillError as error:
            raise AwsError("ServerException", f"The cluster does not answer: {error}", status=500) from error
        now = self._region.clock.utc()
        cluster.put_entry(
            replace(entry, policies={**entry.policies, policy: entry.policies.get(policy, now)})
        )
        return {
            "clusterName": cluster.record.name,
            "principalArn": entry.principal,
            "associatedAccessPolicy": describe_policy(policy, entry.policies.get(policy, now), now),
        }

    def disassociate_access_policy(self, parameters: Parameters) -> Mapping[str, Any]:
        """Take from a principal what a policy allows."""
        cluster, entry = self._find(parameters)
        policy = parameters["policyArn"]
        if policy not in entry.policies:
            text = f"The policyArn is not associated with the access entry: {policy}"
            raise AwsError("ResourceNotFoundException", text, status=404)
        left = {name: at for name, at in entry.policies.items() if name != policy}
        cluster.put_entry(replace(entry, policies=left))
        return {}

    def list_associated_access_policies(self, parameters: Parameters) -> Mapping[str, Any]:
        """List the policies of an entry."""
        cluster, entry = self._find(parameters)
        names, more = select_names(entry.policies, parameters)
        return {
            "clusterName": cluster.record.name,
            "principalArn": entry.principal,
            "associatedAccessPolicies": [
                describe_policy(name, entry.policies[name], entry.policies[name]) for name in names
            ],
            **more,
        }

    def list_access_policies(self, parameters: Parameters) -> Mapping[str, Any]:
        """List the policies that there are."""
        names, more = select_names(POLICIES, parameters)
        return {"accessPolicies": [{"name": one.rpartition("/")[2], "arn": one} for one in names], **more}

    def _find(self, parameters: Parameters) -> tuple[Cluster, AccessEntry]:
        cluster = self._region.find(parameters["clusterName"])
        return cluster, cluster.find_entry(parameters["principalArn"])


def make_entry(region: EksRegion, cluster: Cluster, principal: str) -> AccessEntry:
    """Return a new entry of a principal, who asks under the ARN; raises AWS's error for what is no principal."""
    found = _PRINCIPAL.fullmatch(principal)
    if found is None:
        raise AwsError(
            "InvalidParameterException", f"The principalArn parameter format is not valid: {principal}"
        )
    name = cluster.record.name
    arn = (
        f"arn:aws:eks:{region.name}:{region.account}:access-entry/{name}/{found['kind']}/{found['account']}/"
        f"{found['name']}/{uuid.uuid4()}"
    )
    now = region.clock.utc()
    return AccessEntry(principal, principal, (), arn, created_at=now, modified_at=now)


def _read_username(parameters: Parameters) -> str:
    username: str = parameters.get("username", "")
    if username.startswith(("system:", "eks:", "aws:", "amazon:", "iam:")):
        text = f"The username {username} is not valid: its prefix is reserved."
        raise AwsError("InvalidParameterException", text)
    return username


def _read_groups(parameters: Parameters) -> tuple[str, ...]:
    groups = tuple(parameters.get("kubernetesGroups", []))
    for group in groups:
        if group.startswith(("system:", "eks:", "aws:", "amazon:", "iam:")):
            text = (
                f"The kubernetes group name {group} is invalid, it cannot start with {group.split(':')[0]}:"
            )
            raise AwsError("InvalidParameterException", text)
    return groups
