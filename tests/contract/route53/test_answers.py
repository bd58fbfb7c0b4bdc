"""What Route 53 answers on the internet, and that it goes on when its control plane does not."""

from __future__ import annotations

import shutil
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from drdrill.core.waiting import wait_until
from tests.contract.route53.conftest import PORT, SEARCHED

if TYPE_CHECKING:
    from collections.abc import Callable

    from drdrill.mirror.embedded import Embedded
    from drdrill.plan.model import Plan
    from tests.contract.elbv2.conftest import Balancers
    from tests.contract.route53.conftest import Operator

pytestmark = pytest.mark.drill
ZONE, FAR = "shop.example", "192.0.2.2"
_CHECKERS = 8  # of a check that names no regions, one in each
_MOVED_WITHIN = timedelta(seconds=60)  # interval 10 s, one failure; measured 10 to 14 s


@pytest.fixture(scope="module")
def zone(route53: Any) -> str:
    """Return the id of a zone."""
    return str(route53.create_hosted_zone(Name=ZONE, CallerReference="contract")["HostedZone"]["Id"])


def _create(route53: Any, zone: str, *records: dict[str, Any]) -> None:
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": one} for one in records]}
    change = route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)["ChangeInfo"]
    route53.get_waiter("resource_record_sets_changed").wait(Id=change["Id"], WaiterConfig={"Delay": 1})


def _record(name: str, *values: str, kind: str = "A", **other: Any) -> dict[str, Any]:
    return {
        "Name": name,
        "Type": kind,
        "TTL": 5,
        "ResourceRecords": [{"Value": one} for one in values],
        **other,
    }


def test_a_change_in_sync_is_answered(route53: Any, zone: str, operator: Operator) -> None:
    """What GetChange calls INSYNC is what the name servers answer, over UDP and TCP.

    https://docs.aws.amazon.com/Route53/latest/APIReference/API_GetChange.html
    """
    _create(route53, zone, _record(f"www.{ZONE}", "192.0.2.1"), _record(f"www.{ZONE}", '"x y"', kind="TXT"))
    assert operator.ask(f"www.{ZONE}") == operator.ask(f"www.{ZONE}", over="tcp") == ["192.0.2.1"]
    assert operator.ask(f"www.{ZONE}", "TXT") == ['"x y"']
    servers = route53.get_hosted_zone(Id=zone)["DelegationSet"]["NameServers"]
    assert operator.ask(ZONE, "NS") == sorted(f"{server}." for server in servers)


def test_dig(route53: Any, zone: str, operator: Operator) -> None:
    """`dig` on an operator's machine gets an authoritative answer, and for what is not there the zone's SOA.

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/SOA-NSrecords.html
    """
    if shutil.which("dig") is None:
        pytest.skip("dig is not on the PATH of this machine")
    _create(route53, zone, _record(f"dig.{ZONE}", "192.0.2.7"))
    said = operator.dig(f"dig.{ZONE}")
    assert "status: NOERROR" in said
    assert "flags: qr aa" in said
    assert operator.dig("+short", f"dig.{ZONE}").strip() == "192.0.2.7"
    nothing = operator.dig(f"nobody.{ZONE}")
    assert "status: NXDOMAIN" in nothing
    assert "awsdns-hostmaster.amazon.com." in nothing


def test_answers_move_without_the_control_plane(
    route53: Any, zone: str, operator: Operator, away: Callable[[], Any]
) -> None:
    """An endpoint that is lost is answered no more while nobody can change a record: health checks are data plane.

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html
    """
    name = f"api.{ZONE}"
    with operator.endpoint():
        config = {
            "Type": "HTTP_STR_MATCH", "IPAddress": operator.address, "Port": PORT, "ResourcePath": "/health",
            "SearchString": SEARCHED, "RequestInterval": 10, "FailureThreshold": 1,
        }  # fmt: skip
        made = route53.create_health_check(CallerReference="contract", HealthCheckConfig=config)
        check = made["HealthCheck"]["Id"]
        _create(
            route53, zone,
            _record(name, operator.address, SetIdentifier="near", Failover="PRIMARY", HealthCheckId=check),
            _record(name, FAR, SetIdentifier="far", Failover="SECONDARY"),
        )  # fmt: skip

        def read() -> list[str]:
            seen = route53.get_health_check_status(HealthCheckId=check)["HealthCheckObservations"]
            return [one["StatusReport"]["Status"] for one in seen]

        statuses = wait_until(
            lambda: found if len(found := read()) == _CHECKERS else [],
            what="a look of every checker", within=_MOVED_WITHIN, every=timedelta(seconds=1),
        )  # fmt: skip
        assert {one.partition(":")[0] for one in statuses} == {"Success"}
        assert operator.ask(name) == [operator.address]
    with away():
        with pytest.raises(ClientError) as refused:
            route53.list_hosted_zones()
        assert refused.value.response["Error"]["Code"] == "ServiceUnavailable"
        operator.await_answer(name, FAR, within=_MOVED_WITHIN)
        with operator.endpoint():
            operator.await_answer(name, operator.address, within=_MOVED_WITHIN)
    failures = route53.get_health_check_last_failure_reason(HealthCheckId=check)["HealthCheckObservations"]
    assert {one["StatusReport"]["Status"].partition(":")[0] for one in failures} == {"Failure"}


def test_an_endpoint_that_appears_takes_a_record_out(
    route53: Any, zone: str, operator: Operator, away: Callable[[], Any]
) -> None:
    """With an inverted check a record answers while nothing is there; once something is, one of weight 0 does.

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-how-route-53-chooses-records.html
    """
    name = f"switch.{ZONE}"
    config = {
        "Type": "HTTP", "IPAddress": operator.address, "Port": PORT, "ResourcePath": "/health",
        "RequestInterval": 10, "FailureThreshold": 1, "Inverted": True,
    }  # fmt: skip
    made = route53.create_health_check(CallerReference="switch", HealthCheckConfig=config)
    check = made["HealthCheck"]["Id"]
    _create(
        route53, zone,
        _record(name, operator.address, SetIdentifier="near", Weight=100, HealthCheckId=check),
        _record(name, FAR, SetIdentifier="far", Weight=0),
    )  # fmt: skip
    operator.await_answer(name, operator.address, within=_MOVED_WITHIN)
    with away():
        with operator.endpoint():
            operator.await_answer(name, FAR, within=_MOVED_WITHIN)
        operator.await_answer(name, operator.address, within=_MOVED_WITHIN)


def test_the_control_plane_stands_apart(route53: Any, plan: Plan, environment: Embedded) -> None:
    """Route 53's control plane is in us-east-1: with both of the plan's regions silent it answers, as it is in neither.

    https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/global-services.html
    """
    regions = [plan.regions.primary.name, plan.regions.recovery.name]
    assert "us-east-1" not in regions
    control = environment.world.control
    try:
        for region in regions:
            control.ask("silence_apis", region=region)
        assert route53.get_hosted_zone_count()["HostedZoneCount"] >= 0
    finally:
        for region in regions:
            control.ask("restore_apis", region=region)


@pytest.mark.long
def test_an_alias_fails_over_with_its_load_balancer(
    route53: Any, zone: str, operator: Operator, balancers: Balancers, targets: dict[str, str]
) -> None:
    """An alias that evaluates its target answers with a load balancer's nodes while one of its targets is healthy.

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resource-record-sets-values-alias-common.html
    """
    name, target = f"front.{ZONE}", min(targets.values())
    balancer, group = balancers.make(), balancers.group()
    balancers.listen(balancer, group)
    balancers.register(group, target)
    balancers.await_states(group, {target: "healthy"})
    alias = {
        "HostedZoneId": balancer["CanonicalHostedZoneId"], "DNSName": balancer["DNSName"], "EvaluateTargetHealth": True,
    }  # fmt: skip
    primary = {
        "Name": name,
        "Type": "A",
        "SetIdentifier": "near",
        "Failover": "PRIMARY",
        "AliasTarget": alias,
    }
    wrong = {**primary, "AliasTarget": {**alias, "HostedZoneId": "Z215JYRZR1TBD5"}}
    with pytest.raises(ClientError, match="the alias target name does not lie within the target zone"):
        _create(route53, zone, wrong)
    _create(route53, zone, primary, _record(name, FAR, SetIdentifier="far", Failover="SECONDARY"))
    nodes = operator.ask(balancer["DNSName"])
    assert nodes
    assert operator.ask(name) == nodes
    balancers.elb.deregister_targets(TargetGroupArn=group, Targets=[{"Id": target}])
    operator.await_answer(name, FAR, within=_MOVED_WITHIN)
    balancers.register(group, target)
    balancers.await_states(group, {target: "healthy"})
    wait_until(
        lambda: operator.ask(name) == nodes, what="the load balancer again", within=_MOVED_WITHIN,
        every=timedelta(seconds=1),
    )  # fmt: skip
