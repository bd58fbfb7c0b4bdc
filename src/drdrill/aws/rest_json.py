"""AWS's REST-JSON protocol, in both directions, driven by botocore's own service models.

A request's path, query and document become parameters by the operation's input shape; an answer becomes a document by
its output shape. Source of the rules: the `rest-json` protocol as botocore's serialiser and parser implement it. What
the services of the mirror do not use of it (payload members, headers, status codes of answers) is not here.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from botocore.model import ListShape

from drdrill.aws.dialect import Dialect
from drdrill.aws.document import read_value, serialise_document
from drdrill.aws.errors import AwsError, NotImplementedInMirrorError
from drdrill.aws.naming import name_operation
from drdrill.aws.protocol import Parameters, load_model, parse_scalar
from drdrill.aws.rest import match_labels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.model import Shape


def parse_rest_json(service: str, environ: Mapping[str, Any], body: bytes) -> tuple[str, Parameters]:
    """Return the operation's name and its parameters; raises `AwsError` for what AWS would refuse at its door."""
    environ = {**environ, "PATH_INFO": _read_path(environ)}
    said = name_operation(environ, service, body)
    model = load_model(service)
    operation = said.partition(":")[2]
    if operation not in model.operation_names:
        raise NotImplementedInMirrorError(said)
    described = model.operation_model(operation)
    shape = described.input_shape
    if shape is None:
        return operation, {}
    labels = match_labels(described.http["requestUri"].partition("?")[0], environ["PATH_INFO"])
    query = parse_qs(str(environ.get("QUERY_STRING", "")), keep_blank_values=True)
    values = _read_document(body)
    for name, member in shape.members.items():
        place = member.serialization.get("name", name)
        match member.serialization.get("location"):
            case "uri":
                values[place] = labels.get(place)
            case "querystring":
                values[place] = _read_query(member, query[place], place) if place in query else None
    parameters: Parameters = read_value(shape, values, "the request")
    missing = [member for member in shape.required_members if member not in parameters]
    if missing:
        raise AwsError("InvalidParameterException", f"{missing[0]} is required.")
    return operation, parameters


def serialise_rest_json(
    service: str, operation: str, result: Mapping[str, Any]
) -> tuple[list[tuple[str, str]], bytes]:
    """Return headers and document of an answer."""
    return serialise_document(Dialect.REST_JSON, service, operation, result)


def _read_path(environ: Mapping[str, Any]) -> str:
    """Return the path as it was sent: a `/` that belongs to a label is quoted in it, and in WSGI's own path is not."""
    return str(environ.get("RAW_URI") or environ.get("PATH_INFO", "/")).partition("?")[0]


def _read_query(shape: Shape, texts: list[str], place: str) -> Any:
    if isinstance(shape, ListShape):
        return [parse_scalar(shape.member, text, place) for text in texts]
    return parse_scalar(shape, texts[0], place)


def _read_document(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError) as error:
        raise AwsError("SerializationException", f"The request's body cannot be read: {error}") from error
    if not isinstance(document, dict):
        raise AwsError("SerializationException", "The request's body is not an object.")
    return document
