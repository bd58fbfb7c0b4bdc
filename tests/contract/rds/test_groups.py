"""DB parameter groups and subnet groups: what a group says is what the database does, when RDS says it does.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithParamGroups.html
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_VPC.WorkingWithRDSInstanceinaVPC.html
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from drdrill.core.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.contract.rds.conftest import NewInstance, Query

pytestmark = pytest.mark.drill
_WITHIN = timedelta(seconds=90)  # measured 0.1 to 3 s
_EVERY = timedelta(milliseconds=100)
GROUP = "of-the-contract"


@pytest.fixture(scope="module")
def family(rds: Any) -> str:
    """Return the family of the default version of PostgreSQL."""
    (version,) = rds.describe_db_engine_versions(Engine="postgres", DefaultOnly=True)["DBEngineVersions"]
    return str(version["DBParameterGroupFamily"])


@pytest.fixture(scope="module")
def instance(rds: Any, new_instance: NewInstance, family: str) -> dict[str, Any]:
    """Return a Multi-AZ instance with a parameter group of its own."""
    rds.create_db_parameter_group(
        DBParameterGroupName=GROUP, DBParameterGroupFamily=family, Description="of the contract"
    )
    set_parameters(rds, GROUP, ("work_mem", "5000", "immediate"))
    return new_instance(rds, DBParameterGroupName=GROUP, MultiAZ=True)


def set_parameters(rds: Any, group: str, *settings: tuple[str, str, str]) -> None:
    """Set parameters of a group: name, value, method."""
    rds.modify_db_parameter_group(
        DBParameterGroupName=group,
        Parameters=[
            {"ParameterName": name, "ParameterValue": value, "ApplyMethod": method}
            for name, value, method in settings
        ],
    )


@pytest.fixture
def status(rds: Any, instance: dict[str, Any]) -> Callable[[str, str], None]:
    """Return what waits until the instance says that of its group."""

    def await_status(group: str, wanted: str) -> None:
        def said() -> bool:
            (described,) = rds.describe_db_instances(DBInstanceIdentifier=instance["DBInstanceIdentifier"])[
                "DBInstances"
            ]
            ready = described["DBInstanceStatus"] == "available"
            expected = [{"DBParameterGroupName": group, "ParameterApplyStatus": wanted}]
            return bool(ready and described["DBParameterGroups"] == expected)

        wait_until(said, what=f"{group} {wanted}", within=_WITHIN, every=_EVERY)

    return await_status


def _refused(call: Callable[..., Any], **parameters: object) -> str:
    with pytest.raises(Exception, match="An error occurred") as caught:
        call(**parameters)
    return str(caught.value.response["Error"]["Code"])  # type: ignore[attr-defined]  # a client's error


def test_a_new_instance_has_its_group(
    instance: dict[str, Any], query: Query, status: Callable[[str, str], None]
) -> None:
    """An instance that is created with a group runs with its values.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithDBInstanceParamGroups.html
    """
    status(GROUP, "in-sync")
    assert query(instance["Endpoint"]["Address"], "show work_mem") == "5000kB"


def test_a_dynamic_parameter(
    rds: Any, instance: dict[str, Any], query: Query, status: Callable[[str, str], None]
) -> None:
    """A dynamic parameter is in force a moment later, without a restart, and is taken back as quickly.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithParamGroups.html
    """
    endpoint = instance["Endpoint"]["Address"]
    started = query(endpoint, "select pg_postmaster_start_time()")
    set_parameters(
        rds, GROUP, ("log_statement", "ddl", "immediate"), ("search_path", "a, 'b', public", "immediate")
    )
    status(GROUP, "in-sync")
    assert query(endpoint, "show log_statement") == "ddl"
    assert query(endpoint, "show search_path") == "a, 'b', public"
    rds.reset_db_parameter_group(
        DBParameterGroupName=GROUP,
        Parameters=[
            {"ParameterName": name, "ApplyMethod": "immediate"} for name in ("log_statement", "search_path")
        ],
    )
    status(GROUP, "in-sync")
    assert query(endpoint, "show log_statement") == "none"
    assert query(endpoint, "select pg_postmaster_start_time()") == started


def test_a_static_parameter(
    rds: Any, instance: dict[str, Any], query: Query, status: Callable[[str, str], None]
) -> None:
    """A static parameter is pending until a reboot; after it the primary has it, and its standby when it takes over.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithParamGroups.html
    """
    endpoint, name = instance["Endpoint"]["Address"], instance["DBInstanceIdentifier"]
    for connections in (
        "250",
        "150",
    ):  # PostgreSQL has rules of its own for a standby with fewer than its primary
        before = query(endpoint, "show max_connections")
        set_parameters(rds, GROUP, ("max_connections", connections, "pending-reboot"))
        status(GROUP, "pending-reboot")
        assert query(endpoint, "show max_connections") == before
        rds.reboot_db_instance(DBInstanceIdentifier=name)
        status(GROUP, "in-sync")
        assert query(endpoint, "show max_connections") == connections
        rds.reboot_db_instance(DBInstanceIdentifier=name, ForceFailover=True)
        status(GROUP, "in-sync")
        assert query(endpoint, "show max_connections") == connections
        wait_until(
            lambda: (
                "SecondaryAvailabilityZone"
                in rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
            ),
            what="a new standby",
            within=_WITHIN,
            every=_EVERY,
        )


def test_parameters_that_do_not_go_together(
    rds: Any, instance: dict[str, Any], query: Query, status: Callable[[str, str], None]
) -> None:
    """With values that PostgreSQL cannot start with the instance says so, and serves when they are taken back.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html
    """
    name = {"DBInstanceIdentifier": instance["DBInstanceIdentifier"]}
    set_parameters(rds, GROUP, ("superuser_reserved_connections", "5000", "pending-reboot"))
    status(GROUP, "pending-reboot")
    rds.reboot_db_instance(**name)
    wait_until(
        lambda: (
            rds.describe_db_instances(**name)["DBInstances"][0]["DBInstanceStatus"]
            == "incompatible-parameters"
        ),
        what="incompatible-parameters",
        within=_WITHIN,
        every=_EVERY,
    )
    rds.reset_db_parameter_group(
        DBParameterGroupName=GROUP,
        Parameters=[{"ParameterName": "superuser_reserved_connections", "ApplyMethod": "pending-reboot"}],
    )
    rds.reboot_db_instance(**name)
    status(GROUP, "in-sync")
    assert query(instance["Endpoint"]["Address"], "show superuser_reserved_connections") == "3"


def test_another_group(
    rds: Any, instance: dict[str, Any], query: Query, family: str, status: Callable[[str, str], None]
) -> None:
    """The name of another group is there at once, its parameters after a reboot; then the old one can be deleted.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html
    """
    endpoint, name = instance["Endpoint"]["Address"], instance["DBInstanceIdentifier"]
    rds.create_db_parameter_group(
        DBParameterGroupName="another", DBParameterGroupFamily=family, Description="another"
    )
    set_parameters(rds, "another", ("work_mem", "7000", "immediate"))
    rds.modify_db_instance(DBInstanceIdentifier=name, DBParameterGroupName="Another")
    status("another", "pending-reboot")
    assert query(endpoint, "show work_mem") == "5000kB"
    set_parameters(rds, "another", ("log_statement", "mod", "immediate"))
    wait_until(
        lambda: query(endpoint, "show log_statement") == "mod", what="mod", within=_WITHIN, every=_EVERY
    )
    status("another", "pending-reboot")
    in_use = _refused(rds.delete_db_parameter_group, DBParameterGroupName="another")
    assert in_use == "InvalidDBParameterGroupState"
    rds.reboot_db_instance(DBInstanceIdentifier=name)
    status("another", "in-sync")
    assert query(endpoint, "show work_mem") == "7000kB"
    rds.delete_db_parameter_group(DBParameterGroupName=GROUP)
    assert (
        _refused(rds.describe_db_parameter_groups, DBParameterGroupName=GROUP) == "DBParameterGroupNotFound"
    )


def test_describing_parameters(rds: Any, family: str) -> None:
    """A group describes all parameters in pages, and those that its user has set by their source.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBParameters.html
    """
    rds.create_db_parameter_group(
        DBParameterGroupName="described", DBParameterGroupFamily=family, Description="described"
    )
    set_parameters(
        rds, "described", ("work_mem", "6000", "immediate"), ("max_connections", "99", "pending-reboot")
    )
    ask = {"DBParameterGroupName": "described", "Source": "user"}
    users = {one["ParameterName"]: one for one in rds.describe_db_parameters(**ask)["Parameters"]}
    assert {name: one["ParameterValue"] for name, one in users.items()} == {
        "work_mem": "6000",
        "max_connections": "99",
    }
    assert [users[name]["ApplyType"] for name in ("work_mem", "max_connections")] == ["dynamic", "static"]
    pages = rds.get_paginator("describe_db_parameters").paginate(DBParameterGroupName="described")
    names = [one["ParameterName"] for page in pages for one in page["Parameters"]]
    assert len(names) == len(set(names)) > 200
    rds.reset_db_parameter_group(DBParameterGroupName="described", ResetAllParameters=True)
    assert rds.describe_db_parameters(**ask)["Parameters"] == []
    rds.delete_db_parameter_group(DBParameterGroupName="described")


@pytest.mark.parametrize(
    ("setting", "code"),
    [
        (("no_such_parameter", "1", "immediate"), "InvalidParameterValue"),
        (("archive_command", "true", "immediate"), "InvalidParameterValue"),  # the service's own
        (("work_mem", "4MB", "immediate"), "InvalidParameterValue"),
        (("work_mem", "1", "immediate"), "InvalidParameterValue"),
        (("log_statement", "loudly", "immediate"), "InvalidParameterValue"),
        (("timezone", "Mars/Face", "immediate"), "InvalidParameterValue"),
        (("max_connections", "100", "immediate"), "InvalidParameterCombination"),
    ],
)
def test_wrong_parameters(rds: Any, family: str, setting: tuple[str, str, str], code: str) -> None:
    """A parameter that is not there, not the user's, or that PostgreSQL would not take is refused, with all beside it.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBParameterGroup.html
    """
    name = f"wrong-{secrets.token_hex(3)}"
    rds.create_db_parameter_group(
        DBParameterGroupName=name, DBParameterGroupFamily=family, Description="wrong"
    )
    with pytest.raises(rds.exceptions.ClientError) as caught:
        set_parameters(rds, name, ("statement_timeout", "1000", "immediate"), setting)
    assert caught.value.response["Error"]["Code"] == code
    assert rds.describe_db_parameters(DBParameterGroupName=name, Source="user")["Parameters"] == []
    rds.delete_db_parameter_group(DBParameterGroupName=name)


def test_wrong_parameter_groups(rds: Any, family: str) -> None:
    """A group that is there, is not there, or is AWS's own is refused with AWS's errors.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBParameterGroup.html
    """
    new = {"DBParameterGroupFamily": family, "Description": "twice"}
    rds.create_db_parameter_group(DBParameterGroupName="twice", **new)
    create = rds.create_db_parameter_group
    assert _refused(create, DBParameterGroupName="Twice", **new) == "DBParameterGroupAlreadyExists"
    assert _refused(create, DBParameterGroupName="1st", **new) == "InvalidParameterValue"
    rds.delete_db_parameter_group(DBParameterGroupName="twice")
    assert _refused(rds.delete_db_parameter_group, DBParameterGroupName="twice") == "DBParameterGroupNotFound"
    own = f"default.{family}"
    assert _refused(rds.delete_db_parameter_group, DBParameterGroupName=own) == "InvalidParameterValue"
    (described,) = rds.describe_db_parameter_groups(DBParameterGroupName=own)["DBParameterGroups"]
    assert described["DBParameterGroupFamily"] == family


@pytest.fixture(scope="module")
def subnets(client: Callable[..., Any], rds: Any) -> dict[str, str]:
    """Return the zones of three subnets by their ids: two that the company made, and a default one."""
    ec2 = client(rds.meta.region_name, "ec2")
    default = ec2.describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])["Subnets"]
    vpc = default[0]["VpcId"]
    made = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.20.10{number}.0/24", AvailabilityZone=zone)["Subnet"]
        for number, zone in enumerate(one["AvailabilityZone"] for one in default[:2])
    ]
    return {one["SubnetId"]: one["AvailabilityZone"] for one in (*made, default[2])}


@pytest.fixture
def subnet_group(rds: Any, subnets: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Return a subnet group."""
    made = rds.create_db_subnet_group(
        DBSubnetGroupName="Net", DBSubnetGroupDescription="of the contract", SubnetIds=[*subnets][:2]
    )["DBSubnetGroup"]
    try:
        yield made
    finally:
        rds.delete_db_subnet_group(DBSubnetGroupName="net")


def test_a_subnet_group(rds: Any, subnet_group: dict[str, Any], subnets: dict[str, str]) -> None:
    """A group has a lower-case name, its subnets in the zones that EC2 says, and other ones when it is changed.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBSubnetGroup.html
    """
    assert (subnet_group["DBSubnetGroupName"], subnet_group["SubnetGroupStatus"]) == ("net", "Complete")
    zones = {
        one["SubnetIdentifier"]: one["SubnetAvailabilityZone"]["Name"] for one in subnet_group["Subnets"]
    }
    assert zones == {subnet: subnets[subnet] for subnet in [*subnets][:2]}
    changed = rds.modify_db_subnet_group(DBSubnetGroupName="net", SubnetIds=[*subnets])["DBSubnetGroup"]
    after = {one["SubnetIdentifier"]: one["SubnetAvailabilityZone"]["Name"] for one in changed["Subnets"]}
    assert after == subnets


@pytest.mark.usefixtures("subnet_group")
def test_wrong_subnet_groups(rds: Any, client: Callable[..., Any], subnets: dict[str, str]) -> None:
    """A group of one zone, of no subnets or of two VPCs, that is there or is not there is refused with AWS's errors.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBSubnetGroup.html
    """
    create, text = rds.create_db_subnet_group, {"DBSubnetGroupDescription": "wrong"}
    ec2 = client(rds.meta.region_name, "ec2")
    vpc = ec2.create_vpc(CidrBlock="10.99.0.0/16")["Vpc"]["VpcId"]
    elsewhere = ec2.create_subnet(
        VpcId=vpc, CidrBlock="10.99.0.0/24", AvailabilityZone=[*subnets.values()][1]
    )["Subnet"]["SubnetId"]
    first, *_ = known = [*subnets]
    asked = [
        ("other", [first], "DBSubnetGroupDoesNotCoverEnoughAZs"),
        ("other", ["subnet-0a1b2c3d4e5f60718", first], "InvalidSubnet"),
        ("other", [elsewhere, first], "InvalidSubnet"),
        ("default", known, "InvalidParameterValue"),
        ("net", known, "DBSubnetGroupAlreadyExists"),
    ]
    for name, wanted, code in asked:
        assert _refused(create, DBSubnetGroupName=name, SubnetIds=wanted, **text) == code
    missing = _refused(rds.modify_db_subnet_group, DBSubnetGroupName="nobodys", SubnetIds=known)
    assert missing == "DBSubnetGroupNotFoundFault"
    assert _refused(rds.delete_db_subnet_group, DBSubnetGroupName="nobodys") == "DBSubnetGroupNotFoundFault"


def test_an_instance_in_a_subnet_group(
    rds: Any, subnet_group: dict[str, Any], new_instance: NewInstance, patience: dict[str, int]
) -> None:
    """A Multi-AZ instance stands in zones of its group, which cannot be deleted meanwhile.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_VPC.WorkingWithRDSInstanceinaVPC.html
    """
    made = new_instance(rds, DBSubnetGroupName="net", MultiAZ=True)
    zones = {one["SubnetAvailabilityZone"]["Name"] for one in subnet_group["Subnets"]}
    assert {made["AvailabilityZone"], made["SecondaryAvailabilityZone"]} == zones
    assert made["DBSubnetGroup"] == subnet_group
    in_use = _refused(rds.delete_db_subnet_group, DBSubnetGroupName="net")
    assert in_use == "InvalidDBSubnetGroupStateFault"
    name = {"DBInstanceIdentifier": made["DBInstanceIdentifier"]}
    rds.delete_db_instance(**name, SkipFinalSnapshot=True)
    rds.get_waiter("db_instance_deleted").wait(**name, WaiterConfig=patience)
