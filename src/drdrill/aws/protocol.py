"""AWS's Query protocol, in both directions, driven by botocore's own service models.

A request's form fields become nested parameters by the operation's input shape; an answer becomes XML by its
output shape. So shapes cannot drift from what the SDKs send and expect. Source of the rules: the `query` protocol
as botocore's serialiser and parser implement it.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

from botocore.loaders import Loader
from botocore.model import ListShape, ServiceModel, Shape, StructureShape
from botocore.utils import parse_timestamp

from drdrill.aws.dialect import find_not_in_xml, write_xml
from drdrill.aws.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Parameters = dict[str, Any]


@cache
def load_model(service: str) -> ServiceModel:
    """Return botocore's model of a service."""
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def parse_request(service: str, body: bytes) -> tuple[str, Parameters]:
    """Return the operation's name and its parameters; raises `AwsError` for what AWS would refuse at its door."""
    return parse_form(service, body, _parse_structure)


def parse_form(
    service: str, body: bytes, parse: Callable[[StructureShape, Mapping[str, str], str], Parameters]
) -> tuple[str, Parameters]:
    """Do so for a form; `parse` reads a structure from its fields, by the names that a protocol gives them."""
    fields = dict(parse_qsl(body.decode("utf-8", errors="replace"), keep_blank_values=True))
    name = fields.pop("Action", "")
    fields.pop("Version", None)
    model = load_model(service)
    if name not in model.operation_names:
        raise AwsError("InvalidAction", f"The action {name} is not valid for this web service.")
    shape = model.operation_model(name).input_shape
    if shape is None:
        return name, {}
    for key, text in fields.items():
        if (character := find_not_in_xml(text)) is not None:
            raise AwsError("InvalidParameterValue", f"The parameter {key} has the character {character!r}.")
    parameters = parse(shape, fields, "")
    require_members(shape, parameters)
    return name, parameters


def require_members(shape: StructureShape, parameters: Parameters) -> None:
    """Raise AWS's error for a required parameter that is not there."""
    missing = [member for member in shape.required_members if member not in parameters]
    if missing:
        raise AwsError("MissingParameter", f"The request must contain the parameter {missing[0]}.")


def _parse_structure(shape: Shape, fields: Mapping[str, str], prefix: str) -> Parameters:
    assert isinstance(shape, StructureShape)  # noqa: S101  (narrowing: the model says so)
    parsed = {
        name: _parse(member, fields, prefix + member.serialization.get("name", name))
        for name, member in shape.members.items()
    }
    return {name: value for name, value in parsed.items() if value is not None}


def _parse(shape: Shape, fields: Mapping[str, str], key: str) -> Any:
    if shape.type_name == "structure":
        inner = _parse_structure(shape, fields, f"{key}.")
        return inner or None
    if isinstance(shape, ListShape):
        return _parse_list(shape, fields, key)
    if key not in fields:
        return None
    return parse_scalar(shape, fields[key], key)


def _parse_list(shape: ListShape, fields: Mapping[str, str], key: str) -> list[Any] | None:
    items: list[Any] = []
    stem = (
        key
        if shape.serialization.get("flattened")
        else f"{key}.{shape.member.serialization.get('name', 'member')}"
    )
    while (item := _parse(shape.member, fields, f"{stem}.{len(items) + 1}")) is not None:
        items.append(item)
    return items or ([] if key in fields else None)


def parse_scalar(shape: Shape, text: str, key: str) -> Any:
    """Return what a text means by its shape; raises AWS's error when it means nothing."""
    try:
        match shape.type_name:
            case "boolean":
                return {"true": True, "false": False}[text.lower()]
            case "integer" | "long":
                return int(text)
            case "float" | "double":
                return float(text)
            case "timestamp":
                at: datetime = parse_timestamp(text)
                # AWS: without a zone it is UTC. What has no place in UTC's calendar overflows here, and not later.
                return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (
        KeyError,
        ValueError,
        OverflowError,
        RuntimeError,
    ) as error:  # botocore raises the last for some times
        raise AwsError(
            "InvalidParameterValue", f"{text!r} is not a valid {shape.type_name} for the parameter {key}."
        ) from error
    return text


def serialise_response(service: str, operation: str, result: Mapping[str, Any]) -> bytes:
    """Return the XML document that the SDK's parser turns into `result`; raises TypeError for unknown members."""
    model = load_model(service)
    root = ET.Element(f"{operation}Response", xmlns=model.metadata["xmlNamespace"])
    shape = model.operation_model(operation).output_shape
    if shape is not None:
        wrapper = ET.SubElement(root, shape.serialization.get("resultWrapper", f"{operation}Result"))
        write_members(wrapper, shape, result)
    ET.SubElement(ET.SubElement(root, "ResponseMetadata"), "RequestId").text = str(uuid.uuid4())
    return write_xml(root)


def write_members(parent: ET.Element, shape: Shape, value: Mapping[str, Any]) -> None:
    """Write a structure's members below an element; raises TypeError for unknown ones."""
    assert isinstance(shape, StructureShape)  # noqa: S101  (narrowing: the model says so)
    unknown = value.keys() - shape.members.keys()
    if unknown:
        raise TypeError(f"{shape.name} has no members {sorted(unknown)}")
    for name, member in shape.members.items():
        if value.get(name) is not None:
            _write(parent, member.serialization.get("name", name), member, value[name])


def _write(parent: ET.Element, tag: str, shape: Shape, value: Any) -> None:
    if isinstance(shape, ListShape):
        flattened = shape.serialization.get("flattened")
        container = parent if flattened else ET.SubElement(parent, tag)
        item_tag = tag if flattened else shape.member.serialization.get("name", "member")
        for item in value:
            _write(container, item_tag, shape.member, item)
        return
    element = ET.SubElement(parent, tag)
    if shape.type_name == "structure":
        write_members(element, shape, value)
    else:
        element.text = _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    return str(value)
