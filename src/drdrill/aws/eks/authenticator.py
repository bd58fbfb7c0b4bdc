"""The token authenticator of all clusters: an API server asks it who a token belongs to (a `TokenReview`).

It stands before the gate, under a name of its own, `eks-authenticator.REGION.amazonaws.com`; its path is the cluster.
As AWS's own it has STS answer the request that is in the token: when STS of the region is gone, nobody gets in.
"""

from __future__ import annotations

import json
import re
from io import BytesIO
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from drdrill.aws.eks.tokens import CLUSTER_HEADER, read_token
from drdrill.aws.errors import AwsError
from drdrill.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from drdrill.aws.eks.region import EksRegion
    from drdrill.core.clock import Clock

    StartResponse = Callable[[str, list[tuple[str, str]]], object]
    Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

_HOST = re.compile(r"eks-authenticator\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?::\d+)?")
_MOST = 1 << 16
_STS = "{https://sts.amazonaws.com/doc/2011-06-15/}"


def name_authenticator(region: str, cluster: str) -> str:
    """Return the URL under which a cluster's API server asks."""
    return f"https://eks-authenticator.{region}.amazonaws.com/{cluster}"


class Authenticator:
    """A WSGI application: answers reviews of tokens, and lets `gate` answer everything else.

    `secrets` are the secret access keys of the mirror's users, by the ids of the keys.
    """

    def __init__(
        self,
        gate: Application,
        regions: Mapping[str, EksRegion],
        *,
        secrets: Mapping[str, str],
        clock: Clock,
        report: Callable[[str], None],
    ) -> None:
        self._gate = gate
        self._regions = regions
        self._secrets = secrets
        self._clock = clock
        self._report = report

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (WSGI)."""
        found = _HOST.fullmatch(str(environ.get("HTTP_HOST", "")).lower())
        if found is None:
            return self._gate(environ, start_response)
        cluster = str(environ.get("PATH_INFO", "")).strip("/")
        body = environ["wsgi.input"].read(min(int(environ.get("CONTENT_LENGTH") or 0), _MOST))
        try:
            review = json.loads(body)
            token = review["spec"]["token"]
        except (ValueError, KeyError, TypeError):
            start_response("400 Bad Request", [("Content-Type", "text/plain")])
            return [b"This is no TokenReview.\n"]
        answer = {
            "apiVersion": review.get("apiVersion", "authentication.k8s.io/v1"),
            "kind": "TokenReview",
            "status": self.review(found["region"], cluster, str(token)),
        }
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(answer).encode()]

    def review(self, region: str, cluster: str, token: str) -> Mapping[str, Any]:
        """Return the status of a `TokenReview`: as whom the token's owner asks, or why nobody does."""
        try:
            return {"authenticated": True, "user": self._find_user(region, cluster, token)}
        except (UsageError, AwsError) as error:
            self._report(f"a token was refused at {cluster} in {region}: {error}")
            return {"authenticated": False, "error": str(error)}

    def _find_user(self, region: str, cluster: str, token: str) -> Mapping[str, Any]:
        if region not in self._regions:
            raise UsageError(f"there is no region {region}.")
        known = self._regions[region].find(cluster)
        request = read_token(token, cluster=cluster, now=self._clock.utc(), secrets=self._secrets)
        identity = self._ask_sts(request.host, request.query, cluster)
        user = known.find_user(identity["Arn"])
        if user is None:
            raise UsageError(f"{identity['Arn']} has no access entry at the cluster {cluster}.")
        username, groups = user
        return {
            "username": username,
            "uid": f"aws-iam-authenticator:{identity['Account']}:{identity['UserId']}",
            "groups": list(groups),
            "extra": {
                "arn": [identity["Arn"]],
                "canonicalArn": [identity["Arn"]],
                "principalId": [identity["UserId"]],
                "accessKeyId": [request.key],
                "sessionName": [""],
            },
        }

    def _ask_sts(self, host: str, query: str, cluster: str) -> Mapping[str, str]:
        """Have STS answer the request of a token, by the gate: where STS is refused, so is the token."""
        said: list[str] = []
        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": "/",
            "QUERY_STRING": query,
            "HTTP_HOST": host,
            f"HTTP_{CLUSTER_HEADER.upper().replace('-', '_')}": cluster,
            "CONTENT_LENGTH": "0",
            "wsgi.input": BytesIO(),
        }
        document = b"".join(self._gate(environ, lambda status, _: said.append(status)))
        if not said or not said[0].startswith("200"):
            raise UsageError(f"STS did not say who owns the token: {document.decode(errors='replace')[:300]}")
        root = ET.fromstring(document)  # noqa: S314 (the gate's own document)
        return {name: root.findtext(f".//{_STS}{name}") or "" for name in ("Arn", "Account", "UserId")}
