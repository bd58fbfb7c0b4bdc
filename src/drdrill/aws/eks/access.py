"""Access policies of EKS, and what Kubernetes makes of them.

An access policy is one of Kubernetes' own cluster roles here, which AWS's documentation compares each with (EKS User
Guide, "Review access policy permissions"): its members are a group that the role is granted to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.aws.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterable

_PREFIX = "arn:aws:eks::aws:cluster-access-policy/"
ADMIN_POLICY = f"{_PREFIX}AmazonEKSClusterAdminPolicy"
_ROLES = {
    "AmazonEKSClusterAdminPolicy": "cluster-admin",
    "AmazonEKSAdminPolicy": "admin",
    "AmazonEKSEditPolicy": "edit",
    "AmazonEKSViewPolicy": "view",
}
POLICIES = tuple(_PREFIX + name for name in _ROLES)


def role_of(policy: str) -> str:
    """Return the cluster role that a policy stands for; raises AWS's error for a policy that there is not."""
    role = _ROLES.get(policy.removeprefix(_PREFIX)) if policy.startswith(_PREFIX) else None
    if role is None:
        raise AwsError("InvalidParameterException", f"The policyArn parameter format is not valid: {policy}")
    return role


def group_of(policy: str) -> str:
    """Return the group of users that a policy's role is granted to."""
    return f"eks:access-policy:{policy.removeprefix(_PREFIX)}"


def groups_of(policies: Iterable[str]) -> tuple[str, ...]:
    """Return the groups of all these policies."""
    return tuple(group_of(policy) for policy in policies)
