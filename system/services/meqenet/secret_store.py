"""Secrets of a region's Secrets Manager, read in the pod's role by two plain requests that botocore's signer signs.

Of botocore only the signer: its session with the models of two services takes 23 MB of every pod's memory, for one
password a minute. Only `documents`, which needs S3, has all of it (`meqenet.aws`).
"""

from __future__ import annotations

import json
import os
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

# As with a client of botocore's: a user waits for no longer than twice this.
_WITHIN_SECONDS = 3
_ATTEMPTS = 2
_STS_NAMES = "{https://sts.amazonaws.com/doc/2011-06-15/}"
_SECRETS_TYPE = "application/x-amz-json-1.1"
_SERVERS_ERROR = 500


class SecretError(Exception):
    """A secret could not be read; the text says who refused what."""


class Credentials(NamedTuple):
    """What requests are signed with."""

    access_key: str
    secret_key: str
    token: str | None = None


def read_secret(name: str, region: str, variables: Mapping[str, str] = os.environ) -> str:
    """Read a secret's text; raises `SecretError`. Blocks.

    `variables` are those of AWS's own libraries: keys, or a role and the file of a token that it is given for.
    """
    request = AWSRequest(
        method="POST",
        url=_find_url("secretsmanager", "SECRETS_MANAGER", region, variables),
        data=json.dumps({"SecretId": name}).encode(),
        headers={"Content-Type": _SECRETS_TYPE, "X-Amz-Target": "secretsmanager.GetSecretValue"},
    )
    SigV4Auth(_find_credentials(region, variables), "secretsmanager", region).add_auth(request)
    answer = json.loads(_send(request, variables))
    return str(answer["SecretString"])


def _find_credentials(region: str, variables: Mapping[str, str]) -> Credentials:
    if variables.get("AWS_ACCESS_KEY_ID"):
        return Credentials(
            variables["AWS_ACCESS_KEY_ID"],
            variables["AWS_SECRET_ACCESS_KEY"],
            variables.get("AWS_SESSION_TOKEN"),
        )
    if not variables.get("AWS_WEB_IDENTITY_TOKEN_FILE"):
        raise SecretError(
            "there are no credentials: neither AWS_ACCESS_KEY_ID nor AWS_WEB_IDENTITY_TOKEN_FILE is set"
        )
    asked = {
        "Action": "AssumeRoleWithWebIdentity",
        "Version": "2011-06-15",
        "RoleArn": variables["AWS_ROLE_ARN"],
        "RoleSessionName": (variables.get("HOSTNAME") or "service")[:64],
        "WebIdentityToken": Path(variables["AWS_WEB_IDENTITY_TOKEN_FILE"])
        .read_text(encoding="ascii")
        .strip(),
    }
    request = AWSRequest(
        method="POST",
        url=_find_url("sts", "STS", region, variables),
        data=urlencode(asked).encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    given = ET.fromstring(_send(request, variables)).find(f".//{_STS_NAMES}Credentials")  # noqa: S314 (AWS's)
    if given is None:
        raise SecretError("STS gave no credentials")
    names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
    return Credentials(*(given.findtext(f"{_STS_NAMES}{name}", "") for name in names))


def _find_url(service: str, name: str, region: str, variables: Mapping[str, str]) -> str:
    """Return where a region's service is; in tests it is somewhere else, as AWS's own libraries are told."""
    told = variables.get(f"AWS_ENDPOINT_URL_{name}") or variables.get("AWS_ENDPOINT_URL")
    return told or f"https://{service}.{region}.amazonaws.com/"


def _send(request: AWSRequest, variables: Mapping[str, str]) -> bytes:
    """Return the answer's body; tries once more where nobody answers, or the server failed."""
    prepared = request.prepare()
    trusted = ssl.create_default_context(cafile=variables.get("AWS_CA_BUNDLE"))
    problem = ""
    for _ in range(_ATTEMPTS):
        asked = urllib.request.Request(  # noqa: S310 (AWS's, or what tests say)
            prepared.url, data=prepared.body, headers=dict(prepared.headers.items()), method=prepared.method
        )
        try:
            with urllib.request.urlopen(asked, timeout=_WITHIN_SECONDS, context=trusted) as answer:  # noqa: S310
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                problem = f"{prepared.url}: {error.code} {error.read(400).decode(errors='replace')}"
            if error.code < _SERVERS_ERROR:
                break
        except OSError as error:
            problem = f"{prepared.url}: {error}"
    raise SecretError(problem)
