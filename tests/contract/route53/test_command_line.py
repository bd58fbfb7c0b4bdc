"""AWS's own command line on the operator's host, unmodified: a load balancer, and a public name that leads to it.

https://docs.aws.amazon.com/cli/latest/reference/elbv2/ and https://docs.aws.amazon.com/cli/latest/reference/route53/
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from drdrill.core.errors import CommandFailedError
from tests.live.aws_cli import install_aws_cli

if TYPE_CHECKING:
    from collections.abc import Callable

    from drdrill.mirror.embedded import Embedded
    from tests.contract.elbv2.conftest import Balancers
    from tests.contract.route53.conftest import Operator

pytestmark = pytest.mark.drill
_WITHIN = timedelta(minutes=2)  # measured 1 s a command
PORT, ZONE = "8080", "till.example"
NAME = f"api.{ZONE}"


@pytest.fixture(scope="module")
def run(environment: Embedded) -> Callable[..., Any]:
    """Return what runs a command of `aws` and returns its answer."""
    aws = str(install_aws_cli() / "aws")

    def run(*arguments: str) -> Any:
        said = environment.run_for_operator([aws, *arguments, "--output", "json"], within=_WITHIN)
        return json.loads(said) if said.strip() else None

    return run


def _alias(balancer: dict[str, Any], **changes: object) -> str:
    target = {
        "DNSName": balancer["DNSName"], "HostedZoneId": balancer["CanonicalHostedZoneId"],
        "EvaluateTargetHealth": False, **changes,
    }  # fmt: skip
    record = {"Name": NAME, "Type": "A", "SetIdentifier": "here", "Weight": 100, "AliasTarget": target}
    return json.dumps({"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]})


def test_a_public_name_by_the_command_line(
    run: Callable[..., Any],
    operator: Operator,
    balancers: Balancers,
    subnets: list[dict[str, Any]],
    targets: dict[str, str],
) -> None:
    """The command line makes a load balancer with targets, gives it a weighted name, and a resolver finds its nodes.

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/routing-to-elb-load-balancer.html
    """
    places = [one["SubnetId"] for one in subnets]
    (balancer,) = run("elbv2", "create-load-balancer", "--name", "till", "--subnets", *places)[
        "LoadBalancers"
    ]
    (group,) = run(
        "elbv2", "create-target-group", "--name", "till", "--protocol", "HTTP", "--port", PORT, "--target-type", "ip",
        "--vpc-id", subnets[0]["VpcId"], "--health-check-path", "/health", "--health-check-interval-seconds", "5",
        "--health-check-timeout-seconds", "2", "--healthy-threshold-count", "2",
    )["TargetGroups"]  # fmt: skip
    arn, balancer_arn = group["TargetGroupArn"], balancer["LoadBalancerArn"]
    run("elbv2", "create-listener", "--load-balancer-arn", balancer_arn, "--protocol", "HTTP", "--port", "80",
        "--default-actions", f"Type=forward,TargetGroupArn={arn}")  # fmt: skip
    run(
        "elbv2",
        "register-targets",
        "--target-group-arn",
        arn,
        "--targets",
        *(f"Id={one}" for one in targets.values()),
    )
    run("elbv2", "wait", "load-balancer-available", "--load-balancer-arns", balancer_arn)
    balancers.await_states(arn, dict.fromkeys(targets.values(), "healthy"))  # the waiter looks every 15 s
    described = run("elbv2", "describe-target-health", "--target-group-arn", arn)["TargetHealthDescriptions"]
    assert {one["TargetHealth"]["State"] for one in described} == {"healthy"}
    zone = run("route53", "create-hosted-zone", "--name", ZONE, "--caller-reference", "till")["HostedZone"][
        "Id"
    ]
    change = run(
        "route53", "change-resource-record-sets", "--hosted-zone-id", zone, "--change-batch", _alias(balancer)
    )
    run("route53", "wait", "resource-record-sets-changed", "--id", change["ChangeInfo"]["Id"])
    assert operator.ask(NAME)
    assert operator.ask(NAME) == operator.ask(balancer["DNSName"])


def test_what_the_command_line_is_refused(run: Callable[..., Any], balancers: Balancers) -> None:
    """An alias with another hosted zone's id, and a target group that is not there, end with AWS's own words.

    https://docs.aws.amazon.com/Route53/latest/APIReference/API_AliasTarget.html
    """
    zone = run("route53", "create-hosted-zone", "--name", ZONE, "--caller-reference", "refused")[
        "HostedZone"
    ]["Id"]
    wrong = _alias(balancers.make(), HostedZoneId="Z1D633PJN98FT9X")
    with pytest.raises(
        CommandFailedError, match=r"\(InvalidChangeBatch\) when calling the ChangeResourceRecordSets"
    ):
        run("route53", "change-resource-record-sets", "--hosted-zone-id", zone, "--change-batch", wrong)
    missing = "arn:aws:elasticloadbalancing:eu-west-1:000000000000:targetgroup/nobodys/0123456789abcdef"
    with pytest.raises(
        CommandFailedError, match=r"\(TargetGroupNotFound\) when calling the DescribeTargetHealth"
    ):
        run("elbv2", "describe-target-health", "--target-group-arn", missing)
