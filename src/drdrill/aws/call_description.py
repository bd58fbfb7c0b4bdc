"""What a call to an AWS API was, for a record of calls: where to, what for, which thing, and how it was answered.

Of parameters only those that say which thing is meant are kept, by a short list of their names: a record must hold no
secret, whatever is sent. Of an error AWS's code is kept, and Route 53's own words, which tell of public names alone.
"""

from __future__ import annotations

import contextlib
import html
import json
import re
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from drdrill.aws.dialect import Dialect, recognise
from drdrill.aws.errors import AwsError
from drdrill.aws.naming import find_rest_operation, name_operation, read_host, read_path, read_scope
from drdrill.aws.rest import match_labels, parse_rest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_MOST_BYTES = 1 << 16  # of a request that is looked into; what is larger is an object
_LONGEST = 200  # characters of a name that is kept
_LONGEST_SAID = 400
_FIRST_ERROR = 300  # S3 says with a redirect that a bucket is elsewhere
_NOT_MODIFIED = 304
# Parameters that name a thing. Nothing that could be a value of it: no body, no password, no policy.
_KEPT = frozenset(
    name.lower()
    for name in (
        "AutoScalingGroupName", "Bucket", "CacheClusterId", "ClusterName", "DBInstanceIdentifier",
        "DBSnapshotIdentifier", "FunctionName", "HealthCheckId", "HostedZoneId", "Id", "InstanceId", "Key",
        "LoadBalancerArn", "Name", "Names.member.1", "NewDBInstanceIdentifier", "NodegroupName",
        "ReplicationGroupId", "SecretId", "SourceDBInstanceIdentifier", "TargetDBInstanceIdentifier",
        "TargetGroupArn", "TopicArn",
    )
)  # fmt: skip
_CODE = re.compile(rb"<Code>([^<]{1,200})</Code>|\"__type\"\s*:\s*\"(?:[^\"]*#)?([^\"#]{1,200})\"")
_MESSAGE = re.compile(rb"<Message>([^<]+)</Message>")


@dataclass(frozen=True, slots=True)
class CallDescription:
    """A call: region, service as signatures name it, operation, and which thing it is about, by AWS's names."""

    region: str
    service: str
    operation: str
    target: Mapping[str, str]


def describe_call(environ: dict[str, Any]) -> CallDescription:
    """Describe a request (WSGI). What is read of its body stands in `wsgi.input` again afterwards."""
    region, service = read_scope(environ)
    if not service:
        region, service = read_host(environ)
    body = _peek(environ) if service != "s3" else b""
    form = body if "form" in str(environ.get("CONTENT_TYPE", "")) else b""
    operation = name_operation(environ, service, form)
    named = operation.partition(":")[2] or operation.removeprefix(f"{service} ")
    target = {
        name[:_LONGEST]: value[:_LONGEST]
        for name, value in _read_parameters(environ, service, named, body)
        if name.lower() in _KEPT and value
    }
    return CallDescription(region, service, named[:_LONGEST], target)


def read_outcome(
    service: str, status: str, headers: Sequence[tuple[str, str]], document: bytes
) -> tuple[str, str]:
    """Return how a call was answered: `ok` or AWS's code of the error, and what Route 53 said of it."""
    number = status.partition(" ")[0]
    if not is_error(status):
        return "ok", ""
    code = next((value for name, value in headers if name.lower() == "x-amzn-errortype"), "")
    if not code and (found := _CODE.search(document)):
        code = (found[1] or found[2]).decode(errors="replace")
    said = b" ".join(_MESSAGE.findall(document)) if service == "route53" else b""
    return (code.partition(":")[0] or number)[:_LONGEST], html.unescape(said.decode(errors="replace"))[
        :_LONGEST_SAID
    ]


def is_error(status: str) -> bool:
    """Tell whether a status (WSGI) is an error's."""
    number = int(status[:3])
    return number >= _FIRST_ERROR and number != _NOT_MODIFIED


def _peek(environ: dict[str, Any]) -> bytes:
    """Read a small body, and leave it to be read again."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if environ.get("wsgi.input_terminated") or not 0 < length <= _MOST_BYTES:
        return b""
    body: bytes = environ["wsgi.input"].read(length)
    environ["wsgi.input"] = BytesIO(body)
    return body


def _read_parameters(
    environ: Mapping[str, Any], service: str, operation: str, body: bytes
) -> Iterator[tuple[str, str]]:
    """Yield the parameters of a request that are texts, by their names."""
    match recognise(environ, service):
        case Dialect.QUERY | Dialect.EC2:
            form = body or str(environ.get("QUERY_STRING", "")).encode()
            yield from parse_qsl(form.decode(errors="replace"))
        case Dialect.JSON:
            yield from _read_json(body)
        case Dialect.REST_XML:
            bucket, _, key = read_path(environ, service).lstrip("/").partition("/")
            yield from (("Bucket", bucket), ("Key", key))
        case Dialect.REST_JSON | Dialect.WRAPPED_XML:
            model = find_rest_operation(environ, service)
            if model is not None:
                template = model.http["requestUri"].partition("?")[0]
                yield from match_labels(template, str(environ.get("PATH_INFO", "/"))).items()
            if operation == "ChangeResourceRecordSets":
                yield "Name", ", ".join(_read_records(environ, service, operation, body))
            yield from _read_json(body)


def _read_json(body: bytes) -> Iterator[tuple[str, str]]:
    with contextlib.suppress(ValueError):
        document = json.loads(body)
        if isinstance(document, dict):
            yield from ((name, value) for name, value in document.items() if isinstance(value, str))


def _read_records(environ: Mapping[str, Any], service: str, operation: str, body: bytes) -> list[str]:
    """Return the names of the records that a change is about, each once."""
    try:
        changes = parse_rest(service, operation, environ, body)["ChangeBatch"]["Changes"]
    except (AwsError, KeyError):
        return []
    names = (str(one.get("ResourceRecordSet", {}).get("Name", "")) for one in changes)
    return list(dict.fromkeys(names))
