"""What the contract's tests see of an environment: a client, targets in every zone, and HTTP from where operators are.

Only this file knows that the environment is an embedded mirror.
"""

from __future__ import annotations

import json
import secrets
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from drdrill.core.waiting import wait_until
from tests.contract.rds.conftest import client, environment, patience, plan, repository

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.mirror.embedded import Embedded
    from drdrill.plan.model import Plan

__all__ = ["client", "environment", "patience", "plan", "repository"]

_PROGRAMS = Path(__file__).with_name("programs")
PORT = 8080
WITHIN = timedelta(seconds=60)
EVERY = timedelta(milliseconds=200)
# The shortest that AWS allows: two failed checks, five seconds apart.
CHECKS = {
    "HealthCheckIntervalSeconds": 5,
    "HealthCheckTimeoutSeconds": 2,
    "HealthyThresholdCount": 2,
    "UnhealthyThresholdCount": 2,
}


@pytest.fixture(scope="module")
def elb(client: Callable[..., Any], plan: Plan) -> Any:
    """Return a client of Elastic Load Balancing in the primary region."""
    return client(plan.regions.primary.name, "elbv2")


@pytest.fixture(scope="module")
def subnets(client: Callable[..., Any], plan: Plan) -> list[dict[str, Any]]:
    """Return a subnet in each zone."""
    return list(client(plan.regions.primary.name, "ec2").describe_subnets()["Subnets"])


@pytest.fixture(scope="module")
def targets(environment: Embedded, plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the address of a web server in each zone, which says the zone's name."""
    logs = tmp_path_factory.mktemp("targets")
    found = {}
    for zone in plan.regions.primary.zones:
        host = environment.world.control.ask("bystander", zone=zone)["host"]
        command = [sys.executable, str(_PROGRAMS / "target.py"), zone, str(PORT)]
        environment.start_client(f"target-{zone}", command, log=logs / f"{zone}.log", zone=zone)
        hosts = environment.world.control.ask("hosts")["hosts"]
        found[zone] = next(one["address"] for one in hosts if one["name"] == host)
    return found


class Ask:
    """Asks over HTTP from the operator's host, a new connection for each request."""

    def __init__(self, environment: Embedded) -> None:
        self._environment = environment

    def __call__(self, *asked: tuple[str, Mapping[str, object]]) -> list[dict[str, Any]]:
        """Return the answers to URLs with headers; `Times`: how often."""
        arguments = [word for url, headers in asked for word in (url, json.dumps(headers))]
        command = [sys.executable, str(_PROGRAMS / "ask.py"), *arguments]
        answers: list[dict[str, Any]] = json.loads(self._environment.run_for_operator(command, within=WITHIN))
        return answers

    def get(self, url: str, **headers: object) -> dict[str, Any]:
        """Return the answer to one URL."""
        (answer,) = self((url, headers))
        return answer

    def zones(self, url: str, times: int = 30) -> set[str]:
        """Return the zones whose targets answer, asked so often."""
        return {json.loads(one["body"])["name"] for one in self((url, {"Times": times}))}


@pytest.fixture(scope="module")
def ask(environment: Embedded) -> Ask:
    """Return what asks."""
    return Ask(environment)


class Balancers:
    """Makes what the tests need, with names of their own."""

    def __init__(self, elb: Any, subnets: list[dict[str, Any]]) -> None:
        self.elb = elb
        self._subnets = subnets

    def make(self, **parameters: object) -> dict[str, Any]:
        """Make a load balancer in every zone, and return it when it is active."""
        wanted = {
            "Name": f"contract-{secrets.token_hex(4)}",
            "Subnets": [one["SubnetId"] for one in self._subnets],
            **parameters,
        }
        (made,) = self.elb.create_load_balancer(**wanted)["LoadBalancers"]
        self.elb.get_waiter("load_balancer_available").wait(
            LoadBalancerArns=[made["LoadBalancerArn"]], WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
        return dict(made)

    def group(self, **parameters: object) -> str:
        """Make a target group of addresses and return its ARN."""
        wanted = {
            "Name": f"contract-{secrets.token_hex(4)}",
            "Protocol": "HTTP",
            "Port": PORT,
            "VpcId": self._subnets[0]["VpcId"],
            "TargetType": "ip",
            **({"HealthCheckPath": "/health"} if parameters.get("Protocol", "HTTP") == "HTTP" else {}),
            **CHECKS,
            **parameters,
        }
        return str(self.elb.create_target_group(**wanted)["TargetGroups"][0]["TargetGroupArn"])

    def listen(self, balancer: Mapping[str, Any], action: str | Mapping[str, Any], **parameters: Any) -> str:
        """Have a load balancer listen, and forward to a target group or do something else; return the ARN."""
        does = {"Type": "forward", "TargetGroupArn": action} if isinstance(action, str) else action
        wanted = {"Protocol": "HTTP", "Port": 80, "DefaultActions": [does], **parameters}
        made = self.elb.create_listener(LoadBalancerArn=balancer["LoadBalancerArn"], **wanted)["Listeners"]
        return str(made[0]["ListenerArn"])

    def register(self, group: str, *addresses: str) -> None:
        """Register targets."""
        self.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": one} for one in addresses])

    def health(self, group: str) -> dict[str, Any]:
        """Return the health of every target."""
        told = self.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return {one["Target"]["Id"]: one["TargetHealth"] for one in told}

    def await_states(self, group: str, wanted: Mapping[str, str]) -> None:
        """Wait until targets have these states."""

        def look() -> bool:
            self.seen = {address: health["State"] for address, health in self.health(group).items()}
            return self.seen == wanted

        wait_until(look, what=f"targets {wanted}", within=WITHIN, every=EVERY)


@pytest.fixture(scope="module")
def balancers(elb: Any, subnets: list[dict[str, Any]]) -> Balancers:
    """Return what makes load balancers."""
    return Balancers(elb, subnets)
