"""Calls of our own to the upstream, for what our services need to know of those that are delegated.

Requests and answers are botocore's own, so a reconciler of ours asks as any SDK would.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from drdrill.aws.errors import AwsError
from drdrill.aws.protocol import load_model
from drdrill.aws.request_body import Body
from drdrill.aws.upstream import Call, scope, send

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drdrill.aws.upstream import Upstream

_FIRST_ERROR = 300


class UpstreamClient:
    """Asks the upstream in one region. Thread-safe."""

    def __init__(self, upstream: Upstream, region: str) -> None:
        self.upstream = upstream
        self.region = region

    def call(self, service: str, operation: str, /, **parameters: object) -> Mapping[str, Any]:
        """Return the answer of an operation of a service, by botocore's name; raises the error that it ends with."""
        model = load_model(service)
        wanted = model.operation_model(operation)
        request = _serializer(service).serialize_to_request(parameters, wanted)
        body = request["body"]
        content = urlencode(body).encode() if isinstance(body, dict) else bytes(body or b"")
        query = request["query_string"]
        text = query if isinstance(query, str) else urlencode(query)
        headers = {
            **request["headers"],
            "Authorization": scope(self.region, model.signing_name),
            "Content-Length": str(len(content)),
        }
        host = f"{model.endpoint_prefix}.{self.region}.amazonaws.com"
        path, _, fixed = str(request["url_path"]).partition("?")
        target = "?".join(filter(None, (path, "&".join(filter(None, (fixed, text))))))
        sent = tuple((name, str(value)) for name, value in headers.items())
        call = Call(self.region, model.signing_name, operation, str(request["method"]), host, target, sent)
        reply = send(self.upstream, call, Body.of(content))
        answer = {
            "status_code": reply.status,
            "headers": {name.lower(): value for name, value in reply.headers},
            "body": b"".join(reply.chunks),
        }
        parsed: dict[str, Any] = create_parser(model.protocol).parse(answer, wanted.output_shape)
        if reply.status >= _FIRST_ERROR:
            error = parsed.get("Error", {})
            raise AwsError(
                error.get("Code", "InternalFailure"), error.get("Message", ""), status=reply.status
            )
        return parsed


@cache
def _serializer(service: str) -> Any:
    return create_serializer(load_model(service).protocol, include_validation=False)
