"""What a request asks for: region, service and operation, as AWS names them, also where nobody here can answer it.

Region and service come from the credential scope of the signature (SigV4), which an SDK always sends; of an unsigned
call, from the host's name. The operation of a REST protocol is found by method, path and query in botocore's models.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from botocore.exceptions import UnknownServiceError

from drdrill.aws.protocol import load_model

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from botocore.model import OperationModel

_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request")
_HOST = re.compile(
    r"(?P<service>[a-z0-9.-]+?)(?:\.(?P<region>[a-z]{2,3}(?:-[a-z]+)+-\d))?\.(?:amazonaws\.com|api\.aws)"
)
_BUCKET = re.compile(r"(?P<bucket>.+)\.s3(?:[.-]dualstack)?(?:\.[a-z0-9-]+)?\.amazonaws\.com")


def read_scope(environ: Mapping[str, Any]) -> tuple[str, str]:
    """Return region and service of a signed request, from its header or its query; empty where it is unsigned."""
    signed = str(environ.get("HTTP_AUTHORIZATION", ""))
    if not signed:
        query = parse_qs(str(environ.get("QUERY_STRING", "")))
        signed = "Credential=" + query.get("X-Amz-Credential", [""])[0]
    found = _SCOPE.search(signed)
    return (found[1], found[2]) if found else ("", "")


def read_host(environ: Mapping[str, Any]) -> tuple[str, str]:
    """Return region and service by the name that was called; empty what does not stand in it."""
    found = _HOST.fullmatch(_host(environ))
    if found is None:
        return "", ""
    labels = found["service"].split(".")
    return found["region"] or "", "s3" if "s3" in labels else labels[-1]


def name_operation(environ: Mapping[str, Any], service: str, body: bytes) -> str:
    """Return the operation as AWS names it: `dynamodb:ListTables`; where no model tells: `service GET /path`."""
    path, method = str(environ.get("PATH_INFO", "/")), str(environ.get("REQUEST_METHOD", "GET"))
    target = str(environ.get("HTTP_X_AMZ_TARGET", "")).rpartition(".")[2]
    if environ.get("HTTP_SMITHY_PROTOCOL"):
        target = path.rpartition("/")[2]
    for form in (body.decode("utf-8", errors="replace"), str(environ.get("QUERY_STRING", ""))):
        target = target or parse_qs(form).get("Action", [""])[0]
    if not target and (operation := find_rest_operation(environ, service)):
        target = operation.name
    return f"{service}:{target}" if target else f"{service} {method} {path}"


def read_path(environ: Mapping[str, Any], service: str) -> str:
    """Return a request's path, with the bucket in it also where that stands in the host's name."""
    path = str(environ.get("PATH_INFO", "/"))
    bucket = _BUCKET.fullmatch(_host(environ)) if service == "s3" else None
    return f"/{bucket['bucket']}{path if path != '/' else ''}" if bucket else path


def find_rest_operation(environ: Mapping[str, Any], service: str) -> OperationModel | None:
    """Return the operation of a REST protocol that fits a request most closely; None when none does."""
    method = str(environ.get("REQUEST_METHOD", "GET"))
    path = read_path(environ, service)
    query = parse_qs(str(environ.get("QUERY_STRING", "")), keep_blank_values=True)
    fitting = [
        (fit, operation)
        for operation in _load_operations(service, _host(environ))
        if operation.http["method"] == method and (fit := _fit(operation, path, query, environ)) is not None
    ]
    return max(fitting, key=lambda one: one[0])[1] if fitting else None


@cache
def _load_operations(service: str, host: str) -> tuple[OperationModel, ...]:
    """Return the operations that a service may mean: S3 Control, for one, signs as `s3` and is known by its host."""
    for name in (*(label.replace("-", "") for label in host.split(".")[:2] if "-" in label), service):
        try:
            model = load_model(name)
        except UnknownServiceError:
            continue
        return tuple(map(model.operation_model, model.operation_names))
    return ()


def _fit(
    operation: OperationModel, path: str, query: Mapping[str, Any], environ: Mapping[str, Any]
) -> tuple[int, int] | None:
    """Say how closely a request fits an operation: fixed parts of query and headers, then fixed characters."""
    template, _, fixed = operation.http["requestUri"].partition("?")
    if not _compile(template).fullmatch(path):
        return None
    wanted = [*fixed.split("&")] if fixed else []
    headers = []
    shape = operation.input_shape
    for name in shape.required_members if shape else ():
        place = shape.members[name].serialization
        if place.get("location") == "querystring":
            wanted.append(place["name"])
        elif place.get("location") == "header":
            headers.append("HTTP_" + place["name"].upper().replace("-", "_"))
    if not (all(_has(query, one) for one in wanted) and all(header in environ for header in headers)):
        return None
    return len(wanted) + len(headers), len(re.sub(r"\{[^}]*\}", "", template))


def _has(query: Mapping[str, Any], wanted: str) -> bool:
    name, _, value = wanted.partition("=")
    return name in query and (not value or value in query[name])


@cache
def _compile(template: str) -> re.Pattern[str]:
    """Turn `/{Bucket}/{Key+}` into a pattern of paths."""
    parts: Iterable[str] = re.split(r"(\{[^}]*\})", template.rstrip("/") or "/")
    pattern = "".join(
        (r".+" if part.endswith("+}") else r"[^/]+") if part.startswith("{") else re.escape(part)
        for part in parts
    )
    return re.compile(pattern + "/?")


def _host(environ: Mapping[str, Any]) -> str:
    return str(environ.get("HTTP_HOST", "")).partition(":")[0].lower()
