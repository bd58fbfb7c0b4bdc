"""AWS's protocol `ec2`, in both directions, driven by botocore's own model: the Query protocol with names of its own.

Lists have no level of their own in a request, and an answer's members stand at its root. Source of the rules: the `ec2`
protocol as botocore's serialiser and parser implement it.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from botocore.model import ListShape, StructureShape

from drdrill.aws.dialect import write_xml
from drdrill.aws.protocol import Parameters, load_model, parse_form, parse_scalar, write_members

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.model import Shape


def parse_ec2(service: str, body: bytes) -> tuple[str, Parameters]:
    """Return the operation's name and its parameters; raises `AwsError` for what AWS would refuse at its door."""
    return parse_form(service, body, _parse_structure)


def serialise_ec2(service: str, operation: str, result: Mapping[str, Any]) -> bytes:
    """Return the XML document that the SDK's parser turns into `result`; raises TypeError for unknown members."""
    model = load_model(service)
    namespace = f"http://ec2.amazonaws.com/doc/{model.api_version}/"
    root = ET.Element(f"{operation}Response", xmlns=namespace)
    ET.SubElement(root, "requestId").text = str(uuid.uuid4())
    shape = model.operation_model(operation).output_shape
    if shape is not None:
        write_members(root, shape, result)
    return write_xml(root)


def _parse_structure(shape: StructureShape, fields: Mapping[str, str], prefix: str) -> Parameters:
    parsed = {
        name: _parse(member, fields, prefix + _say(member, name)) for name, member in shape.members.items()
    }
    return {name: value for name, value in parsed.items() if value is not None}


def _say(shape: Shape, name: str) -> str:
    """Return what a member is called in a request."""
    if "queryName" in shape.serialization:
        return str(shape.serialization["queryName"])
    said = str(shape.serialization.get("name", name))
    return said[0].upper() + said[1:]


def _parse(shape: Shape, fields: Mapping[str, str], key: str) -> Any:
    if isinstance(shape, StructureShape):
        # Structures may hold themselves: nothing is looked for below a name that no field has.
        if not any(field.startswith(f"{key}.") for field in fields):
            return None
        return _parse_structure(shape, fields, f"{key}.") or None
    if isinstance(shape, ListShape):
        items: list[Any] = []
        while (item := _parse(shape.member, fields, f"{key}.{len(items) + 1}")) is not None:
            items.append(item)
        return items or None
    return parse_scalar(shape, fields[key], key) if key in fields else None
