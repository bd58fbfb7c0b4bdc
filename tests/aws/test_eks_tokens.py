"""Tokens of `aws eks get-token`, and what an API server hears of them."""

from __future__ import annotations

import base64
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import ANY

import boto3
import pytest
from botocore.signers import RequestSigner

from drdrill.aws.eks.authenticator import Authenticator, name_authenticator
from drdrill.aws.gate import Gate
from drdrill.aws.sts import name_caller
from tests.aws.cloud import ACCOUNT, Cloud
from tests.aws.sdk import REGION
from tests.aws.test_eks import _create

SECRETS = {"mirror": "correct-horse"}
CALLER = name_caller(ACCOUNT)


def make_token(
    cluster: str, *, key: str = "mirror", signed: str = "", action: str = "GetCallerIdentity"
) -> str:
    """Make a token as the AWS CLI does (awscli/customizations/eks/get_token.py)."""
    session = boto3.Session(key, signed or SECRETS["mirror"], region_name=REGION)
    sts = session.client("sts")
    signer = RequestSigner(
        sts.meta.service_model.service_id, REGION, "sts", "v4", session.get_credentials(), session.events
    )
    url = signer.generate_presigned_url(
        {
            "method": "GET",
            "url": f"https://sts.{REGION}.amazonaws.com/?Action={action}&Version=2011-06-15",
            "body": {},
            "headers": {"x-k8s-aws-id": cluster},
            "context": {},
        },
        region_name=REGION,
        expires_in=60,
        operation_name="",
    )
    return "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


class _Now:
    """The machine's own clock: the SDK signs with its time; `later` is added."""

    def __init__(self, cloud: Cloud) -> None:
        self.later = 0.0
        self._cloud = cloud

    def now_ns(self) -> int:
        return self._cloud.clock.now_ns()

    def sleep(self, seconds: float) -> None:
        self.later += seconds

    def utc(self) -> Any:
        return datetime.now(UTC) + timedelta(seconds=self.later)


class Door:
    """An authenticator before the gate of a region with a cluster, `shop`, and one more, `bank`."""

    def __init__(self) -> None:
        self.cloud = Cloud()
        for name in ("shop", "bank"):
            _create(self.cloud, name=name)
        self.clock = _Now(self.cloud)
        self.reports: list[str] = []
        self.services = dict(self.cloud.wire.services)
        gate = Gate(self.services, self.reports.append)
        regions = {REGION: self.cloud.eks_region}
        self.authenticator = Authenticator(
            gate, regions, secrets=SECRETS, clock=self.clock, report=self.reports.append
        )

    def ask(self, token: str, cluster: str = "shop") -> dict[str, Any]:
        """Review a token as the API server of a cluster does, and return the status."""
        url = name_authenticator(REGION, cluster)
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}}
        answer: dict[str, Any] = self.send(url.split("/")[2], f"/{cluster}", json.dumps(review).encode())[
            "status"
        ]
        return answer

    def send(self, host: str, path: str, body: bytes) -> dict[str, Any]:
        """Send a request."""
        environ = {
            "REQUEST_METHOD": "POST", "HTTP_HOST": host, "PATH_INFO": path, "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
        }  # fmt: skip
        said: list[str] = []
        document = b"".join(self.authenticator(environ, lambda status, _: said.append(status)))
        answer: dict[str, Any] = json.loads(document) if document.startswith(b"{") else {}
        return {"http": said[0], **answer}


@pytest.fixture
def door() -> Door:
    """Return an authenticator."""
    return Door()


def test_whoever_created_the_cluster_is_its_administrator(door: Door) -> None:
    """A token of the AWS CLI is its owner, with the groups of the access entry."""
    assert door.ask(make_token("shop")) == {
        "authenticated": True,
        "user": {
            "username": CALLER,
            "uid": ANY,
            "groups": ["eks:access-policy:AmazonEKSClusterAdminPolicy"],
            "extra": {
                "arn": [CALLER],
                "canonicalArn": [CALLER],
                "principalId": ANY,
                "accessKeyId": ["mirror"],
                "sessionName": [""],
            },
        },
    }
    assert door.reports == []


def test_a_token_is_for_one_cluster(door: Door) -> None:
    """A token that was signed for one cluster is worth nothing at another, and nothing with another secret."""
    for token in (
        make_token("bank"),
        make_token("shop", signed="guessed"),
        make_token("shop", key="stranger"),
    ):
        said = door.ask(token)
        assert not said["authenticated"], said
    assert door.ask(make_token("bank"), "bank")["authenticated"]


def test_a_token_lives_for_fifteen_minutes(door: Door) -> None:
    """A token is good for a quarter of an hour."""
    token = make_token("shop")
    door.clock.sleep(14 * 60)
    assert door.ask(token)["authenticated"]
    door.clock.sleep(70)
    assert "expired" in door.ask(token)["error"]


@pytest.mark.parametrize(
    "token",
    [
        "",
        "k8s-aws-v1.",
        "k8s-aws-v1.%%%",
        "k8s-aws-v1." + base64.urlsafe_b64encode(b"https://evil.example/?Action=GetCallerIdentity").decode(),
        "k8s-aws-v1."
        + base64.urlsafe_b64encode(b"https://sts.amazonaws.com/?Action=GetCallerIdentity").decode(),
        make_token("shop", action="GetSessionToken"),
    ],
)
def test_what_is_no_token(door: Door, token: str) -> None:
    """What is no token for STS's question lets nobody in, and the reason is reported."""
    assert not door.ask(token)["authenticated"]
    assert len(door.reports) == 1


def test_nobody_gets_in_without_an_entry_or_without_sts(door: Door) -> None:
    """Without an access entry, without STS and at a cluster that is not there nobody is let in."""
    assert not door.ask(make_token("mill"), "mill")["authenticated"]
    del door.services[REGION, "sts"]
    assert "STS did not say" in door.ask(make_token("shop"))["error"]
    door = Door()
    door.cloud.eks.delete_access_entry(clusterName="shop", principalArn=CALLER)
    assert "no access entry" in door.ask(make_token("shop"))["error"]


def test_what_is_no_review(door: Door) -> None:
    """What is no review of a token is a bad request; what goes to another name goes to the gate."""
    host = f"eks-authenticator.{REGION}.amazonaws.com"
    for body in (b"", b"[]", b"{}", b'{"spec": 1}'):
        assert door.send(host, "/shop", body)["http"].startswith("400")
    assert door.send("localhost", "/", b"")["http"].startswith("403")
