"""VPC security groups of databases: AWS's error for one that there is not; what is asked for is described."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from drdrill.aws.errors import AwsError
from drdrill.aws.rds.security_groups import describe_security_groups, read_security_groups
from tests.aws.places import AllGroups

if TYPE_CHECKING:
    from drdrill.aws.rds.region import RdsRegion


class Region:
    """A region in which every group but one is there."""

    security_groups = AllGroups()


REGION = cast("RdsRegion", Region())


def test_what_is_asked_for_is_noted_once() -> None:
    """In the order in which it was asked for; who asks for nothing has what was there before."""
    asked = {"VpcSecurityGroupIds": ["sg-2", "sg-1", "sg-2"]}
    assert read_security_groups(asked, REGION) == ("sg-2", "sg-1")
    assert read_security_groups({}, REGION, ("sg-3",)) == ("sg-3",)
    assert describe_security_groups(("sg-2",)) == [{"VpcSecurityGroupId": "sg-2", "Status": "active"}]


def test_a_group_that_there_is_not() -> None:
    """It is named in AWS's words, and nothing is noted."""
    with pytest.raises(AwsError, match="Invalid security group , groupId= sg-0, groupName=") as refused:
        read_security_groups({"VpcSecurityGroupIds": ["sg-1", "sg-0"]}, REGION)
    assert refused.value.code == "InvalidParameterValue"
