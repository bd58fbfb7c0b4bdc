"""Target groups, listeners and rules: what they become in the proxies, and what AWS refuses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from drdrill.aws.elbv2.proxying import name_upstream
from drdrill.dataplane.envoy_configuration import Answer, Forward, HttpListener, Redirect, Route
from tests.aws.cloud import ZONES
from tests.aws.elbv2.world import CERTIFICATE, SECOND_CERTIFICATE, THIRD_CERTIFICATE, Balancing

if TYPE_CHECKING:
    from collections.abc import Mapping

FIXED = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}


@pytest.fixture
def balancing() -> Balancing:
    """Return a region of its own."""
    return Balancing()


@pytest.fixture
def arn(balancing: Balancing) -> str:
    """Return a load balancer's ARN."""
    return str(balancing.balancer()["LoadBalancerArn"])


def _listener(balancing: Balancing) -> HttpListener:
    balancing.look()
    (found,) = balancing.nodes.made[ZONES[0]].configuration.listeners
    assert isinstance(found, HttpListener)
    return found


def _routes(balancing: Balancing) -> tuple[Route, ...]:
    return _listener(balancing).routes


def _refusal(balancing: Balancing, call: str, **arguments: object) -> str:
    with pytest.raises(ClientError) as caught:
        getattr(balancing.elb, call)(**arguments)
    assert balancing.wire.failures == []
    return str(caught.value.response["Error"]["Code"])


def test_rules_in_the_order_of_their_priorities(balancing: Balancing, arn: str) -> None:
    """The rule with the lowest number is asked first, the default one last."""
    first, second = balancing.group("one"), balancing.group("two")
    listener = balancing.listener(arn, first)
    for priority, path in ((20, "/a/*"), (10, "/a/b")):
        balancing.elb.create_rule(
            ListenerArn=listener,
            Priority=priority,
            Conditions=[{"Field": "path-pattern", "Values": [path]}],
            Actions=[{"Type": "forward", "TargetGroupArn": second}],
        )
    routes = _routes(balancing)
    assert [bool(re.fullmatch(one.path, "/a/b")) for one in routes[:2]] == [True, True]
    assert not re.fullmatch(routes[0].path, "/a/c")
    assert routes[2] == Route(Forward(((name_upstream(first), 1),)))
    told = balancing.elb.describe_rules(ListenerArn=listener)["Rules"]
    assert [one["Priority"] for one in told] == ["10", "20", "default"]
    balancing.elb.set_rule_priorities(RulePriorities=[{"RuleArn": told[0]["RuleArn"], "Priority": 30}])
    told = balancing.elb.describe_rules(ListenerArn=listener)["Rules"]
    assert [one["Priority"] for one in told] == ["20", "30", "default"]


@pytest.mark.parametrize(
    ("condition", "fitting", "other"),
    [
        (
            {"Field": "host-header", "HostHeaderConfig": {"Values": ["*.example.com"]}},
            {"host": "API.example.com:80"},
            {"host": "example.com"},
        ),
        (
            {"Field": "path-pattern", "Values": ["/img/?.png"]},
            {"path": "/img/a.png"},
            {"path": "/img/ab.png"},
        ),
        (
            {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["PUT", "GET"]}},
            {"method": "GET"},
            {"method": "get"},
        ),
    ],
)
def test_conditions(
    balancing: Balancing, arn: str, condition: Any, fitting: Mapping[str, str], other: Mapping[str, str]
) -> None:
    """A pattern's wildcards mean what AWS says, and hosts are compared without regard to case."""
    listener = balancing.listener(arn, DefaultActions=[FIXED])
    balancing.elb.create_rule(ListenerArn=listener, Priority=1, Conditions=[condition], Actions=[FIXED])
    route = _routes(balancing)[0]
    for part, value in fitting.items():
        assert re.fullmatch(getattr(route, part), value)
    for part, value in other.items():
        assert not re.fullmatch(getattr(route, part), value)


def test_a_header(balancing: Balancing, arn: str) -> None:
    """A rule may look at a header of any name."""
    listener = balancing.listener(arn, DefaultActions=[FIXED])
    condition = {
        "Field": "http-header",
        "HttpHeaderConfig": {"HttpHeaderName": "X-Canary", "Values": ["yes"]},
    }
    (rule,) = balancing.elb.create_rule(
        ListenerArn=listener, Priority=1, Conditions=[condition], Actions=[FIXED]
    )["Rules"]
    assert rule["Conditions"][0]["HttpHeaderConfig"]["HttpHeaderName"] == "X-Canary"
    ((name, pattern),) = _routes(balancing)[0].headers
    assert name == "x-canary"
    assert re.fullmatch(pattern, "YES")


def test_weights(balancing: Balancing, arn: str) -> None:
    """Requests are shared by weight; a group with the weight zero gets none."""
    one, two, three = (balancing.group(name) for name in ("one", "two", "three"))
    groups = [
        {"TargetGroupArn": group, "Weight": weight} for group, weight in ((one, 90), (two, 10), (three, 0))
    ]
    balancing.listener(arn, DefaultActions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}])
    assert _routes(balancing)[0].action == Forward(((name_upstream(one), 90), (name_upstream(two), 10)))


def test_redirect_and_fixed_response(balancing: Balancing, arn: str) -> None:
    """Both become what a proxy answers by itself."""
    redirect = {
        "Type": "redirect",
        "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"},
    }
    listener = balancing.listener(arn, DefaultActions=[redirect])
    assert _routes(balancing)[0].action == Redirect(permanent=True, scheme="https", port=443)
    fixed = {"StatusCode": "503", "ContentType": "application/json", "MessageBody": "{}"}
    balancing.elb.modify_listener(
        ListenerArn=listener, DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": fixed}]
    )
    assert _routes(balancing)[0].action == Answer(503, "application/json", "{}")


def test_https(balancing: Balancing, arn: str) -> None:
    """An HTTPS listener shows its own certificates, the default one first; that one stays."""
    certificate = [{"CertificateArn": CERTIFICATE}]
    listener = balancing.listener(
        arn, DefaultActions=[FIXED], Protocol="HTTPS", Port=443, Certificates=certificate
    )
    second = [{"CertificateArn": SECOND_CERTIFICATE}]
    balancing.elb.add_listener_certificates(ListenerArn=listener, Certificates=second)
    shown = [one.chain for one in _listener(balancing).certificates]
    assert shown == [f"chain of {CERTIFICATE}", f"chain of {SECOND_CERTIFICATE}"]
    told = balancing.elb.describe_listener_certificates(ListenerArn=listener)["Certificates"]
    assert [one["IsDefault"] for one in told] == [True, False]
    for named, code in ((certificate, "OperationNotPermitted"),):
        assert (
            _refusal(balancing, "remove_listener_certificates", ListenerArn=listener, Certificates=named)
            == code
        )


def test_a_certificate_that_is_added_meanwhile(balancing: Balancing, arn: str) -> None:
    """A certificate that is added while a listener is given another default one stays."""
    listener = balancing.listener(
        arn,
        DefaultActions=[FIXED],
        Protocol="HTTPS",
        Port=443,
        Certificates=[{"CertificateArn": CERTIFICATE}],
    )
    balancing.certificates.meanwhile[SECOND_CERTIFICATE] = lambda: balancing.elb.add_listener_certificates(
        ListenerArn=listener, Certificates=[{"CertificateArn": THIRD_CERTIFICATE}]
    )
    balancing.elb.modify_listener(ListenerArn=listener, Certificates=[{"CertificateArn": SECOND_CERTIFICATE}])
    told = balancing.elb.describe_listener_certificates(ListenerArn=listener)["Certificates"]
    assert [one["CertificateArn"] for one in told] == [SECOND_CERTIFICATE, THIRD_CERTIFICATE]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"Protocol": "HTTPS"}, "ValidationError"),
        ({"Protocol": "HTTPS", "Certificates": [{"CertificateArn": "arn:none"}]}, "CertificateNotFound"),
        (
            {
                "Protocol": "HTTPS",
                "Certificates": [{"CertificateArn": CERTIFICATE}],
                "SslPolicy": "mine",
            },
            "SSLPolicyNotFound",
        ),
        ({"Certificates": [{"CertificateArn": CERTIFICATE}]}, "InvalidConfigurationRequest"),
        ({"Protocol": "TCP"}, "ValidationError"),
        ({"Port": 80}, "DuplicateListener"),
        ({"DefaultActions": []}, "ValidationError"),
        ({"DefaultActions": [FIXED, FIXED]}, "TooManyActions"),
        ({"DefaultActions": [{"Type": "authenticate-oidc", "Order": 1}, FIXED]}, "NotImplemented"),
        (
            {
                "DefaultActions": [
                    {
                        "Type": "forward",
                        "TargetGroupArn": "arn:aws:elasticloadbalancing:a:b:targetgroup/none/1",
                    }
                ]
            },
            "TargetGroupNotFound",
        ),
        (
            {"DefaultActions": [{"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_302"}}]},
            "InvalidLoadBalancerAction",
        ),
        (
            {
                "DefaultActions": [
                    {
                        "Type": "redirect",
                        "RedirectConfig": {"StatusCode": "HTTP_302", "Path": "/old/#{path}"},
                    }
                ]
            },
            "NotImplemented",
        ),
        (
            {
                "DefaultActions": [
                    {
                        "Type": "redirect",
                        "RedirectConfig": {
                            "StatusCode": "HTTP_302",
                            "Host": "other.example.com",
                            "Query": "from=shop",
                        },
                    }
                ]
            },
            "NotImplemented",
        ),
    ],
)
def test_wrong_listeners(balancing: Balancing, arn: str, changed: Mapping[str, object], code: str) -> None:
    """What cannot be is refused with AWS's code."""
    balancing.listener(arn, DefaultActions=[FIXED])
    wanted = {
        "LoadBalancerArn": arn, "Protocol": "HTTP", "Port": 443, "DefaultActions": [FIXED], **changed,
    }  # fmt: skip
    assert _refusal(balancing, "create_listener", **wanted) == code
    assert len(balancing.elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]) == 1


def test_a_group_belongs_to_one_load_balancer(balancing: Balancing, arn: str) -> None:
    """A target group of an Application Load Balancer cannot have another one, and not one of another kind."""
    group = balancing.group()
    balancing.listener(arn, group)
    forward = [{"Type": "forward", "TargetGroupArn": group}]
    other = balancing.balancer("other")["LoadBalancerArn"]
    network = balancing.balancer("net", Type="network")["LoadBalancerArn"]
    for balancer, protocol, code in (
        (other, "HTTP", "TargetGroupAssociationLimit"),
        (network, "TCP", "IncompatibleProtocols"),
    ):
        said = {"LoadBalancerArn": balancer, "Protocol": protocol, "Port": 80, "DefaultActions": forward}
        assert _refusal(balancing, "create_listener", **said) == code
    assert _refusal(balancing, "delete_target_group", TargetGroupArn=group) == "ResourceInUse"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"Priority": 7}, "PriorityInUse"),
        ({"Conditions": []}, "ValidationError"),
        ({"Conditions": [{"Field": "source-ip"}]}, "NotImplemented"),
        ({"Conditions": [{"Field": "colour", "Values": ["red"]}]}, "ValidationError"),
        (
            {"Conditions": [{"Field": "path-pattern", "Values": [f"/{n}" for n in range(6)]}]},
            "InvalidConfigurationRequest",
        ),
    ],
)
def test_wrong_rules(balancing: Balancing, arn: str, changed: Mapping[str, object], code: str) -> None:
    """What cannot be is refused with AWS's code."""
    listener = balancing.listener(arn, DefaultActions=[FIXED])
    wanted = {
        "ListenerArn": listener,
        "Priority": 7,
        "Conditions": [{"Field": "path-pattern", "Values": ["/a"]}],
        "Actions": [FIXED],
    }
    balancing.elb.create_rule(**wanted)
    assert _refusal(balancing, "create_rule", **{**wanted, "Priority": 8, **changed}) == code


def test_health_checks_have_awss_defaults_and_limits(balancing: Balancing) -> None:
    """What is not said of a health check is AWS's default; what cannot be is refused."""
    group = balancing.group()
    (told,) = balancing.elb.describe_target_groups(TargetGroupArns=[group])["TargetGroups"]
    assert (told["HealthCheckIntervalSeconds"], told["HealthCheckTimeoutSeconds"]) == (30, 5)
    assert (told["HealthyThresholdCount"], told["UnhealthyThresholdCount"]) == (5, 2)
    assert (told["HealthCheckPort"], told["Matcher"]) == ("traffic-port", {"HttpCode": "200"})
    for changed, code in (
        ({"HealthCheckIntervalSeconds": 5, "HealthCheckTimeoutSeconds": 5}, "ValidationError"),
        ({"HealthCheckPath": "health"}, "ValidationError"),
        ({"Matcher": {"HttpCode": "600"}}, "ValidationError"),
        ({"HealthCheckProtocol": "TCP"}, "ValidationError"),
        ({"HealthCheckEnabled": False}, "InvalidConfigurationRequest"),
    ):
        assert _refusal(balancing, "modify_target_group", TargetGroupArn=group, **changed) == code
    (changed_group,) = balancing.elb.modify_target_group(
        TargetGroupArn=group, HealthCheckPath="/ready", Matcher={"HttpCode": "200-204,301"}
    )["TargetGroups"]
    assert changed_group["HealthCheckPath"] == "/ready"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"TargetType": "lambda"}, "NotImplemented"),
        ({"Protocol": "UDP"}, "NotImplemented"),
        ({"Protocol": "SMTP"}, "ValidationError"),
        ({"ProtocolVersion": "GRPC"}, "NotImplemented"),
        ({"Name": "a_b"}, "ValidationError"),
        ({"Name": "taken", "Port": 81}, "DuplicateTargetGroupName"),
    ],
)
def test_wrong_groups(balancing: Balancing, changed: Mapping[str, object], code: str) -> None:
    """What cannot be is refused with AWS's code."""
    balancing.group("taken")
    wanted = {"Name": "web", "Protocol": "HTTP", "Port": 80, "VpcId": balancing.vpc, "TargetType": "ip"}
    assert _refusal(balancing, "create_target_group", **{**wanted, **changed}) == code


def test_group_attributes(balancing: Balancing) -> None:
    """Attributes that would be without effect are refused by name."""
    group = balancing.group()
    for key, value, code in (
        ("slow_start.duration_seconds", "30", "NotImplemented"),
        ("stickiness.enabled", "true", "NotImplemented"),
        ("load_balancing.algorithm.type", "weighted_random", "NotImplemented"),
        ("deregistration_delay.timeout_seconds", "3601", "InvalidConfigurationRequest"),
        ("colour", "red", "InvalidConfigurationRequest"),
    ):
        wanted = [{"Key": key, "Value": value}]
        assert (
            _refusal(balancing, "modify_target_group_attributes", TargetGroupArn=group, Attributes=wanted)
            == code
        )
