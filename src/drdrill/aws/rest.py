"""AWS's REST-XML protocol, in both directions, driven by botocore's own service models.

A request's path, query and document become parameters by the operation's input shape; an answer becomes a document by
its output shape. Source of the rules: the `rest-xml` protocol as botocore's serialiser and parser implement it. What
the services of the mirror do not use of it (payload members, headers of requests) is not here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote
from xml.etree import ElementTree as ET

from botocore.model import ListShape, StructureShape

from drdrill.aws.dialect import write_xml
from drdrill.aws.errors import AwsError
from drdrill.aws.protocol import Parameters, load_model, parse_scalar, require_members, write_members

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.model import Shape

_CONTENT_TYPE = ("Content-Type", "text/xml")
_OF_OTHER_PROTOCOLS = ("MissingParameter", "InvalidParameterValue")  # here both are `InvalidInput`


def parse_rest(service: str, operation: str, environ: Mapping[str, Any], body: bytes) -> Parameters:
    """Return an operation's parameters; raises `AwsError` for what AWS would refuse at its door."""
    try:
        return _parse(service, operation, environ, body)
    except AwsError as error:
        if error.code not in _OF_OTHER_PROTOCOLS:
            raise
        raise AwsError("InvalidInput", str(error)) from error


def _parse(service: str, operation: str, environ: Mapping[str, Any], body: bytes) -> Parameters:
    model = load_model(service).operation_model(operation)
    shape = model.input_shape
    if shape is None:
        return {}
    template = model.http["requestUri"].partition("?")[0]
    labels = match_labels(template, str(environ.get("PATH_INFO", "/")))
    query = parse_qs(str(environ.get("QUERY_STRING", "")), keep_blank_values=True)
    document = _read_document(body)
    parameters: Parameters = {}
    for name, member in shape.members.items():
        place = member.serialization.get("name", name)
        match member.serialization.get("location"):
            case "uri":
                value: Any = labels.get(place)
            case "querystring":
                value = parse_scalar(member, query[place][0], place) if place in query else None
            case _:
                value = _read_member(document, member, place)
        if value is not None:
            parameters[name] = value
    require_members(shape, parameters)
    return parameters


def serialise_rest(
    service: str, operation: str, result: Mapping[str, Any]
) -> tuple[list[tuple[str, str]], bytes]:
    """Return headers and document of an answer."""
    model = load_model(service)
    shape = model.operation_model(operation).output_shape
    root = ET.Element(f"{operation}Response", xmlns=_namespace(service))
    headers = [_CONTENT_TYPE]
    if shape is not None:
        in_headers = {
            name for name, member in shape.members.items() if member.serialization.get("location") == "header"
        }
        headers += [(name, str(result[name])) for name in sorted(in_headers & result.keys())]
        write_members(root, shape, {name: value for name, value in result.items() if name not in in_headers})
    return headers, write_xml(root)


def _namespace(service: str) -> str:
    model = load_model(service)
    return f"https://{model.endpoint_prefix}.amazonaws.com/doc/{model.api_version}/"


def match_labels(template: str, path: str) -> Mapping[str, str]:
    """Return what stands at the labels of `/{Id}/rrset` in a path."""
    pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(template.rstrip("/")))
    found = re.fullmatch(pattern + "/?", path)
    return {name: unquote(text) for name, text in found.groupdict().items()} if found else {}


def _read_document(body: bytes) -> ET.Element:
    if not body.strip():
        return ET.Element("nothing")
    if b"<!DOCTYPE" in body:  # entities could stand for gigabytes
        raise AwsError("InvalidInput", "The request's document must not have a document type.")
    try:
        return ET.fromstring(body)  # noqa: S314 (no document type: nothing expands)
    except ET.ParseError as error:
        raise AwsError("InvalidInput", f"The request's document is no XML: {error}") from error


def _read_member(parent: ET.Element, shape: Shape, tag: str) -> Any:
    element = next((one for one in parent if _local(one) == tag), None)
    return None if element is None else _read(element, shape, tag)


def _read(element: ET.Element, shape: Shape, tag: str) -> Any:
    if isinstance(shape, StructureShape):
        found = {
            name: _read_member(element, member, member.serialization.get("name", name))
            for name, member in shape.members.items()
        }
        parameters = {name: value for name, value in found.items() if value is not None}
        require_members(shape, parameters)
        return parameters
    if isinstance(shape, ListShape):
        wanted = shape.member.serialization.get("name", "member")
        return [_read(one, shape.member, wanted) for one in element if _local(one) == wanted]
    return parse_scalar(shape, element.text or "", tag)


def _local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]
