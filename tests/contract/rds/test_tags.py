"""Tags of instances and groups, and what RDS says that it offers.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Tagging.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.rds.conftest import NewInstance

pytestmark = pytest.mark.drill


@pytest.fixture(scope="module")
def instance(rds: Any, new_instance: NewInstance) -> dict[str, Any]:
    """Return an instance with a tag."""
    return new_instance(rds, Tags=[{"Key": "team", "Value": "shop"}])


def _tags(rds: Any, arn: str) -> dict[str, str]:
    return {one["Key"]: one["Value"] for one in rds.list_tags_for_resource(ResourceName=arn)["TagList"]}


def _refused(call: Callable[..., Any], **parameters: object) -> str:
    with pytest.raises(Exception, match="An error occurred") as caught:
        call(**parameters)
    return str(caught.value.response["Error"]["Code"])  # type: ignore[attr-defined]  # a client's error


def test_tags_of_an_instance(rds: Any, instance: dict[str, Any]) -> None:
    """Tags are added, changed and removed; what is listed is what the description says.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_AddTagsToResource.html
    """
    arn, name = instance["DBInstanceArn"], instance["DBInstanceIdentifier"]
    assert _tags(rds, arn) == {"team": "shop"}
    rds.add_tags_to_resource(
        ResourceName=arn,
        Tags=[{"Key": "team", "Value": "till"}, {"Key": "tier"}, {"Key": "a:b", "Value": "c/d=e"}],
    )
    assert _tags(rds, arn) == {"team": "till", "tier": "", "a:b": "c/d=e"}
    rds.remove_tags_from_resource(ResourceName=arn, TagKeys=["tier", "never-there"])
    described = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]["TagList"]
    assert (
        {one["Key"]: one["Value"] for one in described} == _tags(rds, arn) == {"team": "till", "a:b": "c/d=e"}
    )


def test_tags_of_groups(rds: Any, client: Callable[..., Any]) -> None:
    """Parameter groups and subnet groups have tags of their own.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ListTagsForResource.html
    """
    family = rds.describe_db_engine_versions(Engine="postgres")["DBEngineVersions"][0][
        "DBParameterGroupFamily"
    ]
    tags = [{"Key": "made", "Value": "here"}]
    parameters = rds.create_db_parameter_group(
        DBParameterGroupName="tagged", DBParameterGroupFamily=family, Description="tagged", Tags=tags
    )["DBParameterGroup"]["DBParameterGroupArn"]
    known = client(rds.meta.region_name, "ec2").describe_subnets()["Subnets"]
    subnets = rds.create_db_subnet_group(
        DBSubnetGroupName="tagged", DBSubnetGroupDescription="tagged", Tags=tags,
        SubnetIds=[one["SubnetId"] for one in known],
    )["DBSubnetGroup"]["DBSubnetGroupArn"]  # fmt: skip
    for arn in (parameters, subnets):
        assert _tags(rds, arn) == {"made": "here"}
        rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "made", "Value": "there"}])
        assert _tags(rds, arn) == {"made": "there"}
        rds.remove_tags_from_resource(ResourceName=arn, TagKeys=["made"])
        assert _tags(rds, arn) == {}
    rds.delete_db_parameter_group(DBParameterGroupName="tagged")
    rds.delete_db_subnet_group(DBSubnetGroupName="tagged")
    assert _refused(rds.list_tags_for_resource, ResourceName=parameters) == "DBParameterGroupNotFound"


def test_wrong_tags(rds: Any, rds_recovery: Any, instance: dict[str, Any]) -> None:
    """Tags that AWS keeps for itself, and resources that are not there or are another region's, are refused.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Tagging.html
    """
    arn = instance["DBInstanceArn"]
    reserved = [{"Key": "aws:cloudformation:stack", "Value": "mine"}]
    assert _refused(rds.add_tags_to_resource, ResourceName=arn, Tags=reserved) == "InvalidParameterValue"
    many = [{"Key": f"key-{number}", "Value": ""} for number in range(51)]
    assert _refused(rds.add_tags_to_resource, ResourceName=arn, Tags=many) == "InvalidParameterValue"
    nobody = arn.rpartition(":")[0] + ":nobody"
    assert _refused(rds.list_tags_for_resource, ResourceName=nobody) == "DBInstanceNotFound"
    assert _refused(rds.list_tags_for_resource, ResourceName="an-instance") == "InvalidParameterValue"
    assert _refused(rds_recovery.list_tags_for_resource, ResourceName=arn) == "InvalidParameterValue"


def test_what_is_offered(rds: Any, instance: dict[str, Any]) -> None:
    """The version and the class of an instance are among those that RDS offers, and nothing wants maintenance.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeOrderableDBInstanceOptions.html
    """
    version = {"Engine": "postgres", "EngineVersion": instance["EngineVersion"]}
    assert len(rds.describe_db_engine_versions(**version)["DBEngineVersions"]) == 1
    pages = rds.get_paginator("describe_orderable_db_instance_options").paginate(**version)
    options = [one for page in pages for one in page["OrderableDBInstanceOptions"]]
    assert instance["DBInstanceClass"] in {one["DBInstanceClass"] for one in options}
    zones = {zone["Name"] for one in options for zone in one["AvailabilityZones"]}
    assert instance["AvailabilityZone"] in zones
    none = {"Engine": "postgres", "EngineVersion": "9.3.0"}
    assert rds.describe_orderable_db_instance_options(**none)["OrderableDBInstanceOptions"] == []
    assert rds.describe_pending_maintenance_actions()["PendingMaintenanceActions"] == []
    missing = _refused(
        rds.describe_pending_maintenance_actions, ResourceIdentifier=instance["DBInstanceArn"] + "x"
    )
    assert missing == "ResourceNotFoundFault"
