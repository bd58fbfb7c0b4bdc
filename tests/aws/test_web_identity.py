"""Roles for who shows a token: what STS checks of it, and with which of AWS's errors it refuses."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from drdrill.aws.errors import AwsError
from drdrill.aws.sts import StsService
from drdrill.aws.web_identity import WebIdentities
from tests.aws.sdk import REGION, Wire

if TYPE_CHECKING:
    from collections.abc import Mapping

ACCOUNT = "000000000000"
ISSUER = "https://SHOP.gr7.eu-west-1.eks.amazonaws.com"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER.removeprefix('https://')}"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/payments"
SUBJECT = "system:serviceaccount:shop:payments"
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
CLAIMS = {"iss": ISSUER, "sub": SUBJECT, "aud": ["sts.amazonaws.com"], "exp": NOW.timestamp() + 60}
STATEMENT = {
    "Effect": "Allow",
    "Action": "sts:AssumeRoleWithWebIdentity",
    "Principal": {"Federated": PROVIDER},
    "Condition": {
        "StringEquals": {f"{PROVIDER.partition('/')[2]}:aud": "sts.amazonaws.com"},
        "StringLike": {f"{PROVIDER.partition('/')[2]}:sub": "system:serviceaccount:shop:*"},
    },
}
_KEY = ec.generate_private_key(ec.SECP256R1())


class World:
    """IAM with one role and one provider, the issuer, and a clock that stands."""

    def __init__(self) -> None:
        self.audiences = ["sts.amazonaws.com"]
        self.provider = PROVIDER
        self.statement: dict[str, Any] = STATEMENT
        self.key: bytes | None = _KEY.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )

    def call(self, service: str, operation: str, /, **parameters: Any) -> Mapping[str, Any]:
        """Answer as the upstream does."""
        match operation:
            case "GetOpenIDConnectProvider":
                if parameters["OpenIDConnectProviderArn"] != self.provider:
                    raise AwsError("NoSuchEntity", "there is none", status=404)
                return {"ClientIDList": self.audiences}
            case "GetRole":
                if parameters["RoleName"] != "payments":
                    raise AwsError("NoSuchEntity", "there is none", status=404)
                policy = quote(json.dumps({"Statement": [self.statement]}))
                return {"Role": {"Arn": ROLE, "AssumeRolePolicyDocument": policy}}
        assert (service, operation) == ("sts", "AssumeRole")
        keys = {"AccessKeyId": "ASIA", "SecretAccessKey": "s", "SessionToken": "t", "Expiration": NOW}
        user = {"AssumedRoleId": "AROA:pod", "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/payments/pod"}
        return {"Credentials": keys, "AssumedRoleUser": user}

    def find_key(self, issuer: str, /) -> bytes | None:
        """Return the issuer's key."""
        return self.key if issuer == ISSUER else None

    def now_ns(self) -> int:
        """Refuse: nobody asks."""
        raise NotImplementedError

    def utc(self) -> datetime:
        """Return the time."""
        return NOW

    def sleep(self, seconds: float) -> None:
        """Refuse: nobody asks."""
        raise NotImplementedError

    def assume(self, token: str, role: str = ROLE) -> Mapping[str, Any]:
        """Ask for a role with the SDK, unsigned, as a pod does."""
        identities = WebIdentities(self, self, ACCOUNT, self)  # type: ignore[arg-type]  # as an upstream
        wire = Wire({(REGION, "sts"): StsService(ACCOUNT, identities)})
        client = wire.client("sts", config=Config(signature_version=UNSIGNED))
        answer: Mapping[str, Any] = client.assume_role_with_web_identity(
            RoleArn=role, RoleSessionName="pod", WebIdentityToken=token
        )
        return answer


def issue(claims: Mapping[str, Any] = CLAIMS, **changes: Any) -> str:
    """Sign a token as a cluster does."""
    parts = [_encode(json.dumps(part).encode()) for part in ({"alg": "ES256"}, {**claims, **changes})]
    signed = ".".join(parts)
    halves = utils.decode_dss_signature(_KEY.sign(signed.encode(), ec.ECDSA(SHA256())))
    return f"{signed}.{_encode(b''.join(half.to_bytes(32, 'big') for half in halves))}"


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _refuse(world: World, token: str, role: str = ROLE) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        world.assume(token, role)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_pod_gets_the_role_of_its_account() -> None:
    """Credentials of the role, and whose token it was, without any signature.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
    """
    answer = World().assume(issue())
    assert answer["Credentials"]["AccessKeyId"] == "ASIA"
    assert answer["SubjectFromWebIdentityToken"] == SUBJECT
    assert (answer["Provider"], answer["Audience"]) == (PROVIDER, "sts.amazonaws.com")


def test_tokens_that_are_no_good() -> None:
    """Nonsense, another's signature, another audience, too old: each with AWS's own error."""
    world = World()
    assert _refuse(world, "no.token")[0] == "InvalidIdentityToken"
    head, content, signature = issue().split(".")
    forged = _encode(json.dumps({**CLAIMS, "sub": "system:serviceaccount:shop:root"}).encode())
    assert _refuse(world, f"{head}.{forged}.{signature}")[0] == "InvalidIdentityToken"
    assert _refuse(world, f"{head}.{content}.{signature[:-8]}")[0] == "InvalidIdentityToken"
    assert _refuse(world, issue(aud=["else"])) == ("InvalidIdentityToken", "Incorrect token audience")
    assert _refuse(world, issue(exp=NOW.timestamp()))[0] == "ExpiredTokenException"


def test_an_issuer_that_nobody_knows() -> None:
    """The account has no provider for it; or it has, and nobody serves the key."""
    world = World()
    code, message = _refuse(world, issue(iss="https://else"))
    assert code == "InvalidIdentityToken"
    assert message == "No OpenIDConnect provider found in your account for https://else"
    world.key = None
    assert _refuse(world, issue())[0] == "IDPCommunicationError"


@pytest.mark.parametrize(
    "change",
    [
        {"Effect": "Deny"},
        {"Action": "sts:AssumeRole"},
        {"Principal": {"Federated": PROVIDER + "X"}},
        {
            "Condition": {
                "StringEquals": {f"{PROVIDER.partition('/')[2]}:sub": "system:serviceaccount:shop:auth"}
            }
        },
        {"Condition": {"ArnLike": {"aws:SourceArn": "*"}}},
    ],
)
def test_a_role_that_trusts_somebody_else(change: dict[str, Any]) -> None:
    """Denied as by AWS, also where a condition is one that the mirror does not know."""
    world = World()
    world.statement = {**STATEMENT, **change}
    refused = ("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
    assert _refuse(world, issue()) == refused


def test_a_role_that_is_not_there() -> None:
    """Denied in the same words: whoever asks learns nothing of it."""
    assert _refuse(World(), issue(), ROLE + "s")[0] == "AccessDenied"
