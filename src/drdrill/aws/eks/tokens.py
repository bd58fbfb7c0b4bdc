"""The tokens that `aws eks get-token` makes: a request to STS that was signed for one cluster, and not sent.

Source: aws-iam-authenticator, "API Authorization from Outside a Cluster", and AWS's Signature Version 4. Whoever asks a
cluster shows the request; who carries it out learns from STS who signed it. The cluster's name is a signed header, so
that a token of one cluster is worth nothing at another.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlsplit

from drdrill.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "k8s-aws-v1."
CLUSTER_HEADER = "x-k8s-aws-id"
_LIFETIME = timedelta(minutes=15)  # aws-iam-authenticator: whatever X-Amz-Expires says
_SKEW = timedelta(minutes=5)
_ALGORITHM = "AWS4-HMAC-SHA256"
_REQUIRED = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Signature")
_SCOPE_PARTS = 5


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request that a token holds."""

    host: str
    query: str
    key: str  # the id of the access key that it is signed with


def read_token(token: str, *, cluster: str, now: datetime, secrets: Mapping[str, str]) -> SignedRequest:
    """Return what a token holds; raises `UsageError`, which says what is wrong with it."""
    url = urlsplit(_decode(token))
    fields = dict(parse_qsl(url.query, keep_blank_values=True))
    host = url.netloc
    if url.scheme != "https" or not host.startswith("sts.") or not host.endswith(".amazonaws.com"):
        raise UsageError(f"the token is not for STS, but for {host or 'nobody'}.")
    if url.path not in ("", "/") or fields.get("Action") != "GetCallerIdentity":
        raise UsageError("the token does not ask STS who its owner is.")
    missing = [name for name in _REQUIRED if name not in fields]
    if missing or fields["X-Amz-Algorithm"] != _ALGORITHM:
        raise UsageError(
            f"the token is not signed as AWS signs: it lacks {', '.join(missing) or _ALGORITHM}."
        )
    if CLUSTER_HEADER not in fields["X-Amz-SignedHeaders"].split(";"):
        raise UsageError("the token was not signed for any cluster.")
    _require_time(fields["X-Amz-Date"], now)
    key, *scope = fields["X-Amz-Credential"].split("/")
    if len(scope) != _SCOPE_PARTS - 1 or key not in secrets:
        raise UsageError(
            f"the security token included in the request is invalid: there is no access key {key}."
        )
    if not hmac.compare_digest(_sign(fields, host, cluster, secrets[key], scope), fields["X-Amz-Signature"]):
        raise UsageError(f"the token was signed for another cluster than {cluster}, or with another secret.")
    return SignedRequest(host, url.query, key)


def _decode(token: str) -> str:
    if not token.startswith(PREFIX):
        raise UsageError(f"the token does not begin with {PREFIX}")
    content = token.removeprefix(PREFIX)
    try:
        return base64.b64decode(content + "=" * (-len(content) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise UsageError(f"the token cannot be read: {error}") from error


def _require_time(text: str, now: datetime) -> None:
    try:
        signed_at = datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise UsageError(f"the token's time {text} cannot be read.") from error
    if now > signed_at + _LIFETIME:
        raise UsageError(f"the token has expired: it was signed at {text}, and is good for 15 minutes.")
    if signed_at > now + _SKEW:
        raise UsageError(f"the token was signed in the future, at {text}.")


def _sign(fields: Mapping[str, str], host: str, cluster: str, secret: str, scope: list[str]) -> str:
    """Return the signature of a request, by Signature Version 4 in a query."""
    headers = {"host": host, CLUSTER_HEADER: cluster}
    signed = fields["X-Amz-SignedHeaders"].split(";")
    pairs = sorted((key, value) for key, value in fields.items() if key != "X-Amz-Signature")
    query = "&".join(f"{quote(key, safe='-_.~')}={quote(value, safe='-_.~')}" for key, value in pairs)
    canonical = "\n".join(
        (
            "GET",
            "/",
            query,
            *(f"{name}:{headers.get(name, '')}" for name in signed),
            "",
            ";".join(signed),
            hashlib.sha256(b"").hexdigest(),
        )
    )
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = "\n".join((_ALGORITHM, fields["X-Amz-Date"], "/".join(scope), digest))
    key = b"AWS4" + secret.encode()
    for part in scope:
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()
