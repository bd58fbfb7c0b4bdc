"""Requests and answers of AWS's protocols that carry documents: JSON (`awsJson`) and CBOR (`smithy-rpc-v2-cbor`).

Both name the operation outside the body, and hold its members by their names. Shapes are botocore's, as in `protocol`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.model import ListShape, MapShape, StructureShape
from botocore.utils import parse_timestamp

from drdrill.aws import cbor
from drdrill.aws.dialect import Dialect
from drdrill.aws.errors import AwsError
from drdrill.aws.protocol import load_model, require_members

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.model import Shape

    from drdrill.aws.protocol import Parameters

_TYPES: Mapping[str, tuple[type, ...]] = {
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (float, int),
    "double": (float, int),
    "string": (str,),
    "blob": (bytes, str),
}


def read_operation(dialect: Dialect, environ: Mapping[str, Any]) -> str:
    """Return which operation a request (WSGI) names."""
    if dialect is Dialect.CBOR:
        return str(environ.get("PATH_INFO", "")).rpartition("/")[2]
    return str(environ.get("HTTP_X_AMZ_TARGET", "")).rpartition(".")[2]


def parse_document(dialect: Dialect, service: str, operation: str, body: bytes) -> Parameters:
    """Return an operation's parameters; raises `AwsError` for what AWS would refuse at its door."""
    model = load_model(service)
    if operation not in model.operation_names:
        raise AwsError("InvalidAction", f"The action {operation} is not valid for this web service.")
    shape = model.operation_model(operation).input_shape
    if shape is None:
        return {}
    decode: Callable[[bytes], Any] = cbor.decode if dialect is Dialect.CBOR else json.loads
    try:
        document = decode(body) if body else {}
    except (ValueError, RecursionError) as error:
        raise AwsError("SerializationException", f"The request's body cannot be read: {error}") from error
    parameters: Parameters = read_value(shape, document, "the request")
    require_members(shape, parameters)
    return parameters


def read_value(shape: Shape, value: Any, place: str) -> Any:
    """Return a document's value by its shape; raises AWS's error, which names the place, for one of another shape."""
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        return {
            name: read_value(member, value[said], said)
            for name, member in shape.members.items()
            if value.get(said := member.serialization.get("name", name)) is not None
        }
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [read_value(shape.member, item, place) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, Mapping):
        return {key: read_value(shape.value, item, place) for key, item in value.items()}
    if shape.type_name == "timestamp":
        return _read_instant(value, place)
    allowed = _TYPES.get(shape.type_name, ())
    if isinstance(value, allowed) and (isinstance(value, bool) == (shape.type_name == "boolean")):
        return value
    raise AwsError("SerializationException", f"A {shape.type_name} was expected for {place}.")


def _read_instant(value: Any, place: str) -> datetime:
    try:
        at: datetime = value if isinstance(value, datetime) else parse_timestamp(value)
    except (ValueError, TypeError, OverflowError, RuntimeError) as error:
        raise AwsError("SerializationException", f"A timestamp was expected for {place}.") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def serialise_document(
    dialect: Dialect, service: str, operation: str, result: Mapping[str, Any]
) -> tuple[list[tuple[str, str]], bytes]:
    """Return headers and body that the SDK's parser turns into `result`; raises TypeError for unknown members."""
    shape = load_model(service).operation_model(operation).output_shape
    members = _say(shape, result) if shape is not None else {}
    headers = [("Content-Type", dialect.value)]
    if dialect is Dialect.CBOR:
        return [*headers, ("smithy-protocol", "rpc-v2-cbor")], cbor.encode(members)
    return headers, json.dumps(members, default=datetime.timestamp).encode()


def _say(shape: Shape, value: Any) -> Any:
    """Return a value as a document holds it: members that the shape knows, without those that are None."""
    if isinstance(shape, StructureShape):
        unknown = value.keys() - shape.members.keys()
        if unknown:
            raise TypeError(f"{shape.name} has no members {sorted(unknown)}")
        return {
            shape.members[name].serialization.get("name", name): _say(shape.members[name], item)
            for name, item in value.items()
            if item is not None
        }
    if isinstance(shape, ListShape):
        return [_say(shape.member, item) for item in value]
    if isinstance(shape, MapShape):
        return {key: _say(shape.value, item) for key, item in value.items()}
    if shape.type_name == "timestamp" and shape.serialization.get("timestampFormat") == "iso8601":
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return float(value) if shape.type_name in ("float", "double") else value
