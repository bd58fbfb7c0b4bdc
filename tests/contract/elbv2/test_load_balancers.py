"""Elastic Load Balancing as AWS documents it: requests to real targets, through whatever an environment has for nodes.

UG: Elastic Load Balancing, User Guide for Application Load Balancers.
"""

from __future__ import annotations

import json
import shutil
import threading
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from drdrill.core.errors import CommandFailedError
from drdrill.core.waiting import wait_until
from tests.contract.elbv2.conftest import EVERY, PORT, WITHIN, Ask, Balancers

if TYPE_CHECKING:
    from collections.abc import Callable

    from drdrill.mirror.embedded import Embedded
    from drdrill.plan.model import Plan

pytestmark = pytest.mark.drill


@pytest.fixture(scope="module")
def group(balancers: Balancers, targets: dict[str, str]) -> str:
    """Return a target group with a target in each zone."""
    made = balancers.group()
    balancers.register(made, *targets.values())
    return made


@pytest.fixture(scope="module")
def balancer(balancers: Balancers, group: str, targets: dict[str, str]) -> dict[str, Any]:
    """Return a load balancer whose targets are healthy."""
    made = balancers.make()
    balancers.listen(made, group)
    balancers.await_states(group, dict.fromkeys(targets.values(), "healthy"))
    return made


@pytest.fixture(scope="module")
def acm(client: Callable[..., Any], plan: Plan) -> Any:
    """Return a client of ACM in the same region."""
    return client(plan.regions.primary.name, "acm")


@pytest.fixture(scope="module")
def url(balancer: dict[str, Any]) -> str:
    """Return its URL."""
    return f"http://{balancer['DNSName']}"


def test_requests_reach_the_targets_of_every_zone(url: str, ask: Ask, targets: dict[str, str]) -> None:
    """The name has an address in each zone, and each of them sends requests to the targets of all.

    UG, "Cross-zone load balancing for target groups": on by default.
    """
    answer = ask.get(url)
    assert len(answer["addresses"]) == len(targets)
    assert ask.zones(url) == set(targets)


def test_headers(url: str, ask: Ask) -> None:
    """A target sees the client's address, protocol and port, and the host that it asked for.

    UG, "HTTP headers and Application Load Balancers".
    """
    seen = json.loads(ask.get(url, Host="shop.example.com")["body"])["headers"]
    assert seen["x-forwarded-for"].startswith("198.18.")
    assert (seen["x-forwarded-proto"], seen["x-forwarded-port"]) == ("http", "80")
    assert seen["host"] == "shop.example.com"


def test_rules(balancers: Balancers, balancer: dict[str, Any], url: str, ask: Ask) -> None:
    """Requests are answered by the rule with the lowest number that fits them.

    UG, "Listener rules for your Application Load Balancer", "Redirect actions", "Fixed-response actions".
    """
    (listener,) = balancers.elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    fixed = {"StatusCode": "404", "ContentType": "application/json", "MessageBody": '{"a":1}'}
    moved = {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
    made = [
        balancers.elb.create_rule(
            ListenerArn=listener["ListenerArn"], Priority=priority, Conditions=[condition], Actions=[action]
        )["Rules"][0]["RuleArn"]
        for priority, condition, action in (
            (
                1,
                {"Field": "path-pattern", "Values": ["/none/*"]},
                {"Type": "fixed-response", "FixedResponseConfig": fixed},
            ),
            (
                2,
                {"Field": "host-header", "Values": ["old.*"]},
                {"Type": "redirect", "RedirectConfig": moved},
            ),
        )
    ]
    none = wait_until(
        lambda: (found := ask.get(f"{url}/none/x"))["status"] == 404 and found,
        what="the rule",
        within=WITHIN,
        every=EVERY,
    )
    assert none
    assert (none["body"], none["headers"]["content-type"]) == ('{"a":1}', "application/json")
    assert none["headers"]["server"] == "awselb/2.0"
    wait_until(
        lambda: ask.get(url, Host="old.example.com")["status"] == 301,
        what="the second rule",
        within=WITHIN,
        every=EVERY,
    )
    old, other = ask((f"{url}/a", {"Host": "old.example.com"}), (f"{url}/a", {"Host": "new.example.com"}))
    assert (old["status"], old["headers"]["location"]) == (301, "https://old.example.com:443/a")
    assert other["status"] == 200
    for rule in made:
        balancers.elb.delete_rule(RuleArn=rule)


def test_errors_of_its_own(balancers: Balancers, balancer: dict[str, Any], url: str, ask: Ask) -> None:
    """502 when a target closes the connection, 504 when it says nothing in time, 503 when there is none.

    UG, "Troubleshoot your Application Load Balancers".
    """
    balancers.elb.modify_load_balancer_attributes(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Attributes=[{"Key": "idle_timeout.timeout_seconds", "Value": "1"}],
    )
    wait_until(
        lambda: ask.get(f"{url}/slow/3")["status"] == 504, what="the timeout", within=WITHIN, every=EVERY
    )
    assert ask.get(f"{url}/drop")["status"] == 502
    balancers.elb.modify_load_balancer_attributes(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Attributes=[{"Key": "idle_timeout.timeout_seconds", "Value": "60"}],
    )
    listener = balancers.listen(balancer, balancers.group(), Port=81)
    answer = wait_until(
        lambda: _try(lambda: ask.get(f"{url}:81")), what="the listener", within=WITHIN, every=EVERY
    )
    assert answer["status"] == 503
    balancers.elb.delete_listener(ListenerArn=listener)


def _find_reason(balancers: Balancers, group: str, target: str, reason: str) -> dict[str, Any]:
    told = balancers.health(group)[target]
    return told if told.get("Reason") == reason else {}


def test_unhealthy_targets(
    balancers: Balancers, group: str, url: str, ask: Ask, targets: dict[str, str]
) -> None:
    """A target that fails its checks gets no request; when all do, all get them; the reason is told.

    UG, "Health checks for Application Load Balancer target groups" (reason codes; fail-open).
    """
    zone, *others = targets
    ask.get(f"http://{targets[zone]}:{PORT}/become/503")
    balancers.await_states(
        group, {address: "unhealthy" if name == zone else "healthy" for name, address in targets.items()}
    )
    # Which codes, the proxies say a moment later.
    told = wait_until(
        lambda: _find_reason(balancers, group, targets[zone], "Target.ResponseCodeMismatch"),
        what="the reason", within=WITHIN, every=EVERY,
    )  # fmt: skip
    assert told["Description"] == "Health checks failed with these codes: [503]"
    # Told as soon as one node sees it; every node has to before it gets nothing.
    wait_until(lambda: ask.zones(url) == set(others), what="the others alone", within=WITHIN, every=EVERY)
    for name in others:
        ask.get(f"http://{targets[name]}:{PORT}/become/500")
    balancers.await_states(group, dict.fromkeys(targets.values(), "unhealthy"))
    wait_until(lambda: ask.zones(url) == set(targets), what="all of them", within=WITHIN, every=EVERY)
    for address in targets.values():
        ask.get(f"http://{address}:{PORT}/become/200")
    balancers.await_states(group, dict.fromkeys(targets.values(), "healthy"))


def test_draining(balancers: Balancers, group: str, url: str, ask: Ask, targets: dict[str, str]) -> None:
    """A target that is deregistered ends the request that it is at, and gets no other one.

    UG, "Edit target group attributes for your Application Load Balancer", Deregistration delay.
    """
    first, *others = targets
    for name in others:
        balancers.elb.deregister_targets(TargetGroupArn=group, Targets=[{"Id": targets[name]}])
    wait_until(lambda: ask.zones(url) == {first}, what="one target alone", within=WITHIN, every=EVERY)
    answers: list[dict[str, Any]] = []
    busy = f"http://{targets[first]}:{PORT}/busy"
    before = json.loads(ask.get(busy)["body"])["slow"]
    slow = threading.Thread(target=lambda: answers.append(ask.get(f"{url}/slow/6")))
    slow.start()
    wait_until(
        lambda: json.loads(ask.get(busy)["body"])["slow"] > before, what="a request at it", within=WITHIN, every=EVERY
    )  # fmt: skip
    balancers.register(group, targets[others[0]])
    wait_until(lambda: len(ask.zones(url)) == 2, what="another target", within=WITHIN, every=EVERY)
    balancers.elb.deregister_targets(TargetGroupArn=group, Targets=[{"Id": targets[first]}])
    assert balancers.health(group)[targets[first]]["State"] == "draining"
    wait_until(lambda: ask.zones(url) == {others[0]}, what="the other alone", within=WITHIN, every=EVERY)
    slow.join()
    assert (answers[0]["status"], json.loads(answers[0]["body"])["name"]) == (200, first)
    balancers.register(group, *targets.values())
    balancers.await_states(group, dict.fromkeys(targets.values(), "healthy"))


def test_https(balancers: Balancers, balancer: dict[str, Any], ask: Ask, acm: Any, group: str) -> None:
    """An HTTPS listener shows the certificate that it was given, and clients verify it.

    UG, "Create an HTTPS listener for your Application Load Balancer".
    """
    imported = trustme.CA().issue_cert(balancer["DNSName"])
    arn = acm.import_certificate(
        Certificate=imported.cert_chain_pems[0].bytes(), PrivateKey=imported.private_key_pem.bytes()
    )["CertificateArn"]
    listener = balancers.listen(
        balancer, group, Protocol="HTTPS", Port=443, Certificates=[{"CertificateArn": arn}]
    )
    answer = wait_until(
        lambda: _try(lambda: ask.get(f"https://{balancer['DNSName']}")),
        what="the listener",
        within=WITHIN,
        every=EVERY,
    )
    assert answer["status"] == 200
    assert json.loads(answer["body"])["headers"]["x-forwarded-proto"] == "https"
    balancers.elb.delete_listener(ListenerArn=listener)


def test_a_network_load_balancer(balancers: Balancers, ask: Ask, targets: dict[str, str]) -> None:
    """It passes connections on, to the targets of the node's own zone.

    User Guide for Network Load Balancers, "Cross-zone load balancing for target groups": off by default.
    """
    made = balancers.make(Type="network")
    group = balancers.group(Protocol="TCP")
    balancers.listen(made, group, Protocol="TCP", Port=90)
    balancers.register(group, *targets.values())
    balancers.await_states(group, dict.fromkeys(targets.values(), "healthy"))
    addresses = ask.get(f"http://{made['DNSName']}:90")["addresses"]
    assert [ask.zones(f"http://{address}:90", 3) for address in addresses] == [{zone} for zone in targets]
    balancers.elb.delete_load_balancer(LoadBalancerArn=made["LoadBalancerArn"])


def test_the_command_line(environment: Embedded, balancer: dict[str, Any], plan: Plan) -> None:
    """AWS's own command line, as it is, describes the load balancer.

    AWS CLI Command Reference, `elbv2 describe-load-balancers`.
    """
    program = shutil.which("aws")
    if program is None:
        pytest.skip("the AWS CLI is not installed")
    region = plan.regions.primary.name
    command = [program, "elbv2", "describe-load-balancers", "--region", region, "--output", "json"]
    said = json.loads(environment.run_for_operator(command, within=WITHIN))["LoadBalancers"]
    assert balancer["DNSName"] in {one["DNSName"] for one in said}


@pytest.mark.long
def test_a_lost_node_leaves_the_dns(
    environment: Embedded, balancer: dict[str, Any], url: str, ask: Ask, targets: dict[str, str]
) -> None:
    """When the machine of a node is lost, its address leaves the name's answers, and comes back with it.

    Elastic Load Balancing User Guide, "How Elastic Load Balancing works", and UG, "Target group health".
    """
    zone = next(iter(targets))
    host = f"elb-{balancer['LoadBalancerName']}-{zone}"
    control = environment.world.control
    before = ask.get(url)["addresses"]
    lost = next(one["address"] for one in control.ask("hosts")["hosts"] if one["name"] == host)
    control.ask("power_off", host=host)

    def resolve() -> set[str]:
        program = f"import socket; print(*socket.gethostbyname_ex({balancer['DNSName']!r})[2])"
        return set(environment.run_for_operator(["python3", "-c", program], within=WITHIN).split())

    wait_until(lambda: resolve() == set(before) - {lost}, what="two addresses", within=WITHIN, every=EVERY)
    control.ask("power_on", host=host)
    wait_until(lambda: resolve() == set(before), what="all addresses", within=WITHIN, every=EVERY)


def _try(look: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return what a look shows; nothing while it ends with an error."""
    try:
        return look()
    except CommandFailedError:
        return {}
