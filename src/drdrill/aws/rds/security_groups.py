"""The VPC security groups of an instance: noted and described; the mirror's network keeps nobody out by them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.aws.errors import AwsError

if TYPE_CHECKING:
    from drdrill.aws.protocol import Parameters
    from drdrill.aws.rds.region import RdsRegion

PARAMETER = "VpcSecurityGroupIds"


def read_security_groups(
    parameters: Parameters, region: RdsRegion, otherwise: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """Return the groups that are asked for, or else those; raises AWS's error for one that there is not."""
    if PARAMETER not in parameters:
        return otherwise
    wanted = tuple(dict.fromkeys(parameters[PARAMETER]))
    for missing in region.security_groups.find_missing(wanted):
        raise AwsError("InvalidParameterValue", f"Invalid security group , groupId= {missing}, groupName=.")
    return wanted


def describe_security_groups(groups: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return the `VpcSecurityGroups` of an instance."""
    return [{"VpcSecurityGroupId": one, "Status": "active"} for one in groups]
