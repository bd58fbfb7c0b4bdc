"""HTTP APIs: what they become in the region's gateway, and what AWS refuses."""

from __future__ import annotations

import pickle
import re
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from drdrill.aws.apigatewayv2 import GatewayRegion, GatewayService
from drdrill.aws.apigatewayv2.keeping import GatewayKeeper
from drdrill.dataplane.envoy_configuration import Answer, Certificate, Forward, HttpListener, Route
from tests.aws.cloud import ACCOUNT
from tests.aws.elbv2.world import CERTIFICATE, Balancing, FakeCertificates, FakeNode
from tests.aws.sdk import REGION, Wire

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class OwnCertificates(FakeCertificates):
    """ACM, and an authority of AWS's own."""

    def issue(self, name: str, /) -> Certificate:
        """Return a certificate."""
        return Certificate(f"own of {name}", "key")

    authorities = "of the mirror"


class Machines:
    """Where the gateway is made, once."""

    def __init__(self) -> None:
        self.node = FakeNode("managed", "10.20.250.9")

    def create(self, name: str, zone: str) -> FakeNode:
        """Make it."""
        assert (name, zone) == ("apigateway", "managed")
        return self.node


@cache
def _connect() -> tuple[Wire, Any]:
    wire = Wire()
    return wire, wire.client("apigatewayv2")


class Gateway:
    """API Gateway in one region beside its load balancers."""

    def __init__(self) -> None:
        self.balancing = Balancing()
        self.machines = Machines()
        self.region = GatewayRegion(
            REGION,
            ACCOUNT,
            place="managed",
            fleet=self.machines,
            subnets=self.balancing.region.subnets,
            balancers=self.balancing.region,
            certificates=OwnCertificates(),
            names=self.balancing.names,
            clock=self.balancing.clock,
            watch=False,
        )
        self.wire, self.client = _connect()
        self.wire.services = {(REGION, "apigateway"): GatewayService(self.region)}
        self.wire.failures.clear()

    def api(self, **parameters: object) -> str:
        """Make an API and return its id."""
        return str(self.client.create_api(**{"Name": "shop", "ProtocolType": "HTTP", **parameters})["ApiId"])

    def integrate(self, api: str, uri: str = "https://shop.example.com/{proxy}", **parameters: object) -> str:
        """Make an integration, and return what a route's target is."""
        wanted = {"IntegrationType": "HTTP_PROXY", "IntegrationMethod": "ANY", **parameters}
        made = self.client.create_integration(ApiId=api, IntegrationUri=uri, **wanted)
        return f"integrations/{made['IntegrationId']}"

    def stage(self, api: str, name: str = "$default", **parameters: object) -> None:
        """Make a stage that deploys by itself."""
        self.client.create_stage(ApiId=api, StageName=name, **{"AutoDeploy": True, **parameters})

    def routes(self) -> tuple[Route, ...]:
        """Return what the gateway does now."""
        self.region.look()
        (listener,) = self.machines.node.configuration.listeners
        assert isinstance(listener, HttpListener)
        return listener.routes

    def find(self, host: str, path: str, method: str = "GET") -> Forward | Answer:
        """Return what is done with a request."""
        for route in self.routes():
            fits = [
                not pattern or re.fullmatch(pattern, said)
                for pattern, said in ((route.host, host), (route.path, path), (route.method, method))
            ]
            if all(fits):
                assert isinstance(route.action, Forward | Answer)
                return route.action
        raise AssertionError(host)


@pytest.fixture
def gateway() -> Gateway:
    """Return a region of its own."""
    return Gateway()


def _rewrite(forward: Forward | Answer, path: str) -> str:
    assert isinstance(forward, Forward)
    assert forward.path is not None
    return re.sub(*forward.path, path)


def test_an_api_answers_under_a_name_of_its_own(gateway: Gateway) -> None:
    """Its name is published once the gateway answers, and withdrawn with it."""
    api = gateway.api(Tags={"team": "a"})
    told = gateway.client.get_api(ApiId=api)
    assert told["ApiEndpoint"] == f"https://{api}.execute-api.eu-west-1.amazonaws.com"
    assert (told["Tags"], told["CreatedDate"].year) == ({"team": "a"}, 2026)
    name = told["ApiEndpoint"].removeprefix("https://")
    gateway.machines.node.heard = False
    gateway.region.look()
    assert name not in gateway.balancing.names.published
    gateway.machines.node.heard = True
    gateway.region.look()
    assert gateway.balancing.names.published[name] == ("10.20.250.9",)
    gateway.client.delete_api(ApiId=api)
    gateway.region.look()
    assert name not in gateway.balancing.names.published


def test_the_most_specific_route_is_taken(gateway: Gateway) -> None:
    """A full match comes before a variable, that before a greedy one, and `$default` last."""
    api = gateway.api()
    keys = ("$default", "ANY /{proxy+}", "GET /orders/{id}", "GET /orders/all", "POST /orders/{id}")
    uris = {key: f"http://b{number}.example.com/x" for number, key in enumerate(keys)}
    for key, uri in uris.items():
        gateway.client.create_route(ApiId=api, RouteKey=key, Target=gateway.integrate(api, uri))
    gateway.stage(api)
    host = f"{api}.execute-api.eu-west-1.amazonaws.com"
    for method, path, key in (
        ("GET", "/orders/all", "GET /orders/all"),
        ("GET", "/orders/7", "GET /orders/{id}"),
        ("POST", "/orders/all", "POST /orders/{id}"),
        ("PUT", "/orders/7", "ANY /{proxy+}"),
        ("GET", "/", "$default"),
    ):
        found = gateway.find(host, path, method)
        assert isinstance(found, Forward)
        assert f"http://{found.host}/x" == uris[key], path


def test_paths(gateway: Gateway) -> None:
    """A stage's name is no part of what a public server gets; variables are."""
    api = gateway.api()
    target = gateway.integrate(api, "https://shop.example.com/v1/{proxy}", TimeoutInMillis=1500)
    gateway.client.create_route(ApiId=api, RouteKey="ANY /{proxy+}", Target=target)
    gateway.stage(api, "prod")
    host = f"{api}.execute-api.eu-west-1.amazonaws.com"
    found = gateway.find(host, "/prod/a/b")
    assert _rewrite(found, "/prod/a/b") == "/v1/a/b"
    assert isinstance(found, Forward)
    assert (found.host, found.timeout and found.timeout.total_seconds()) == ("shop.example.com", 1.5)
    missing = gateway.find(host, "/a")
    assert isinstance(missing, Answer)
    assert (missing.status, missing.body) == (404, '{"message":"Not Found"}')
    foreign = gateway.find("other.example.com", "/")
    assert isinstance(foreign, Answer)
    assert foreign.status == 403


def test_a_vpc_link_leads_to_a_load_balancer(gateway: Gateway) -> None:
    """A private integration goes to a listener; when that is gone, the answer is 503."""
    balancer = gateway.balancing.balancer()
    listener = gateway.balancing.listener(balancer["LoadBalancerArn"], gateway.balancing.group())
    link = gateway.client.create_vpc_link(Name="in", SubnetIds=gateway.balancing.subnets)
    assert link["VpcLinkStatus"] == "PENDING"
    api = gateway.api()
    target = gateway.integrate(api, listener, ConnectionType="VPC_LINK", ConnectionId=link["VpcLinkId"])
    gateway.client.create_route(ApiId=api, RouteKey="$default", Target=target)
    gateway.stage(api)
    host = f"{api}.execute-api.eu-west-1.amazonaws.com"
    found = gateway.find(host, "/pay")
    (upstream,) = gateway.machines.node.configuration.upstreams
    assert (upstream.server_name, upstream.port) == (balancer["DNSName"], 80)
    assert isinstance(found, Forward)
    assert (found.weights, found.path) == (((upstream.name, 1),), None)
    assert gateway.client.get_vpc_link(VpcLinkId=link["VpcLinkId"])["VpcLinkStatus"] == "AVAILABLE"
    gateway.balancing.elb.delete_listener(ListenerArn=listener)
    gone = gateway.find(host, "/pay")
    assert isinstance(gone, Answer)
    assert gone.status == 503


def test_whose_certificate_is_asked_for(gateway: Gateway) -> None:
    """A public server's certificate is verified; a private one's for the name in `TlsConfig`, without which it is HTTP.

    https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-integrations.html
    """
    balancer = gateway.balancing.balancer()
    listener = gateway.balancing.listener(balancer["LoadBalancerArn"], gateway.balancing.group())
    link = gateway.client.create_vpc_link(Name="in", SubnetIds=gateway.balancing.subnets)["VpcLinkId"]
    api = gateway.api()
    private = {"ConnectionType": "VPC_LINK", "ConnectionId": link}
    for key, target in {
        "GET /public": gateway.integrate(api, "https://shop.example.com/"),
        "GET /plain": gateway.integrate(api, "http://shop.example.com/"),
        "GET /in": gateway.integrate(api, listener, **private),
        "GET /a": gateway.integrate(
            api, listener, **private, TlsConfig={"ServerNameToVerify": "a.example.com"}
        ),
        "GET /b": gateway.integrate(
            api, listener, **private, TlsConfig={"ServerNameToVerify": "b.example.com"}
        ),
    }.items():
        gateway.client.create_route(ApiId=api, RouteKey=key, Target=target)
    gateway.stage(api)
    gateway.region.look()
    upstreams = gateway.machines.node.configuration.upstreams
    shown = {(one.server_name, one.port, one.tls, one.tls_name, one.authorities) for one in upstreams}
    name, trusted = balancer["DNSName"], "of the mirror"
    assert shown == {
        ("shop.example.com", 443, True, "shop.example.com", trusted),
        ("shop.example.com", 80, False, "", ""),
        (name, 80, False, "", ""),
        (name, 80, True, "a.example.com", trusted),
        (name, 80, True, "b.example.com", trusted),
    }
    with pytest.raises(ClientError, match="only for private integrations"):
        gateway.integrate(api, "https://shop.example.com/", TlsConfig={"ServerNameToVerify": "a"})


def test_a_deployment_is_what_the_api_was(gateway: Gateway) -> None:
    """A stage that does not deploy by itself stays what was deployed."""
    api = gateway.api()
    first = gateway.integrate(api, "http://one.example.com/")
    route = gateway.client.create_route(ApiId=api, RouteKey="$default", Target=first)["RouteId"]
    gateway.stage(api, AutoDeploy=False)
    host = f"{api}.execute-api.eu-west-1.amazonaws.com"
    assert isinstance(gateway.find(host, "/"), Answer)
    gateway.client.create_deployment(ApiId=api, StageName="$default")
    second = gateway.integrate(api, "http://two.example.com/")
    gateway.client.update_route(ApiId=api, RouteId=route, Target=second)
    found = gateway.find(host, "/")
    assert isinstance(found, Forward)
    assert found.host == "one.example.com"
    gateway.client.create_deployment(ApiId=api, StageName="$default")
    found = gateway.find(host, "/")
    assert isinstance(found, Forward)
    assert found.host == "two.example.com"


def test_a_domain(gateway: Gateway) -> None:
    """A custom domain shows its own certificate, leads to a stage below a path, and has a name to be aliased to."""
    api = gateway.api()
    target = gateway.integrate(api, "http://one.example.com/{proxy}")
    gateway.client.create_route(ApiId=api, RouteKey="ANY /{proxy+}", Target=target)
    gateway.stage(api)
    made = gateway.client.create_domain_name(
        DomainName="api.example.com", DomainNameConfigurations=[{"CertificateArn": CERTIFICATE}]
    )
    (said,) = made["DomainNameConfigurations"]
    assert (said["DomainNameStatus"], said["HostedZoneId"]) == ("UPDATING", "ZLY8HYME6SFDD")
    gateway.client.create_api_mapping(
        DomainName="api.example.com", ApiId=api, Stage="$default", ApiMappingKey="v1"
    )
    assert _rewrite(gateway.find("api.example.com", "/v1/a"), "/v1/a") == "/a"
    (listener,) = gateway.machines.node.configuration.listeners
    assert isinstance(listener, HttpListener)
    assert [one.chain for one in listener.certificates] == [
        "own of *.execute-api.eu-west-1.amazonaws.com",
        f"chain of {CERTIFICATE}",
    ]
    assert gateway.balancing.names.published[said["ApiGatewayDomainName"]] == ("10.20.250.9",)
    told = gateway.client.get_domain_name(DomainName="api.example.com")["DomainNameConfigurations"][0]
    assert told["DomainNameStatus"] == "AVAILABLE"
    (second,) = gateway.client.create_domain_name(
        DomainName="other.example.com", DomainNameConfigurations=[{"CertificateArn": CERTIFICATE}]
    )["DomainNameConfigurations"]
    assert second["ApiGatewayDomainName"] not in gateway.balancing.names.published
    assert second["DomainNameStatus"] == "UPDATING"  # the gateway answers, and not for this one yet
    for call, arguments in (
        ("delete_api", {"ApiId": api}),
        ("delete_stage", {"ApiId": api, "StageName": "$default"}),
    ):
        with pytest.raises(ClientError) as caught:
            getattr(gateway.client, call)(**arguments)
        assert caught.value.response["Error"]["Code"] == "BadRequestException"


@pytest.mark.parametrize(
    ("call", "arguments", "code"),
    [
        ("create_api", {"Name": "a", "ProtocolType": "WEBSOCKET"}, "NotImplemented"),
        ("create_api", {"Name": "a", "ProtocolType": "HTTP", "CorsConfiguration": {}}, "NotImplemented"),
        ("get_api", {"ApiId": "none"}, "NotFoundException"),
        ("create_integration", {"ApiId": "none", "IntegrationType": "HTTP_PROXY"}, "NotFoundException"),
        ("create_integration", {"IntegrationType": "AWS_PROXY"}, "NotImplemented"),
        (
            "create_integration",
            {"IntegrationType": "HTTP_PROXY", "IntegrationMethod": "ANY", "IntegrationUri": "shop"},
            "BadRequestException",
        ),
        (
            "create_integration",
            {
                "IntegrationType": "HTTP_PROXY",
                "IntegrationMethod": "ANY",
                "IntegrationUri": "http://a.b",
                "TimeoutInMillis": 30001,
            },
            "BadRequestException",
        ),
        ("create_route", {"RouteKey": "FETCH /"}, "BadRequestException"),
        ("create_route", {"RouteKey": "GET /", "Target": "integrations/none"}, "NotFoundException"),
        ("create_route", {"RouteKey": "GET /", "AuthorizationType": "JWT"}, "NotImplemented"),
        ("create_stage", {"StageName": "a b"}, "BadRequestException"),
        ("create_stage", {"StageName": "a", "StageVariables": {"a": "b"}}, "NotImplemented"),
        ("create_deployment", {}, "BadRequestException"),
        ("create_vpc_link", {"Name": "a", "SubnetIds": ["subnet-1"]}, "BadRequestException"),
        (
            "create_domain_name",
            {
                "DomainName": "a.example.com",
                "DomainNameConfigurations": [{"CertificateArn": "arn:none"}],
            },
            "BadRequestException",
        ),
        ("get_domain_name", {"DomainName": "none.example.com"}, "NotFoundException"),
        ("get_authorizers", {}, "NotImplemented"),
    ],
)
def test_wrong_calls(gateway: Gateway, call: str, arguments: Mapping[str, object], code: str) -> None:
    """A wrong call is AWS's own error; what is not implemented is refused by name."""
    takes_api = call not in ("create_api", "create_vpc_link", "create_domain_name", "get_domain_name")
    wanted = {**({"ApiId": gateway.api()} if takes_api else {}), **arguments}
    with pytest.raises(ClientError) as caught:
        getattr(gateway.client, call)(**wanted)
    assert caught.value.response["Error"]["Code"] == code
    assert gateway.wire.failures == []


def test_what_is_kept_is_made_again(gateway: Gateway, tmp_path: Path) -> None:
    """Another mirror has the same APIs under the same names, and is done when those lead to its own gateway."""
    api = gateway.api()
    target = gateway.integrate(api, "http://one.example.com/")
    gateway.client.create_route(ApiId=api, RouteKey="$default", Target=target)
    gateway.stage(api)
    gateway.client.create_domain_name(
        DomainName="api.example.com", DomainNameConfigurations=[{"CertificateArn": CERTIFICATE}]
    )
    kept = pickle.loads(pickle.dumps(GatewayKeeper({REGION: gateway.region}).keep(tmp_path)))  # noqa: S301
    other = Gateway()
    other.region.look()
    assert not other.balancing.names.published
    other.region.begin = other.region.look  # type: ignore[method-assign]
    GatewayKeeper({REGION: other.region}).restore(kept, tmp_path)
    assert set(other.balancing.names.published) == {
        f"{api}.execute-api.eu-west-1.amazonaws.com",
        other.client.get_domain_name(DomainName="api.example.com")["DomainNameConfigurations"][0][
            "ApiGatewayDomainName"
        ],
    }
    assert isinstance(other.find(f"{api}.execute-api.eu-west-1.amazonaws.com", "/"), Forward)
