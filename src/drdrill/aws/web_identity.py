"""Roles for whoever shows a token of an OpenID Connect issuer, such as a pod with that of its service account.

What STS checks is checked: signature, time, audience, and the role's trust policy (IAM User Guide, "Create a role for
OpenID Connect federation"). What a role then may do is not: permissions are nobody's matter in the mirror.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote

from drdrill.aws.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drdrill.aws.protocol import Parameters
    from drdrill.aws.upstream_client import UpstreamClient
    from drdrill.core.clock import Clock

OPERATION = "AssumeRoleWithWebIdentity"
_PARAMETERS = frozenset({"RoleArn", "RoleSessionName", "WebIdentityToken", "DurationSeconds"})
_COORDINATE = 32  # bytes of each half of a signature by ES256 (RFC 7518, 3.4)
_OPERATORS = {
    "StringEquals": lambda value, wanted: value == wanted,
    "StringLike": fnmatchcase,
}


class Issuers(Protocol):
    """Who issues tokens in this world."""

    def find_key(self, issuer: str, /) -> bytes | None:
        """Return the public key (PEM) of an issuer's tokens; None: there is no such issuer."""
        ...


@dataclass(frozen=True, slots=True)
class _Token:
    issuer: str
    subject: str
    audiences: tuple[str, ...]
    expires_at: float
    signed: bytes
    signature: bytes


class WebIdentities:
    """Gives roles to who shows a token. `upstream`: who answers for IAM, and for roles that are assumed."""

    def __init__(self, upstream: UpstreamClient, issuers: Issuers, account: str, clock: Clock) -> None:
        self._upstream = upstream
        self._issuers = issuers
        self._account = account
        self._clock = clock

    def assume_role(self, parameters: Parameters) -> Mapping[str, Any]:
        """Return credentials of a role; raises AWS's errors for a token that is no good, or not for this role."""
        other = sorted(parameters.keys() - _PARAMETERS)
        if other:
            raise AwsError("NotImplemented", f"sts:{OPERATION} with {', '.join(other)}", status=501)
        token = _read(parameters["WebIdentityToken"])
        provider = self._require_provider(token)
        self._require_valid(token)
        self._require_trust(parameters["RoleArn"], token, provider)
        wanted = {
            name: parameters[name]
            for name in ("RoleArn", "RoleSessionName", "DurationSeconds")
            if name in parameters
        }
        given = self._upstream.call("sts", "AssumeRole", **wanted)
        return {
            "Credentials": given["Credentials"],
            "AssumedRoleUser": given["AssumedRoleUser"],
            "SubjectFromWebIdentityToken": token.subject,
            "Provider": provider,
            "Audience": token.audiences[0],
        }

    def _require_provider(self, token: _Token) -> str:
        """Return the ARN of the account's entry for the token's issuer and audience."""
        arn = f"arn:aws:iam::{self._account}:oidc-provider/{token.issuer.removeprefix('https://')}"
        try:
            known = self._upstream.call("iam", "GetOpenIDConnectProvider", OpenIDConnectProviderArn=arn)
        except AwsError as error:
            text = f"No OpenIDConnect provider found in your account for {token.issuer}"
            raise AwsError("InvalidIdentityToken", text) from error
        if not set(token.audiences) & set(known.get("ClientIDList", ())):
            raise AwsError("InvalidIdentityToken", "Incorrect token audience")
        return arn

    def _require_valid(self, token: _Token) -> None:
        key = self._issuers.find_key(token.issuer)
        if key is None:
            text = "Couldn't retrieve verification key from your identity provider, please reference the documentation"
            raise AwsError("IDPCommunicationError", text)
        if not _is_signed_with(key, token):
            raise AwsError("InvalidIdentityToken", "The ID Token provided is not signed by its issuer")
        now = self._clock.utc().timestamp()
        if now >= token.expires_at:
            limit = f"before the expiration date/time {token.expires_at:.0f}"
            text = f"Token expired: current date/time {now:.0f} must be {limit}"
            raise AwsError("ExpiredTokenException", text)

    def _require_trust(self, role: str, token: _Token, provider: str) -> None:
        refused = AwsError("AccessDenied", f"Not authorized to perform sts:{OPERATION}", status=403)
        try:
            found = self._upstream.call("iam", "GetRole", RoleName=role.rpartition("/")[2])["Role"]
        except AwsError as error:
            raise refused from error
        if found["Arn"] != role:
            raise refused
        policy = json.loads(unquote(found["AssumeRolePolicyDocument"]))
        prefix = token.issuer.removeprefix("https://")
        values = {f"{prefix}:sub": (token.subject,), f"{prefix}:aud": token.audiences}
        if not any(_allows(one, provider, values) for one in _listed(policy.get("Statement", []))):
            raise refused


def _read(text: str) -> _Token:
    try:
        _, content, signature = text.split(".")
        claims = json.loads(_decode(content))
        return _Token(
            issuer=claims["iss"],
            subject=claims["sub"],
            audiences=tuple(_listed(claims["aud"])),
            expires_at=float(claims["exp"]),
            signed=text.rpartition(".")[0].encode("ascii"),
            signature=_decode(signature),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise AwsError(
            "InvalidIdentityToken",
            "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
        ) from error


def _decode(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _is_signed_with(key: bytes, token: _Token) -> bool:
    """Tell whether a token is signed by ES256, which is what the mirror's clusters sign with."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415  (30 ms, of every mirror without pods)
    from cryptography.hazmat.primitives.asymmetric import ec, utils  # noqa: PLC0415
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415

    public = load_pem_public_key(key)
    if not isinstance(public, ec.EllipticCurvePublicKey) or len(token.signature) != 2 * _COORDINATE:
        return False
    halves = (token.signature[:_COORDINATE], token.signature[_COORDINATE:])
    signature = utils.encode_dss_signature(*(int.from_bytes(half, "big") for half in halves))
    try:
        public.verify(signature, token.signed, ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def _allows(statement: Mapping[str, Any], provider: str, values: Mapping[str, tuple[str, ...]]) -> bool:
    """Tell whether a statement of a trust policy lets a token in; a condition that is not known here does not."""
    federated = _listed(statement.get("Principal", {}).get("Federated", []))
    actions = _listed(statement.get("Action", []))
    fits = any(fnmatchcase(f"sts:{OPERATION}", action) for action in actions)
    if statement.get("Effect") != "Allow" or provider not in federated or not fits:
        return False
    return all(
        operator in _OPERATORS
        and any(
            _OPERATORS[operator](value, wanted)
            for value in values.get(name, ())
            for wanted in _listed(expected)
        )
        for operator, wants in statement.get("Condition", {}).items()
        for name, expected in wants.items()
    )


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]
