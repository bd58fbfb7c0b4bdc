"""Leading users to the recovery region by an object, and bringing the records to it once they can be changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from failover import _waiters, settle_names, switch_by_health
from failover._names import resolve
from failover._notes import Notes
from failover._telling import StoppedError
from failover.switch_by_health import OBJECT, switch
from failover.switch_traffic import SWITCHED
from tests.failover.fake_clients import FakeClient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NAME, EDGE = "api.example.com", "api.recovery.example.com"
PUBLIC = "api.meqenet.et"


@dataclass
class S3:
    """The status bucket, and how often the name is resolved after the object came until Route 53 follows."""

    slow: int = 2
    stored: list[tuple[str, str]] = field(default_factory=list)

    def put_object(self, Bucket: str, Key: str, **_: object) -> None:  # noqa: N803
        """Store an object."""
        self.stored.append((Bucket, Key))

    def resolve(self, name: str) -> frozenset[str]:
        """Resolve the public name to the old region until Route 53 has seen the object."""
        if name == EDGE:
            return frozenset({"10.4.0.1", "10.4.0.2"})
        if self.stored:
            self.slow -= 1
        return frozenset({"10.0.0.1" if self.slow >= 0 else "10.4.0.2"})


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have what waits look three times, at once."""

    def await_seen(look: Callable[[], list[str]], *, advice: str, attempts: int) -> None:
        assert attempts > 90  # 30 s of the checkers, and a minute of this machine's resolver
        _waiters.await_seen(look, advice=advice, delay=0, attempts=3)

    monkeypatch.setattr(switch_by_health, "await_seen", await_seen)
    return await_seen


@pytest.mark.usefixtures("quick")
def test_switched_by_an_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is stored, DNS is waited for, and only then the switch is noted."""
    s3, notes = S3(), Notes(tmp_path)
    switch(s3, NAME, EDGE, notes, addresses=s3.resolve)
    assert s3.stored == [("meqenet-status", OBJECT)]
    assert notes.read(SWITCHED, valid=timedelta(minutes=1)) is not None
    assert [line.split('"what": ')[1][:9] for line in capsys.readouterr().out.splitlines()] == [
        '"stored",', '"switched',
    ]  # fmt: skip


@pytest.mark.usefixtures("quick")
def test_route_53_does_not_follow(tmp_path: Path) -> None:
    """What is asked for and does not come is told, with where to look; no switch is noted."""
    s3, notes = S3(slow=10), Notes(tmp_path)
    told = rf"{NAME} leads to 10\.0\.0\.1, which is not {EDGE}\.\nWhat to do: .*{OBJECT}"
    with pytest.raises(StoppedError, match=told):
        switch(s3, NAME, EDGE, notes, addresses=s3.resolve)
    assert notes.read(SWITCHED, valid=timedelta(minutes=1)) is None


def test_the_look_asks_dns_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No client of AWS is made for it, and its answer is DNS's."""

    def refuse(service: str) -> Any:
        raise AssertionError(service)

    monkeypatch.setattr(switch_by_health, "reach", refuse)
    monkeypatch.setattr("sys.argv", ["switch_by_health", "--look"])
    asked: list[tuple[str, str]] = []

    def observe_led(name: str, edge: str) -> list[str]:
        asked.append((name, edge))
        return ["elsewhere"]

    monkeypatch.setattr(switch_by_health, "observe_led", observe_led)
    with pytest.raises(StoppedError, match="elsewhere"):
        switch_by_health.main()
    assert asked == [(PUBLIC, "api.recovery.meqenet.et")]


def test_names_are_resolved() -> None:
    """To addresses; a name that nobody knows has none."""
    assert resolve("localhost") <= {"127.0.0.1", "::1"}
    assert resolve("nobody.invalid") == frozenset()


@dataclass
class Rds:
    """The recovery region's databases; `follows`: of them those that are not promoted."""

    follows: set[str] = field(default_factory=set)

    def describe_db_instances(self, DBInstanceIdentifier: str) -> dict[str, Any]:  # noqa: N803
        """Answer as RDS does."""
        source = (
            {"ReadReplicaSourceDBInstanceIdentifier": "arn:old"}
            if DBInstanceIdentifier in self.follows
            else {}
        )
        instance = {
            "DBInstanceIdentifier": DBInstanceIdentifier, "DBInstanceStatus": "available",
            "Endpoint": {"Address": f"{DBInstanceIdentifier}.rds"}, **source,
        }  # fmt: skip
        return {"DBInstances": [instance]}


@dataclass
class Route53(FakeClient):
    """Two zones with the records of before the failover."""

    records: dict[tuple[str, str], dict[str, Any]] = field(
        default_factory=lambda: {
            **{
                (PUBLIC, role): {"Name": f"{PUBLIC}.", "Type": "A", "SetIdentifier": role, "Weight": weight}
                for role, weight in (("primary", 100), ("recovery", 0))
            },
            **{
                (name, ""): {"Name": f"{name}.", "Type": "CNAME", "ResourceRecords": [{"Value": "old.rds."}]}
                for name in ("payments-database.meqenet.internal", "users-database.meqenet.internal")
            },
        }
    )

    def list_hosted_zones_by_name(self, DNSName: str, **_: object) -> dict[str, Any]:  # noqa: N803
        """Answer as Route 53 does."""
        return {"HostedZones": [{"Id": DNSName, "Name": f"{DNSName}."}]}

    def list_resource_record_sets(self, StartRecordName: str, **_: object) -> dict[str, Any]:  # noqa: N803
        """Answer as Route 53 does."""
        found = [one for (name, _), one in self.records.items() if name == StartRecordName]
        return {"ResourceRecordSets": found}

    def change_resource_record_sets(self, HostedZoneId: str, ChangeBatch: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
        """Put records in the place of those that were there."""
        for record in (one["ResourceRecordSet"] for one in ChangeBatch["Changes"]):
            name = record["Name"].rstrip(".")
            assert name.endswith(HostedZoneId)
            self.changes.append(name)
            self.records[name, record.get("SetIdentifier", "")] = {**record, "Name": f"{name}."}
        return {"ChangeInfo": {"Id": "C1"}}


def _changed(route53: Route53) -> Iterator[str]:
    return (one for one in route53.changes if not one.startswith("wait"))


def test_names_are_settled(tmp_path: Path) -> None:
    """Databases' names and the public name's weights are brought to it, and the look says so; twice does no harm."""
    rds, route53, notes = Rds(), Route53(), Notes(tmp_path)
    assert len(settle_names.look(rds, route53, PUBLIC)) == 4
    for _ in range(2):
        settle_names.settle(rds, route53, PUBLIC, notes)
        assert settle_names.look(rds, route53, PUBLIC) == []
    assert set(_changed(route53)) == {one for one, _ in route53.records}


def test_no_name_leads_to_what_only_follows(tmp_path: Path) -> None:
    """Before both are promoted nothing is changed."""
    rds, route53 = Rds(follows={"users-recovery"}), Route53()
    with pytest.raises(StoppedError, match="users-recovery still follows arn:old"):
        settle_names.settle(rds, route53, PUBLIC, Notes(tmp_path))
    assert route53.changes == []
