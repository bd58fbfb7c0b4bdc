"""Makes a load balancer in front of a server, and asks both in turns; writes seconds per request as JSON.

Called on the operator's host with the region, the server's address and port, the rounds and the requests of each.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from datetime import timedelta
from typing import Any

import boto3

from _plain_server import BODY
from drdrill.core.waiting import wait_until

_WITHIN = timedelta(seconds=60)  # measured 3 s
_EVERY = timedelta(milliseconds=200)
_WARM = 200
_REQUEST = b"GET / HTTP/1.1\r\nHost: shop.example.com\r\n\r\n"


def main() -> None:
    """Make it, wait until it serves, and measure."""
    region, address = sys.argv[1:3]
    port, rounds, requests = map(int, sys.argv[3:])
    name = _make(boto3.Session("bench", "bench", region_name=region), address, port)
    figures: dict[str, list[float]] = {"direct": [], "balanced": []}
    with (
        socket.create_connection((address, port)) as direct,
        socket.create_connection((name, 80)) as balanced,
    ):
        for connection in (direct, balanced):
            _ask(connection, _WARM)
        for _ in range(rounds):
            figures["direct"].append(_ask(direct, requests))
            figures["balanced"].append(_ask(balanced, requests))
    sys.stdout.write(json.dumps(figures))


def _make(session: Any, address: str, port: int) -> str:
    elb = session.client("elbv2")
    subnets = session.client("ec2").describe_subnets()["Subnets"]
    (balancer,) = elb.create_load_balancer(Name="bench", Subnets=[one["SubnetId"] for one in subnets])[
        "LoadBalancers"
    ]
    (group,) = elb.create_target_group(
        Name="bench", Protocol="HTTP", Port=port, VpcId=subnets[0]["VpcId"], TargetType="ip",
        HealthCheckIntervalSeconds=5, HealthCheckTimeoutSeconds=2,
    )["TargetGroups"]  # fmt: skip
    arn = group["TargetGroupArn"]
    forward = [{"Type": "forward", "TargetGroupArn": arn}]
    elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="HTTP", Port=80, DefaultActions=forward
    )
    elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": address}])

    def look() -> bool:
        (told,) = elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        return bool(told["TargetHealth"]["State"] == "healthy")

    wait_until(look, what="a healthy target", within=_WITHIN, every=_EVERY)
    return str(balancer["DNSName"])


def _ask(connection: socket.socket, requests: int) -> float:
    """Return the seconds that a request takes, of so many in a row."""
    began = time.perf_counter()
    for _ in range(requests):
        connection.sendall(_REQUEST)
        answer = b""
        while not answer.endswith(BODY):
            received = connection.recv(4096)
            if not received:
                raise RuntimeError(f"the connection was closed after {answer!r}")
            answer += received
    return (time.perf_counter() - began) / requests


main()
