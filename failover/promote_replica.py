"""Bring a database back in the recovery region: promote its read replica, and point its name at it.

    python -m failover.promote_replica [--replica NAME] [--region REGION] [--name DNS_NAME] [--leased] [--without-name]
        [--look]

1. look that the old primary takes no writes any more, by its own protocol: AWS in the primary region is not asked, but
   for fencing one that is back and takes them; `--leased`: one that does not answer is gone when its services' leases
   to write must have run out, and every copy of who writes has to name this region, whatever a person says
2. note how far the replica lags, as CloudWatch knows it: no data point means that nobody knows
3. promote it, and wait until AWS says that it is available
4. look that it follows nobody any more, and point the database's name at its endpoint (`--without-name`: it is not
   touched, nor Route 53's API asked; who uses the name of the recovery region finds the database as before)
5. ask for a standby in another zone; users need not wait for that one (`--without-standby`: Terraform will)

Run again it goes on: what is promoted stays promoted. With `--look` it changes nothing: exit status 0 when the
database is promoted and available, and its name leads to it (`--without-name`: whatever its name leads to).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

from failover._fencing import fence_again, fence_returned
from failover._leases import read_left
from failover._looking import conclude, make_parser
from failover._names import find_zone, read_alias, resolve
from failover._notes import open_notes
from failover._old_primary import (
    OVERRIDE,
    OVERRIDE_VALID,
    look_at_hosts,
    observe_writes,
    require_fenced,
)
from failover._places import CONFIG, reach_briefly
from failover._telling import StoppedError, run, say
from failover._waiters import PATIENCE, await_available
from failover._writer import find_unnamed, reach_copies

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from failover._old_primary import Finding

_TTL_SECONDS = 5
_LAG_OF_LAST = timedelta(minutes=5)


def promote_replica(
    replica: str,
    region: str,
    name: str,
    *,
    although: str = "",
    leased: bool = False,
    standby: bool = True,
    named: bool = True,
    look: Callable[[str, str], Finding] = observe_writes,
    fence: Callable[[str, str], object] | None = None,
    addresses: Callable[[str], frozenset[str]] = resolve,
    unnamed: Callable[[str], list[str]] = lambda region: find_unnamed(reach_copies(region), region),
) -> None:
    """Promote a replica and, if it is to be `named`, have the database's name lead to it. Raises what AWS raises.

    `although`: why it is promoted beside an old primary that may take writes; raises `StoppedError` without. `leased`:
    whoever writes keeps a lease; that none is held any more has to be noted where an old primary does not answer, and
    `unnamed` has to find no copy that does not name the region. `fence` is called with region and database for one that
    is back.
    """
    rds = boto3.client("rds", region, config=CONFIG)
    before = describe(rds, replica)
    source = before.get("ReadReplicaSourceDBInstanceIdentifier")
    if source:  # promoted before, there is nothing to be kept back
        heirs = (before["Endpoint"]["Address"],)
        findings = fence_again(
            lambda: look_at_hosts(name, heirs, look, addresses=addresses),
            None if fence is None else lambda _: fence(*place_of(source, region)),
        )
        notes = open_notes()
        require_fenced(
            findings,
            reason=although,
            note=lambda: notes.read(OVERRIDE, valid=OVERRIDE_VALID),
            left=read_left(notes, region) if leased else timedelta(),
        )
        if leased:
            require_named(unnamed(region))
    lag = read_lag(boto3.client("cloudwatch", region, config=CONFIG), replica)
    say("lag", seconds=lag, known=lag is not None)
    promote(rds, replica)
    instance = describe(rds, replica)
    if instance.get("ReadReplicaSourceDBInstanceIdentifier"):
        raise StoppedError(
            f"{replica} still follows {instance['ReadReplicaSourceDBInstanceIdentifier']}: the name was not touched.\n"
            "What to do: `aws rds describe-events` says why it was not promoted. Then run the same command again."
        )
    say("promoted", instance=replica, endpoint=instance["Endpoint"]["Address"])
    if named:
        point(boto3.client("route53", config=CONFIG), name, instance["Endpoint"]["Address"])
    if standby and not instance["MultiAZ"]:
        protect(rds, replica)
        say("standby requested", instance=replica)


def require_named(unnamed: list[str]) -> None:
    """Return when every copy names the region; raises `StoppedError` otherwise, which no reason overrules."""
    if unnamed:
        raise StoppedError(
            "\n".join(unnamed) + "\nNothing was promoted: services of another region may write.\n"
            "What to do: run `python -m failover.fence_primary`. Then run the same command again."
        )


def place_of(source: str, region: str) -> tuple[str, str]:
    """Return region and identifier of a replica's source: an ARN where it is in another region than the replica."""
    parts = source.split(":")
    return (parts[3], parts[-1]) if len(parts) > 1 else (region, source)


def read_lag(cloudwatch: Any, replica: str) -> float | None:
    """Return the last known lag in seconds; None: there was no data point, and the lag is not known."""
    now = datetime.now(UTC)
    answer = cloudwatch.get_metric_statistics(
        Namespace="AWS/RDS",
        MetricName="ReplicaLag",
        Dimensions=[{"Name": "DBInstanceIdentifier", "Value": replica}],
        StartTime=now - _LAG_OF_LAST,
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=["Maximum"],
    )
    points = sorted(answer["Datapoints"], key=lambda point: point["Timestamp"])
    return float(points[-1]["Maximum"]) if points and points[-1]["Maximum"] >= 0 else None


def promote(rds: Any, replica: str) -> None:
    """Promote the replica, unless that was done before, and wait until it is available."""
    try:
        rds.promote_read_replica(DBInstanceIdentifier=replica)
    except ClientError as error:
        if error.response["Error"]["Code"] != "InvalidDBInstanceState" or describe(rds, replica).get(
            "ReadReplicaSourceDBInstanceIdentifier"
        ):
            raise
        say("promoted before", instance=replica)
    await_available(rds, replica)


def protect(rds: Any, instance: str) -> None:
    """Make it a Multi-AZ instance. What was just promoted may begin its first backup meanwhile: then once more."""
    for last in (False, False, False, True):
        try:
            rds.modify_db_instance(DBInstanceIdentifier=instance, MultiAZ=True, ApplyImmediately=True)
        except ClientError as error:
            if last or error.response["Error"]["Code"] != "InvalidDBInstanceState":
                raise
            await_available(rds, instance)
        else:
            return


def describe(rds: Any, instance: str) -> dict[str, Any]:
    """Return what AWS says of an instance."""
    described: dict[str, Any] = rds.describe_db_instances(DBInstanceIdentifier=instance)["DBInstances"][0]
    return described


def point(route53: Any, name: str, endpoint: str) -> None:
    """Have a name lead to an endpoint, and wait until all name servers say so."""
    zone = find_zone(route53, name)
    if zone is None:
        raise StoppedError(
            f"There is no hosted zone for the name {name}: the database is promoted, nobody is led to it.\n"
            "What to do: check --name. Then run the same command again: what is promoted stays promoted."
        )
    record = {
        "Name": name,
        "Type": "CNAME",
        "TTL": _TTL_SECONDS,
        "ResourceRecords": [{"Value": endpoint}],
    }
    batch = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]}
    changed = route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)
    waiter = route53.get_waiter("resource_record_sets_changed")
    waiter.wait(Id=changed["ChangeInfo"]["Id"], WaiterConfig=PATIENCE)
    say("pointed", name=name, endpoint=endpoint)


def observe(instance: dict[str, Any]) -> list[str]:
    """Return what is not so yet of an instance, as AWS describes it: promoted, available."""
    replica = instance["DBInstanceIdentifier"]
    missing = []
    if source := instance.get("ReadReplicaSourceDBInstanceIdentifier"):
        missing.append(f"{replica} still follows {source}.")
    if instance["DBInstanceStatus"] != "available":
        missing.append(f"{replica} is {instance['DBInstanceStatus']}.")
    return missing


def observe_name(route53: Any, instance: dict[str, Any], name: str) -> list[str]:
    """Return that a name does not lead to an instance, if it does not."""
    endpoint = instance["Endpoint"]["Address"]
    if (led := read_alias(route53, name)) != endpoint:
        return [f"{name} leads to {led or 'nothing'}, not to {endpoint}."]
    return []


def read_arguments() -> argparse.Namespace:
    """Return which replica, in which region, and by which name services know the database."""
    parser = make_parser("Promote a read replica and point the database's name at it.")
    parser.add_argument("--replica", default="payments-recovery", help="the replica's identifier")
    # Not from Terraform's settings: databases are also recovered where nothing else of the system stands.
    parser.add_argument("--region", default="eu-central-1", help="its region")
    parser.add_argument(
        "--name",
        default="payments-database.meqenet.internal",
        help="the DNS name by which services know the database",
    )
    parser.add_argument(
        "--although-primary-writes",
        metavar="REASON",
        default="",
        help="promote beside an old primary that may take writes, and say why",
    )
    parser.add_argument(
        "--leased",
        action="store_true",
        help="whoever writes keeps a lease: promote nothing while one may be held",
    )
    parser.add_argument("--without-standby", action="store_true", help="somebody else asks for its standby")
    parser.add_argument(
        "--without-name",
        action="store_true",
        help="leave the name as it is: Route 53's API is not asked",
    )
    return parser.parse_args()


def main() -> None:
    """Read the arguments and do it, or look."""
    asked = read_arguments()
    if asked.look:
        instance = describe(boto3.client("rds", asked.region, config=CONFIG), asked.replica)
        missing, so = observe(instance), f"{asked.replica} is promoted"
        if not asked.without_name:
            missing += observe_name(boto3.client("route53", config=CONFIG), instance, asked.name)
            so = f"{so}, and {asked.name} leads to it"
        conclude(missing, so)
        return
    promote_replica(
        asked.replica,
        asked.region,
        asked.name,
        although=asked.although_primary_writes,
        leased=asked.leased,
        standby=not asked.without_standby,
        named=not asked.without_name,
        fence=lambda region, database: fence_returned(reach_briefly("rds", region), database),
    )


if __name__ == "__main__":
    run(main)
