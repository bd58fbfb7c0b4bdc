"""Read replicas of a standing mirror when their source, their own host, or the link between regions breaks."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from drdrill.core.errors import CommandFailedError, EnvironmentFailedError
from drdrill.core.waiting import wait_until
from drdrill.dataplane.postgresql_programs import find_binaries
from drdrill.drill.experiments import run_alone
from drdrill.drill.request import DrillRequest
from drdrill.environment.port import FaultRequest, Injection, StoreMember, StoreRole
from drdrill.mirror.embedded import Embedded
from drdrill.plan import load_plan
from drdrill.record.directory import DrillDirectory
from drdrill.record.journal import read_journal
from tests.mirror.standing import EVERY, INSTANCE, REGION, WITHIN, Standing, copy_repository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

pytestmark = pytest.mark.drill
RECOVERY = "eu-central-1"
READER = "reader"
# 0.4 MB that compress badly: more than a throttled link lets through in a second.
MUCH = "insert into witness select string_agg(md5(random()::text), '') from generate_series(1, 12000)"
LINK = {"source": REGION, "destination": RECOVERY}


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    """Bring a mirror up for this module, with a replica in the other region, and take it down, whatever happens."""
    root = copy_repository(tmp_path_factory.mktemp("repository"))
    with Embedded(root, load_plan(root / "scenarios" / "plan.yaml")) as environment:
        standing = Standing(environment)
        standing.await_status(INSTANCE, "available")
        standing.query("create table witness (said text not null)")
        _make_replica(standing, READER)
        yield standing


def _make_replica(mirror: Standing, name: str) -> None:
    arn = mirror.describe()["DBInstanceArn"]
    answer = mirror.ask_aws(
        "create_db_instance_read_replica",
        region=RECOVERY,
        DBInstanceIdentifier=name,
        SourceDBInstanceIdentifier=arn,
    )
    assert "error" not in answer, answer
    mirror.await_status(name, "available")


def _write(mirror: Standing, said: str, *, instance: str = INSTANCE, endpoint: str = "") -> None:
    mirror.query(f"insert into witness values ('{said}')", instance=instance, endpoint=endpoint)  # noqa: S608  (ours)


def _has(mirror: Standing, said: str, *, instance: str, endpoint: str = "") -> bool:
    statement = f"select count(*) from witness where said = '{said}'"  # noqa: S608  (ours)
    return mirror.query(statement, instance=instance, endpoint=endpoint) == "1"


def _await_row(mirror: Standing, said: str, *, instance: str = READER) -> None:
    wait_until(lambda: _has(mirror, said, instance=instance), what=said, within=WITHIN, every=EVERY)


def _replication(mirror: Standing, name: str = READER) -> tuple[str, bool]:
    answer = mirror.ask_aws("describe_db_instances", region=RECOVERY, DBInstanceIdentifier=name)
    (status,) = answer["DBInstances"][0]["StatusInfos"]
    return status["Status"], status["Normal"]


def _await_replication(mirror: Standing, status: str) -> None:
    wait_until(lambda: _replication(mirror)[0] == status, what=status, within=WITHIN, every=EVERY)


def _read_lag(mirror: Standing) -> dict[str, float]:
    """Return the lag's largest value and how often it was known, of a quarter of an hour."""
    now = datetime.now(UTC)
    answer = mirror.ask_aws(
        "get_metric_statistics",
        service="cloudwatch",
        region=RECOVERY,
        Namespace="AWS/RDS",
        MetricName="ReplicaLag",
        Dimensions=[{"Name": "DBInstanceIdentifier", "Value": READER}],
        StartTime=(now - timedelta(minutes=15)).isoformat(),
        EndTime=(now + timedelta(minutes=15)).isoformat(),
        Period=1800,
        Statistics=["Maximum", "SampleCount"],
    )
    (point,) = answer["Datapoints"]
    return {name: float(point[name]) for name in ("Maximum", "SampleCount")}


def _inject(mirror: Standing, kind: str, resource: str, role: StoreRole) -> Injection:
    request = FaultRequest(kind=kind, store="payments-database", resource=resource, role=role)
    return mirror.environment.faults.inject(request)


def _replicas(mirror: Standing, instance: str = INSTANCE) -> list[StoreMember]:
    return [one for one in mirror.store(instance).members if one.role is StoreRole.REPLICA]


def test_a_replica_is_a_member_of_its_source(mirror: Standing) -> None:
    """A source's replica is seen among its members: it follows, and no commit waits for it. Alone it is one, too."""

    def follows() -> bool:
        return [one.sync_state for one in _replicas(mirror)] == ["async"]

    wait_until(follows, what="a replica that follows", within=WITHIN, every=EVERY)
    (of_source,), (alone,) = _replicas(mirror), mirror.store(READER).members
    assert (of_source.host, of_source.zone[:-1]) == (alone.host, RECOVERY)
    assert alone.role is StoreRole.REPLICA
    assert mirror.store().protected
    assert not mirror.store(READER).protected


def test_a_cut_link(mirror: Standing) -> None:
    """While the link is cut the replica serves what it had, says that it does not replicate, and lags."""
    _write(mirror, "before the cut")
    _await_row(mirror, "before the cut")
    ask = mirror.environment.world.control.ask
    assert ask("shape_link", **LINK, cut=True)["cut"] is False
    try:
        _write(mirror, "during the cut")
        _await_replication(mirror, "error")
        assert _has(mirror, "before the cut", instance=READER)
        assert not _has(mirror, "during the cut", instance=READER)
        assert mirror.describe()["DBInstanceStatus"] == "available"
        assert _read_lag(mirror)["Maximum"] > 1
    finally:
        ask("restore_link", **LINK)
    _await_row(mirror, "during the cut")
    _await_replication(mirror, "replicating")


@pytest.mark.parametrize(
    ("kind", "amount"), [("link_delay", "2 s"), ("link_throttle", "64 KiB"), ("link_cut", "")]
)
def test_faults_of_the_link(mirror: Standing, kind: str, amount: str) -> None:
    """Each is seen from the replica's end, is there beside a fault of a member, and ends when it is healed."""
    _await_replication(mirror, "replicating")
    faults = mirror.environment.faults
    injection = faults.inject(FaultRequest(kind, "payments-database", INSTANCE, StoreRole.REPLICA, amount))
    try:

        def shows() -> bool:
            mirror.query(MUCH)
            return bool(faults.observe_effect(injection)["effective"])

        wait_until(shows, what=f"the effect of {kind}", within=WITHIN, every=EVERY)
        mirror.query(MUCH)  # what was on its way may have arrived since, and an idle stream shows nothing
        assert faults.observe_healed(injection)["healed"] is False
    finally:
        faults.heal(injection)
    wait_until(
        lambda: faults.observe_healed(injection)["healed"], what="a usual link", within=WITHIN, every=EVERY
    )
    _write(mirror, f"after {kind}")
    _await_row(mirror, f"after {kind}")


def test_no_such_link(mirror: Standing) -> None:
    """There is no link from a region to itself, nor to one that the mirror does not have."""
    for destination in (REGION, "us-east-1"):
        with pytest.raises(EnvironmentFailedError, match="no link"):
            mirror.environment.world.control.ask("shape_link", source=REGION, destination=destination)


def test_a_replica_without_power(mirror: Standing) -> None:
    """A replica that lost its host is none while the power is off, and follows again afterwards; its source goes on."""
    injection = _inject(mirror, "host_power_loss", INSTANCE, StoreRole.REPLICA)
    assert injection.resource == mirror.store(READER).members[0].host
    mirror.await_status(READER, "rebooting")
    _write(mirror, "without the replica")
    mirror.environment.faults.heal(injection)
    mirror.await_status(READER, "available")
    _await_row(mirror, "without the replica")


def test_a_source_that_loses_its_primary(mirror: Standing) -> None:
    """A replica follows the promoted standby by itself: its old source's host is dark, and its link with it."""
    before = mirror.await_protected().promotions
    injection = mirror.cut_power(StoreRole.PRIMARY)
    wait_until(lambda: mirror.store().promotions > before, what="a failover", within=WITHIN, every=EVERY)
    mirror.await_protected()
    _write(mirror, "of the new primary")
    _await_row(mirror, "of the new primary")
    mirror.environment.faults.heal(injection)
    _await_replication(mirror, "replicating")


def _write_inside(mirror: Standing, said: str, log: Path) -> None:
    """Write by a machine in a zone of the source's region."""
    command = [
        str(find_binaries() / "psql"), "--no-psqlrc", "--host", mirror.store().endpoint,
        "--username", "payments_app", "--dbname", INSTANCE, "--set", "ON_ERROR_STOP=1",
        "--command", f"insert into witness values ('{said}')",  # noqa: S608  (ours)
    ]  # fmt: skip
    environment = mirror.environment
    environment.start_client(said, command, log=log, zone=f"{REGION}a")
    wait_until(lambda: not environment.observe_clients()[said], what=said, within=WITHIN, every=EVERY)
    assert environment.stop_clients(within=WITHIN) == {said: 0}, log.read_text(encoding="utf-8")


def _await_observed(
    observe: Callable[[Injection], Mapping[str, Any]], injection: Injection, what: str
) -> None:
    wait_until(lambda: observe(injection)[what] is True, what=what, within=WITHIN, every=EVERY)


def test_a_source_in_an_isolated_region(mirror: Standing, tmp_path: Path) -> None:
    """It takes the writes of who is inside; nothing comes out, nobody makes a copy, and all of it comes later."""
    _await_replication(mirror, "replicating")
    faults, arn = mirror.environment.faults, mirror.describe()["DBInstanceArn"]
    injection = faults.inject(FaultRequest("region_isolation", REGION, REGION, StoreRole.PRIMARY))
    try:
        _await_observed(faults.observe_effect, injection, "effective")
        assert faults.observe_healed(injection)["healed"] is False
        _await_replication(mirror, "error")
        known = _read_lag(mirror)["SampleCount"]
        _write_inside(mirror, "inside", tmp_path / "psql.log")
        assert not _has(mirror, "inside", instance=READER)
        refused = mirror.ask_aws(
            "create_db_instance_read_replica", region=RECOVERY, DBInstanceIdentifier="another",
            SourceDBInstanceIdentifier=arn,
        )  # fmt: skip
        assert f"{REGION} does not answer" in json.dumps(refused)
        assert _read_lag(mirror)["SampleCount"] == known
        assert mirror.store().status == "available"
    finally:
        for _ in range(2):
            faults.heal(injection)
    _await_observed(faults.observe_healed, injection, "healed")
    _await_row(mirror, "inside")
    _await_replication(mirror, "replicating")


def test_an_experiment_in_a_process_of_its_own(mirror: Standing, tmp_path: Path) -> None:
    """As a drill runs one beside its runbook: with the drill's directory, to its end, and unseen by operators."""
    directory = DrillDirectory(tmp_path / "drill")
    directory.create()
    environment = mirror.environment
    root = Path(environment.operator_environment()["PYTHONPATH"])
    request = DrillRequest(
        "", environment.name, root=root, plan=root / "scenarios" / "plan.yaml", reports=tmp_path
    )
    for part in ("inject", "heal"):
        name = f"region_isolation.{part}.yaml"
        assert run_alone(environment, request, directory, name, {"region": REGION}) == ""
    events = [
        one for one in read_journal(directory.journal_path) if one.kind in ("fault.observed", "fault.healed")
    ]
    assert [(one.data["effective"], one.data["resource"]) for one in events[:1]] == [(True, REGION)]
    assert events[-1].data["healed"] is True
    assert all("the users' host" in one.data["reading"]["observer"] for one in events)
    _await_replication(mirror, "replicating")


def test_many_who_look_from_a_zone_at_once(mirror: Standing) -> None:
    """The machine in a zone from which somebody looks is made once, and looked from when it has its power."""
    ask = mirror.environment.world.control.ask
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(ask, "look_from_zone", zone=f"{REGION}c", address="10.20.2.1") for _ in range(8)]
        assert all(one.result()["look"]["error"] for one in asked)
    assert [name for name in mirror.host_names() if name.startswith(f"bystander-{REGION}c")] == [
        f"bystander-{REGION}c"
    ]


def test_a_region_that_comes_and_goes(mirror: Standing) -> None:
    """It is seen away, there and away; when it is healed it stays, and the replica has every row."""
    faults = mirror.environment.faults
    request = FaultRequest("region_flapping", REGION, REGION, StoreRole.PRIMARY, "2 s away, 2 s there")
    injection = faults.inject(request)
    try:
        _await_observed(faults.observe_effect, injection, "effective")
    finally:
        for _ in range(2):
            faults.heal(injection)
    _await_observed(faults.observe_healed, injection, "healed")
    _write(mirror, "it stays")
    _await_row(mirror, "it stays")


def test_a_region_that_is_lost(mirror: Standing) -> None:
    """Without its source a replica serves, with an unknown lag, and is promoted; what comes back never gets into it."""
    mirror.await_protected()
    _write(mirror, "before the loss")
    _await_row(mirror, "before the loss")
    home = mirror.store().endpoint  # afterwards the store is what was promoted
    injection = _inject(mirror, "all_hosts_power_loss", INSTANCE, StoreRole.PRIMARY)
    try:
        _await_replication(mirror, "error")
        known = _read_lag(mirror)["SampleCount"]
        assert _has(mirror, "before the loss", instance=READER)
        with pytest.raises(CommandFailedError, match="read-only"):
            _write(mirror, "too early", instance=READER)
        assert _read_lag(mirror)["SampleCount"] == known
        mirror.ask_aws("promote_read_replica", region=RECOVERY, DBInstanceIdentifier=READER)
        mirror.await_status(READER, "available")
        _write(mirror, "of the promoted", instance=READER)
    finally:
        mirror.environment.faults.heal(injection)
    mirror.await_status(INSTANCE, "available")
    _write(mirror, "of the old source", endpoint=home)
    assert not _has(mirror, "of the old source", instance=READER)
    assert not _has(mirror, "of the promoted", instance=INSTANCE, endpoint=home)
    assert _replicas(mirror) == []
    assert [one.role for one in mirror.store(READER).members] == [StoreRole.PRIMARY]
    assert mirror.describe()["ReadReplicaDBInstanceIdentifiers"] == []
