"""One standing mirror, asked as operators ask: what AWS says is what is true of real servers."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from drdrill.core.errors import CommandFailedError, EnvironmentFailedError, UsageError
from drdrill.core.waiting import wait_until
from drdrill.environment.port import StoreRole
from drdrill.mirror.embedded import Embedded
from drdrill.plan import load_plan
from tests.mirror.standing import EVERY, INSTANCE, REGION, WITHIN, Standing, copy_repository

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.drill
SILENT_AND_ASKING = """
import socket, boto3
with socket.create_connection(("rds.eu-west-1.amazonaws.com", 443)):
    (instance,) = boto3.client("rds").describe_db_instances()["DBInstances"]
    print(instance["DBInstanceIdentifier"])
"""


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    """Bring a mirror up for this module and take it down, whatever happens."""
    root = copy_repository(tmp_path_factory.mktemp("repository"))
    plan = load_plan(root / "scenarios" / "plan.yaml")
    with Embedded(root, plan, name="standing", standing=True) as environment:
        try:
            standing = Standing(environment)
            standing.query("create table witness (said text not null)")
            yield standing
        finally:
            environment.world.stop()  # its own child, which only this world waits for
            environment.world.directory.remove()


def test_boto3_without_an_endpoint_setting(mirror: Standing) -> None:
    """Plain boto3 on the operator's host finds the instance, in two zones, under its real endpoint's name."""
    described = mirror.describe()
    assert described["DBInstanceStatus"] == "available"
    assert described["Engine"] == "postgres"
    assert described["AvailabilityZone"] != described["SecondaryAvailabilityZone"]
    assert described["Endpoint"]["Address"].endswith(".eu-west-1.rds.amazonaws.com")
    assert mirror.resolve(described["Endpoint"]["Address"]) == mirror.member(StoreRole.PRIMARY).address


def test_regions_are_apart(mirror: Standing) -> None:
    """The recovery region's own API knows nothing of the primary region's instance."""
    refused = mirror.ask_aws("describe_db_instances", region="eu-central-1", DBInstanceIdentifier=INSTANCE)
    assert (refused["error"], refused["class"]) == ("DBInstanceNotFound", "DBInstanceNotFoundFault")


def test_the_name_is_taken(mirror: Standing) -> None:
    """An instance cannot be created twice, whatever the case of its name."""
    refused = mirror.ask_aws(
        "create_db_instance",
        DBInstanceIdentifier=INSTANCE.upper(),
        DBInstanceClass="db.r6g.large",
        Engine="postgres",
        MasterUsername="somebody",
        MasterUserPassword="long-enough",
    )
    assert (refused["error"], refused["class"]) == (
        "DBInstanceAlreadyExists",
        "DBInstanceAlreadyExistsFault",
    )


@pytest.mark.parametrize(
    ("service", "operation", "named"),
    [
        ("rds", "describe_db_clusters", "rds:DescribeDBClusters"),
        ("ce", "list_cost_allocation_tags", "ce:ListCostAllocationTags"),
    ],
)
def test_what_is_not_there_says_so(mirror: Standing, service: str, operation: str, named: str) -> None:
    """An operation that the mirror lacks is refused by name, and boto3 does not try it again."""
    refused = mirror.ask_aws(operation, service=service)
    assert (refused["error"], refused["retries"]) == ("NotImplemented", 0)
    assert named in refused["message"]


def test_the_service_s_own_role_is_closed(mirror: Standing) -> None:
    """Nobody but the control plane gets in as `rdsadmin`."""
    with pytest.raises(CommandFailedError, match="rejects connection"):
        mirror.query("select 1", user="rdsadmin")


def test_forced_failover(mirror: Standing) -> None:
    """A forced failover moves the real primary and the name, keeps the rows, and a standby comes back."""
    before, zones = mirror.await_protected(), mirror.describe()
    old = mirror.member(StoreRole.PRIMARY)
    standby = mirror.member(StoreRole.STANDBY)
    mirror.query("insert into witness values ('before failover')")

    seen = mirror.reboot_and_write("failover")

    assert seen == ["rebooting", "available"]
    new = mirror.member(StoreRole.PRIMARY)
    assert (new.host, new.address) == (standby.host, standby.address) != (old.host, old.address)
    assert mirror.resolve(before.endpoint) == new.address
    assert mirror.query("select inet_server_addr()") == new.address
    said = mirror.query("select said from witness").splitlines()
    assert {"before failover", "after failover"} <= set(said)
    after = mirror.await_protected()
    assert mirror.describe()["AvailabilityZone"] == zones["SecondaryAvailabilityZone"]
    assert mirror.describe()["SecondaryAvailabilityZone"] not in (None, zones["SecondaryAvailabilityZone"])
    assert after.promotions == before.promotions + 1
    assert "RDS-EVENT-0049" in [event.code for event in after.events]
    told = mirror.ask_aws("describe_events", SourceIdentifier=INSTANCE, SourceType="db-instance")["Events"]
    assert "Multi-AZ instance failover completed." in [event["Message"] for event in told]


def test_reboot_without_failover(mirror: Standing) -> None:
    """A plain reboot restarts the same primary, which serves again under the same address, and keeps its standby."""
    before = mirror.await_protected()
    started = mirror.query("select pg_postmaster_start_time()")
    assert mirror.reboot_and_write("plain") == ["rebooting", "available"]
    after = mirror.await_protected()
    assert mirror.query("select pg_postmaster_start_time()") != started
    assert after.promotions == before.promotions
    assert [member.host for member in after.members] == [member.host for member in before.members]


def test_loss_of_the_standby(mirror: Standing) -> None:
    """Without its standby the primary carries on, the lost host is silent until it is healed, and a new one comes."""
    before = mirror.await_protected()
    lost = mirror.member(StoreRole.STANDBY)
    injection = mirror.cut_power(StoreRole.STANDBY)
    try:
        look = mirror.environment.faults.observe_effect(injection)
        assert look["effective"]
        assert "refused" not in str(look["looks"][0]["error"]).lower()
        mirror.query("insert into witness values ('without a standby')")
        after = mirror.await_protected()
    finally:
        mirror.environment.faults.heal(injection)
    assert mirror.environment.faults.observe_healed(injection)["healed"]
    assert mirror.query("select count(*) from witness where said = 'without a standby'") == "1"
    assert after.promotions == before.promotions
    assert lost.host not in [member.host for member in after.members]


def test_loss_of_the_primary(mirror: Standing) -> None:
    """When the primary's host loses power, nobody is asked: the standby serves under the same name."""
    before = mirror.await_protected()
    injection = mirror.cut_power(StoreRole.PRIMARY)
    try:
        assert mirror.environment.faults.observe_effect(injection)["effective"]
        wait_until(
            lambda: mirror.store().promotions > before.promotions, what="failover", within=WITHIN, every=EVERY
        )
        mirror.await_status(INSTANCE, "available")
        mirror.query("insert into witness values ('by the standby')")
    finally:
        mirror.environment.faults.heal(injection)
    assert injection.resource not in [member.host for member in mirror.await_protected().members]


def test_what_it_does_not_have(mirror: Standing) -> None:
    """Who asks for an instance, a host or an operation that is not there, or for a name that is taken, is told so."""
    world = mirror.environment.world
    with pytest.raises(EnvironmentFailedError, match="no database instance `nobody`"):
        mirror.store("nobody")
    with pytest.raises(EnvironmentFailedError, match="no host `database`; it has dns, operator"):
        world.entry("database")
    with pytest.raises(EnvironmentFailedError, match="does not know the operation `dance`"):
        world.control.ask("dance")
    with pytest.raises(UsageError, match="there is a mirror standing already"):
        Embedded(
            mirror.environment._root, mirror.environment._plan, name="standing", standing=True
        ).__enter__()


@pytest.mark.parametrize("multi_az", [False, True])
def test_create_and_delete(mirror: Standing, multi_az: bool) -> None:
    """A deleted instance leaves no name and no host, also none that a failover had left behind."""
    before = mirror.host_names()
    created = mirror.ask_aws(
        "create_db_instance",
        DBInstanceIdentifier="second",
        DBInstanceClass="db.r6g.large",
        Engine="postgres",
        MasterUsername="somebody",
        MasterUserPassword="long-enough",
        MultiAZ=multi_az,
    )["DBInstance"]
    assert created["DBInstanceStatus"] == "creating"
    assert "Endpoint" not in created
    mirror.await_status("second", "available")
    endpoint = mirror.describe("second")["Endpoint"]["Address"]
    assert mirror.resolve(endpoint).startswith("10.20.")
    forced = mirror.ask_aws("reboot_db_instance", DBInstanceIdentifier="second", ForceFailover=True)
    if multi_az:
        mirror.await_status("second", "available")
    else:
        assert forced["error"] == "InvalidParameterCombination"
    deleted = mirror.ask_aws("delete_db_instance", DBInstanceIdentifier="second", SkipFinalSnapshot=True)
    assert deleted["DBInstance"]["DBInstanceStatus"] == "deleting"

    def gone() -> bool:
        refused = mirror.ask_aws("describe_db_instances", DBInstanceIdentifier="second")
        return refused.get("error") == "DBInstanceNotFound"

    wait_until(gone, what="the end of the instance", within=WITHIN, every=EVERY)
    assert "not known" in mirror.resolve(endpoint)
    assert mirror.host_names() == before


@pytest.mark.parametrize(("identifier", "region"), [("a" * 63, REGION), (INSTANCE, "eu-central-1")])
def test_names_of_any_length_in_any_region(mirror: Standing, identifier: str, region: str) -> None:
    """The longest name that AWS allows, and one that another region has too: a Multi-AZ instance of its own."""
    mirror.ask_aws(
        "create_db_instance",
        region=region,
        DBInstanceIdentifier=identifier,
        DBInstanceClass="db.r6g.large",
        Engine="postgres",
        MasterUsername="postgres",
        MasterUserPassword="long-enough",
        MultiAZ=True,
    )
    try:

        def available() -> dict[str, Any] | None:
            asked = mirror.ask_aws("describe_db_instances", region=region, DBInstanceIdentifier=identifier)
            (described,) = asked["DBInstances"]
            return dict(described) if described["DBInstanceStatus"] == "available" else None

        described = wait_until(available, what="available", within=WITHIN, every=EVERY)
        assert described is not None
        assert described["SecondaryAvailabilityZone"] not in (None, described["AvailabilityZone"])
        assert "DBName" not in described
        endpoint = described["Endpoint"]["Address"]
        assert endpoint.startswith(f"{identifier}.")
        assert endpoint.endswith(f".{region}.rds.amazonaws.com")
        mirror.environment.run_for_operator(
            [
                "env", "PGPASSWORD=long-enough", "psql", "--host", endpoint, "--username", "postgres",
                "--command", "create table of_the_owner_of_the_database (id int)",
            ],
            within=WITHIN,
        )  # fmt: skip
    finally:
        mirror.ask_aws(
            "delete_db_instance", region=region, DBInstanceIdentifier=identifier, SkipFinalSnapshot=True
        )
        wait_until(lambda: not _has(mirror, identifier, region), what="the end", within=WITHIN, every=EVERY)
    assert "not known" in mirror.resolve(endpoint)


def _has(mirror: Standing, identifier: str, region: str) -> bool:
    return "error" not in mirror.ask_aws(
        "describe_db_instances", region=region, DBInstanceIdentifier=identifier
    )


def test_who_says_nothing_keeps_nobody_out(mirror: Standing) -> None:
    """A client that connects to AWS's endpoint and says nothing does not hold up the next one's call."""
    answer = mirror.environment.run_for_operator([sys.executable, "-c", SILENT_AND_ASKING], within=WITHIN)
    assert answer.strip() == INSTANCE


def test_an_operators_program_that_is_late(mirror: Standing) -> None:
    """It is ended itself, and not only what brought it to the operator's host."""
    late = b"sleep\x00286421"  # nobody else sleeps so long
    with pytest.raises(CommandFailedError, match=r"ended by us after 0\.5 s"):
        mirror.environment.run_for_operator(["sleep", "286421"], within=timedelta(seconds=0.5))
    wait_until(
        lambda: not any(late in _read_command(path) for path in Path("/proc").glob("[0-9]*/cmdline")),
        what="its end", within=WITHIN, every=EVERY,
    )  # fmt: skip


def _read_command(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it ended meanwhile
        return b""
