"""The company's promotion of a replica: what it asks AWS, in which order, and what it does not take for granted."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from failover._leases import LEASE, MARGIN
from failover._notes import open_notes
from failover._old_primary import OVERRIDE, Finding, Writes
from failover._telling import StoppedError
from failover.promote_replica import (
    main,
    observe,
    observe_name,
    place_of,
    point,
    promote,
    promote_replica,
    protect,
    read_lag,
)
from tests.failover.noted import note_named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

REPLICA, REGION, NAME = "orders-recovery", "eu-central-1", "orders.example.com"
ENDPOINT = "orders-recovery.abc.eu-central-1.rds.amazonaws.com"
ALONE = {"DBInstanceIdentifier": REPLICA, "DBInstanceStatus": "available", "MultiAZ": False,
         "Endpoint": {"Address": ENDPOINT}}  # fmt: skip
OLD = "orders.abc.eu-west-1.rds.amazonaws.com"
FOLLOWS = {**ALONE, "ReadReplicaSourceDBInstanceIdentifier": "arn:aws:rds:eu-west-1:1:db:orders"}
MAXIMUM = {"Datapoints": [{"Timestamp": datetime(2026, 1, 1, tzinfo=UTC), "Maximum": 3.5}]}


class Aws:
    """AWS's clients, each answered by a script in its order."""

    def __init__(self) -> None:
        names = {"rds": REGION, "cloudwatch": REGION, "route53": "us-east-1"}
        self.clients = {
            name: boto3.client(name, region, aws_access_key_id="nobody", aws_secret_access_key="nobody")  # noqa: S106
            for name, region in names.items()
        }
        self.scripts = {name: Stubber(client) for name, client in self.clients.items()}

    def client(self, name: str, *_: Any, **__: Any) -> Any:
        """Return the client of a service."""
        return self.clients[name]

    def lists_zone(self) -> None:
        """Let the zone of the name be found."""
        zone = {"Id": "/hostedzone/Z1", "Name": "example.com.", "CallerReference": "1"}
        listed = {"HostedZones": [zone], "IsTruncated": False, "MaxItems": "1"}
        self.scripts["route53"].add_response("list_hosted_zones_by_name", listed)

    def leads(self, name: str, host: str) -> None:
        """Let a name lead to a host; empty: nowhere."""
        self.lists_zone()
        record = {"Name": f"{name}.", "Type": "CNAME", "TTL": 5, "ResourceRecords": [{"Value": host}]}
        records = {"ResourceRecordSets": [record] if host else [], "IsTruncated": False, "MaxItems": "1"}
        self.scripts["route53"].add_response("list_resource_record_sets", records)

    def lets_point(self) -> None:
        """Let the name be pointed at the endpoint."""
        script = self.scripts["route53"]
        info = {"Id": "/change/C1", "Status": "INSYNC", "SubmittedAt": datetime(2026, 1, 1, tzinfo=UTC)}
        self.lists_zone()
        record = {"Name": NAME, "Type": "CNAME", "TTL": 5, "ResourceRecords": [{"Value": ENDPOINT}]}
        batch = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]}
        asked = {"HostedZoneId": "/hostedzone/Z1", "ChangeBatch": batch}
        script.add_response("change_resource_record_sets", {"ChangeInfo": info}, asked)
        script.add_response("get_change", {"ChangeInfo": info}, {"Id": "/change/C1"})

    def says(self, *described: dict[str, Any]) -> None:
        """Let RDS describe the replica so, one time after the other."""
        for one in described:
            self.scripts["rds"].add_response("describe_db_instances", {"DBInstances": [one]}, ANY_INSTANCE)


ANY_INSTANCE = {"DBInstanceIdentifier": REPLICA}


@pytest.fixture
def aws() -> Iterator[Aws]:
    """Return AWS with empty scripts, all of which must have been played in the end."""
    made = Aws()
    for script in made.scripts.values():
        script.activate()
    yield made
    for script in made.scripts.values():
        script.assert_no_pending_responses()


def _seen(writes: Writes) -> Callable[[str, str], Finding]:
    """Return a look at old primaries that sees them all so."""
    return lambda database, host: Finding(database, host, writes, "as it was scripted")


def _dns(name: str) -> frozenset[str]:
    """Resolve names while the database's own leads to the old primary."""
    return frozenset({NAME: ("10.0.0.1",), ENDPOINT: ("10.4.0.1",)}.get(name, ()))


def _nothing(_: str) -> frozenset[str]:
    """Resolve no name at all."""
    return frozenset()


def test_the_whole_promotion(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The old primary is looked at and the lag noted, then it is promoted and led to; a standby is asked for last."""
    monkeypatch.setattr(boto3, "client", aws.client)
    aws.says(FOLLOWS)
    aws.scripts["cloudwatch"].add_response("get_metric_statistics", MAXIMUM)
    aws.scripts["rds"].add_response("promote_read_replica", {"DBInstance": {}}, ANY_INSTANCE)
    aws.says(ALONE, ALONE)
    asked = {**ANY_INSTANCE, "MultiAZ": True, "ApplyImmediately": True}
    aws.scripts["rds"].add_response("modify_db_instance", {"DBInstance": {}}, asked)
    aws.lets_point()
    promote_replica(REPLICA, REGION, NAME, look=_seen(Writes.UNREACHABLE), addresses=_dns)
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["what"] for one in said] == ["old primary", "lag", "promoted", "pointed", "standby requested"]
    assert (said[0]["database"], said[0]["host"], said[0]["writes"]) == ("orders", NAME, "unreachable")
    assert (said[1]["seconds"], said[1]["known"]) == (3.5, True)


@pytest.mark.parametrize("writes", [Writes.TAKEN, Writes.UNKNOWN])
def test_nothing_is_promoted_beside_a_primary_that_writes(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, writes: Writes
) -> None:
    """One that answers, and is not seen to refuse writes, could go on writing: nothing is done beside it."""
    monkeypatch.setattr(boto3, "client", aws.client)
    monkeypatch.setenv("HOME", str(tmp_path))
    aws.says(FOLLOWS)
    with pytest.raises(StoppedError, match="Nothing was promoted"):
        promote_replica(REPLICA, REGION, NAME, look=_seen(writes), addresses=_dns)


@pytest.mark.parametrize("writes", [Writes.UNREACHABLE, Writes.NOT_NOW])
@pytest.mark.parametrize("ago", [None, timedelta(seconds=3)])
def test_nothing_is_promoted_while_leases_may_be_held(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ago: timedelta | None, writes: Writes
) -> None:
    """Where whoever writes keeps a lease, a primary that is not fenced is gone when all of them have run out."""
    monkeypatch.setattr(boto3, "client", aws.client)
    monkeypatch.setenv("HOME", str(tmp_path))
    if ago:
        note_named(open_notes(), ago=ago)
    aws.says(FOLLOWS)
    said = "for 9 s more" if ago else "it is not noted that another region was named"
    with pytest.raises(StoppedError, match=rf"(?s)may take writes \(.*{said}.*Nothing was promoted"):
        promote_replica(
            REPLICA, REGION, NAME, leased=True, look=_seen(writes), addresses=_dns, unnamed=lambda _: []
        )


def test_nothing_is_promoted_while_a_copy_does_not_name_its_region(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whatever was noted here, and whatever a person says: services of the other region may believe that copy."""
    monkeypatch.setattr(boto3, "client", aws.client)
    monkeypatch.setenv("HOME", str(tmp_path))
    note_named(open_notes(), ago=LEASE + MARGIN)
    aws.says(FOLLOWS)
    said = f"meqenet-writer/writer names eu-west-1, not {REGION}, as the one that writes."
    with pytest.raises(StoppedError, match=rf"{said}\nNothing was promoted.*\n.*failover\.fence_primary"):
        promote_replica(
            REPLICA, REGION, NAME, although="its network was cut", leased=True,
            look=_seen(Writes.UNREACHABLE), addresses=_dns, unnamed=lambda _: [said],
        )  # fmt: skip


def test_it_is_promoted_when_no_lease_is_held(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As `fence_primary` has noted, beside a primary that does not answer."""
    monkeypatch.setattr(boto3, "client", aws.client)
    monkeypatch.setenv("HOME", str(tmp_path))
    note_named(open_notes(), ago=LEASE + MARGIN)
    aws.says(FOLLOWS)
    aws.scripts["cloudwatch"].add_response("get_metric_statistics", {"Datapoints": []})
    aws.scripts["rds"].add_response("promote_read_replica", {"DBInstance": {}}, ANY_INSTANCE)
    aws.says(ALONE, ALONE)
    aws.lets_point()
    promote_replica(
        REPLICA, REGION, NAME, leased=True, standby=False, look=_seen(Writes.UNREACHABLE), addresses=_dns,
        unnamed=lambda _: [],
    )  # fmt: skip


def test_nothing_is_promoted_beside_a_primary_that_nobody_looked_at(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where no name leads to the old primary, nobody knows whether it takes writes: nothing is done beside it."""
    monkeypatch.setattr(boto3, "client", aws.client)
    monkeypatch.setenv("HOME", str(tmp_path))
    aws.says(FOLLOWS)
    with pytest.raises(
        StoppedError, match=r"(?s)orders\.primary\.example\.com may take.*Nothing was promoted"
    ):
        promote_replica(REPLICA, REGION, NAME, look=_seen(Writes.REFUSED), addresses=_nothing)


def test_one_that_is_back_is_fenced_in_its_own_region(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The source of the replica is fenced where it is; what takes writes all the same keeps the promotion back."""
    monkeypatch.setattr(boto3, "client", aws.client)
    monkeypatch.setenv("HOME", str(tmp_path))
    aws.says(FOLLOWS)
    fenced: list[tuple[str, str]] = []
    with pytest.raises(StoppedError, match="Nothing was promoted"):
        promote_replica(
            REPLICA, REGION, NAME,
            look=_seen(Writes.TAKEN), fence=lambda region, database: fenced.append((region, database)),
            addresses=_dns,
        )  # fmt: skip
    assert fenced == [("eu-west-1", "orders")] * 3
    assert place_of("orders", REGION) == (REGION, "orders")


def test_a_reason_counts_also_where_nobody_could_look(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A person may know of the old primary what no name leads to."""
    monkeypatch.setattr(boto3, "client", aws.client)
    monkeypatch.setenv("HOME", str(tmp_path))
    aws.says(FOLLOWS)
    aws.scripts["cloudwatch"].add_response("get_metric_statistics", {"Datapoints": []})
    aws.scripts["rds"].add_response("promote_read_replica", {"DBInstance": {}}, ANY_INSTANCE)
    aws.says(ALONE, {**ALONE, "MultiAZ": True})
    aws.lets_point()
    promote_replica(
        REPLICA, REGION, NAME, although="it was deleted", look=_seen(Writes.REFUSED), addresses=_nothing
    )
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (said[0]["writes"], said[1]["reason"]) == ("unknown", "it was deleted")


def test_a_person_may_say_why_it_is_promoted_nevertheless(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The reason is printed, and the promotion goes its way."""
    monkeypatch.setattr(boto3, "client", aws.client)
    monkeypatch.setenv("HOME", str(tmp_path))
    aws.says(FOLLOWS)
    aws.scripts["cloudwatch"].add_response("get_metric_statistics", {"Datapoints": []})
    aws.scripts["rds"].add_response("promote_read_replica", {"DBInstance": {}}, ANY_INSTANCE)
    aws.says(ALONE, {**ALONE, "MultiAZ": True})
    aws.lets_point()
    promote_replica(
        REPLICA, REGION, NAME, although="its network was cut", look=_seen(Writes.TAKEN), addresses=_dns
    )
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert said[1]["reason"] == "its network was cut"
    assert said[1]["hosts"] == [NAME]


def test_a_reason_that_was_noted_counts_too(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What `fence_primary` was told need not be said to each promotion."""
    monkeypatch.setattr(boto3, "client", aws.client)
    monkeypatch.setenv("HOME", str(tmp_path))
    open_notes().write(OVERRIDE, "its network was cut")
    aws.says(FOLLOWS)
    aws.scripts["cloudwatch"].add_response("get_metric_statistics", {"Datapoints": []})
    aws.scripts["rds"].add_response("promote_read_replica", {"DBInstance": {}}, ANY_INSTANCE)
    aws.says(ALONE, {**ALONE, "MultiAZ": True})
    aws.lets_point()
    promote_replica(REPLICA, REGION, NAME, look=_seen(Writes.TAKEN), addresses=_dns)


def test_what_is_promoted_goes_on_whatever_has_come_back(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run again after the promotion, nobody is asked about the old primary, and users are led to the new one."""
    monkeypatch.setattr(boto3, "client", aws.client)
    aws.says(ALONE)
    aws.scripts["cloudwatch"].add_response("get_metric_statistics", {"Datapoints": []})
    aws.scripts["rds"].add_client_error("promote_read_replica", "InvalidDBInstanceState", "no read replica")
    aws.says(ALONE, ALONE, {**ALONE, "MultiAZ": True})
    aws.lets_point()
    promote_replica(REPLICA, REGION, NAME, look=_seen(Writes.TAKEN), addresses=_dns)


def test_what_follows_still_gets_no_users(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """A replica that AWS calls available and that follows its source still is not what the name may lead to."""
    monkeypatch.setattr(boto3, "client", aws.client)
    aws.says(FOLLOWS)
    aws.scripts["cloudwatch"].add_response("get_metric_statistics", {"Datapoints": []})
    aws.scripts["rds"].add_response("promote_read_replica", {"DBInstance": {}}, ANY_INSTANCE)
    aws.says(FOLLOWS, FOLLOWS)
    with pytest.raises(StoppedError, match="still follows"):
        promote_replica(REPLICA, REGION, NAME, look=_seen(Writes.REFUSED), addresses=_dns)


@pytest.mark.parametrize("points", [[], [{"Timestamp": datetime(2026, 1, 1, tzinfo=UTC), "Maximum": -1.0}]])
def test_a_lag_without_a_data_point_is_unknown(aws: Aws, points: list[dict[str, Any]]) -> None:
    """No data point, or -1, means that nobody knows the lag, and never that there is none."""
    aws.scripts["cloudwatch"].add_response("get_metric_statistics", {"Datapoints": points})
    assert read_lag(aws.client("cloudwatch"), REPLICA) is None


def test_an_unknown_lag_holds_nothing_up(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody can wait for what a lost region would have sent: it is promoted, and said that the lag is not known."""
    monkeypatch.setattr(boto3, "client", aws.client)
    aws.says(FOLLOWS)
    aws.scripts["cloudwatch"].add_response("get_metric_statistics", {"Datapoints": []})
    aws.scripts["rds"].add_response("promote_read_replica", {"DBInstance": {}}, ANY_INSTANCE)
    aws.says(ALONE, ALONE)
    aws.lets_point()
    promote_replica(REPLICA, REGION, NAME, standby=False, look=_seen(Writes.UNREACHABLE), addresses=_dns)
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["what"] for one in said] == ["old primary", "lag", "promoted", "pointed"]
    assert (said[1]["seconds"], said[1]["known"]) == (None, False)


def test_run_again_it_goes_on(aws: Aws) -> None:
    """What was promoted before is no error."""
    aws.scripts["rds"].add_client_error(
        "promote_read_replica", "InvalidDBInstanceState", "not a read replica"
    )
    aws.says(ALONE, ALONE)
    promote(aws.client("rds"), REPLICA)


def test_a_replica_in_a_wrong_state_is_not_promoted(aws: Aws) -> None:
    """AWS's refusal to promote what is a replica still is raised."""
    aws.scripts["rds"].add_client_error("promote_read_replica", "InvalidDBInstanceState", "creating")
    aws.says(FOLLOWS)
    with pytest.raises(ClientError, match="creating"):
        promote(aws.client("rds"), REPLICA)


def test_a_name_without_a_zone(aws: Aws) -> None:
    """A name is not put into another zone than its own."""
    other = {"Id": "/hostedzone/Z1", "Name": "example.net.", "CallerReference": "1"}
    answer = {"HostedZones": [other], "IsTruncated": False, "MaxItems": "1"}
    aws.scripts["route53"].add_response("list_hosted_zones_by_name", answer)
    with pytest.raises(StoppedError, match=r"no hosted zone for the name orders\.example\.com"):
        point(aws.client("route53"), NAME, ENDPOINT)


def test_a_first_backup_is_waited_for(aws: Aws) -> None:
    """What was promoted may be backing up when its standby is asked for: it is asked for again when that is over."""
    asked = {"DBInstanceIdentifier": REPLICA, "MultiAZ": True, "ApplyImmediately": True}
    aws.scripts["rds"].add_client_error("modify_db_instance", "InvalidDBInstanceState", expected_params=asked)
    aws.says(ALONE)
    aws.scripts["rds"].add_response("modify_db_instance", {"DBInstance": {}}, asked)
    protect(aws.clients["rds"], REPLICA)
    aws.scripts["rds"].assert_no_pending_responses()


@pytest.mark.parametrize(
    ("described", "led", "says"),
    [
        (ALONE, ENDPOINT, []),
        (FOLLOWS, ENDPOINT, [f"{REPLICA} still follows arn:aws:rds:eu-west-1:1:db:orders."]),
        ({**ALONE, "DBInstanceStatus": "modifying"}, ENDPOINT, [f"{REPLICA} is modifying."]),
        (ALONE, OLD, [f"{NAME} leads to {OLD}, not to {ENDPOINT}."]),
        (ALONE, "", [f"{NAME} leads to nothing, not to {ENDPOINT}."]),
    ],
)
def test_the_look(aws: Aws, described: dict[str, Any], led: str, says: list[str]) -> None:
    """It says what is not so, until the database serves under its name in the recovery region."""
    aws.leads(NAME, led)
    assert [*observe(described), *observe_name(aws.clients["route53"], described, NAME)] == says


def test_without_its_name_route_53_is_not_asked(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Promotion and look of it go on where nobody can change a name; the old primary is found by DNS all the same."""
    del aws.clients["route53"]
    monkeypatch.setattr(boto3, "client", aws.client)
    monkeypatch.setenv("HOME", str(tmp_path))
    aws.says(FOLLOWS)
    with pytest.raises(StoppedError, match="Nothing was promoted"):
        promote_replica(REPLICA, REGION, NAME, named=False, look=_seen(Writes.TAKEN), addresses=_dns)
    aws.says(FOLLOWS)
    aws.scripts["cloudwatch"].add_response("get_metric_statistics", {"Datapoints": []})
    aws.scripts["rds"].add_response("promote_read_replica", {"DBInstance": {}}, ANY_INSTANCE)
    aws.says(ALONE, ALONE)
    promote_replica(
        REPLICA, REGION, NAME, named=False, standby=False, look=_seen(Writes.UNREACHABLE), addresses=_dns
    )
    aws.says(ALONE)
    monkeypatch.setattr("sys.argv", ["promote_replica", f"--replica={REPLICA}", "--without-name", "--look"])
    main()
