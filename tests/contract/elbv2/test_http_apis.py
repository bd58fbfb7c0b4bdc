"""API Gateway's HTTP APIs as AWS documents them, in front of a load balancer with real targets.

DG: Amazon API Gateway, Developer Guide.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from drdrill.core.errors import CommandFailedError
from drdrill.core.waiting import wait_until
from tests.contract.elbv2.conftest import EVERY, WITHIN, Ask, Balancers

if TYPE_CHECKING:
    from collections.abc import Callable

    from drdrill.mirror.embedded import Embedded
    from drdrill.plan.model import Plan

pytestmark = pytest.mark.drill
DOMAIN = "api.example.com"


@pytest.fixture(scope="module")
def gateway(client: Callable[..., Any], plan: Plan) -> Any:
    """Return a client of API Gateway in the primary region."""
    return client(plan.regions.primary.name, "apigatewayv2")


@pytest.fixture(scope="module")
def listener(balancers: Balancers, targets: dict[str, str]) -> str:
    """Return the ARN of the listener of a load balancer whose targets are healthy."""
    group = balancers.group()
    balancers.register(group, *targets.values())
    made = balancers.listen(balancers.make(Scheme="internal"), group)
    balancers.await_states(group, dict.fromkeys(targets.values(), "healthy"))
    return made


@pytest.fixture(scope="module")
def api(gateway: Any, listener: str, subnets: list[dict[str, Any]]) -> dict[str, Any]:
    """Return an API all of whose requests go to the load balancer."""
    made: dict[str, Any] = gateway.create_api(Name="contract", ProtocolType="HTTP")
    link = gateway.create_vpc_link(Name="contract", SubnetIds=[one["SubnetId"] for one in subnets])
    integration = gateway.create_integration(
        ApiId=made["ApiId"], IntegrationType="HTTP_PROXY", IntegrationMethod="ANY", IntegrationUri=listener,
        ConnectionType="VPC_LINK", ConnectionId=link["VpcLinkId"], PayloadFormatVersion="1.0",
    )  # fmt: skip
    target = f"integrations/{integration['IntegrationId']}"
    gateway.create_route(ApiId=made["ApiId"], RouteKey="GET /shop/{proxy+}", Target=target)
    gateway.create_stage(ApiId=made["ApiId"], StageName="$default", AutoDeploy=True)
    return made


def _await(ask: Ask, url: str, status: int, *, says: str = "") -> dict[str, Any]:
    """Wait for an answer, and return it: a name is there a moment after its API.

    ``says`` is what its body must hold: a load balancer that is going answers over connections that it still
    has, with a page of its own.
    """

    def look() -> dict[str, Any]:
        try:
            answer = ask.get(url)
        except CommandFailedError:
            return {}
        return answer if answer["status"] == status and says in answer["body"] else {}

    return wait_until(look, what=f"{status} {says} of {url}", within=WITHIN, every=EVERY)


def test_requests_reach_the_load_balancer(api: dict[str, Any], ask: Ask, targets: dict[str, str]) -> None:
    """An API's own endpoint hands requests on through the VPC link; what fits no route is not found.

    DG, "Create private integrations for HTTP APIs", "Create routes for HTTP APIs".
    """
    answer = _await(ask, f"{api['ApiEndpoint']}/shop/cart", 200)
    assert json.loads(answer["body"])["name"] in targets
    assert (
        json.loads(answer["body"])["headers"]["x-forwarded-proto"] == "http"
    )  # of the load balancer's client
    other = ask.get(f"{api['ApiEndpoint']}/other")
    assert (other["status"], json.loads(other["body"])) == (404, {"message": "Not Found"})


def test_a_custom_domain(
    gateway: Any, api: dict[str, Any], environment: Embedded, client: Callable[..., Any], plan: Plan
) -> None:
    """A domain's own certificate is shown to who asks for it, and its mapping leads to the API.

    DG, "Custom domain names for HTTP APIs in API Gateway".
    """
    issued = trustme.CA().issue_cert(DOMAIN)
    arn = client(plan.regions.primary.name, "acm").import_certificate(
        Certificate=issued.cert_chain_pems[0].bytes(), PrivateKey=issued.private_key_pem.bytes()
    )["CertificateArn"]
    (said,) = gateway.create_domain_name(
        DomainName=DOMAIN, DomainNameConfigurations=[{"CertificateArn": arn, "EndpointType": "REGIONAL"}]
    )["DomainNameConfigurations"]
    gateway.create_api_mapping(DomainName=DOMAIN, ApiId=api["ApiId"], Stage="$default")
    # As a client does for which the domain is an alias of the gateway's name: TLS is verified for the domain.
    program = (
        "import http.client, socket, ssl, sys\n"
        f"raw = socket.create_connection(({said['ApiGatewayDomainName']!r}, 443), timeout=10)\n"
        f"tls = ssl.create_default_context().wrap_socket(raw, server_hostname={DOMAIN!r})\n"
        f"connection = http.client.HTTPSConnection({DOMAIN!r}); connection.sock = tls\n"
        "connection.request('GET', '/shop/cart'); print(connection.getresponse().status)\n"
    )

    def look() -> bool:
        try:
            said = environment.run_for_operator(["python3", "-c", program], within=WITHIN)
        except CommandFailedError:
            return False
        return said.strip() == "200"

    wait_until(look, what="the domain", within=WITHIN, every=EVERY)


def test_a_private_certificate_is_verified(
    gateway: Any,
    api: dict[str, Any],
    balancers: Balancers,
    *,
    ask: Ask,
    listener: str,
    client: Callable[..., Any],
    plan: Plan,
) -> None:
    """`TlsConfig` makes a private integration TLS, and what answers has to have a certificate for its name.

    https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-integrations.html
    """
    (there,) = balancers.elb.describe_listeners(ListenerArns=[listener])["Listeners"]
    issued = trustme.CA().issue_cert("shop.internal.example.com")
    arn = client(plan.regions.primary.name, "acm").import_certificate(
        Certificate=issued.cert_chain_pems[0].bytes(), PrivateKey=issued.private_key_pem.bytes()
    )["CertificateArn"]
    private = balancers.listen(
        there, there["DefaultActions"][0]["TargetGroupArn"], Protocol="HTTPS", Port=443,
        Certificates=[{"CertificateArn": arn}],
    )  # fmt: skip
    link = gateway.get_vpc_links()["Items"][0]["VpcLinkId"]
    for path, name in (("right", "shop.internal.example.com"), ("wrong", "other.example.com")):
        integration = gateway.create_integration(
            ApiId=api["ApiId"], IntegrationType="HTTP_PROXY", IntegrationMethod="ANY", IntegrationUri=private,
            ConnectionType="VPC_LINK", ConnectionId=link, TlsConfig={"ServerNameToVerify": name},
        )  # fmt: skip
        gateway.create_route(
            ApiId=api["ApiId"], RouteKey=f"GET /{path}", Target=f"integrations/{integration['IntegrationId']}"
        )
    answer = _await(ask, f"{api['ApiEndpoint']}/right", 200)
    assert json.loads(answer["body"])["headers"]["x-forwarded-proto"] == "https"
    assert ask.get(f"{api['ApiEndpoint']}/wrong")["status"] == 503


def test_a_load_balancer_that_is_gone(
    gateway: Any, api: dict[str, Any], balancers: Balancers, ask: Ask, listener: str
) -> None:
    """When nobody is behind an integration the API says that the service is not available.

    DG, "Troubleshooting issues with HTTP APIs".
    """
    _await(ask, f"{api['ApiEndpoint']}/shop/cart", 200)
    balancers.elb.delete_listener(ListenerArn=listener)
    _await(ask, f"{api['ApiEndpoint']}/shop/cart", 503, says='{"message":"Service Unavailable"}')
    assert gateway.get_integrations(ApiId=api["ApiId"])["Items"]
