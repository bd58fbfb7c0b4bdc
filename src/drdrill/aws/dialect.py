"""In which of AWS's protocols a call was made, and how an error is said in each.

Told from the request itself, so that an SDK understands a refusal also of a service that the mirror does not have.
Source: the protocols as botocore's parsers read them (query, ec2, rest-xml, json, rest-json, smithy-rpc-v2-cbor).
"""

from __future__ import annotations

import json
import re
import uuid
from enum import Enum
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drdrill.aws.errors import AwsError

# By the names in signatures.
_REST_XML = frozenset({"s3", "s3express", "s3-outposts", "s3-object-lambda"})
_WRAPPED_XML = frozenset({"route53", "cloudfront"})  # the same, but errors are those of the Query protocol
_SERVER_ERROR = 500
_CBOR_MAP_OF_TWO, _CBOR_TEXT, _CBOR_LENGTH_16 = 0xA2, 0x60, 25
_CBOR_LONGEST = 0xFFFF // 4  # characters; four bytes each at most
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, production 2


class Dialect(Enum):
    """A protocol; its value is the content type of an error."""

    QUERY = "text/xml"
    EC2 = "text/xml;charset=UTF-8"
    REST_XML = "application/xml"
    WRAPPED_XML = "application/xml;charset=utf-8"
    JSON = "application/x-amz-json-1.1"
    REST_JSON = "application/json"
    CBOR = "application/cbor"


def recognise(environ: Mapping[str, Any], service: str) -> Dialect:
    """Return the protocol of a request (WSGI) to a service, by its name in the signature."""
    content_type = str(environ.get("CONTENT_TYPE", ""))
    if environ.get("HTTP_SMITHY_PROTOCOL"):
        return Dialect.CBOR
    if environ.get("HTTP_X_AMZ_TARGET"):
        return Dialect.JSON
    if service == "ec2":
        return Dialect.EC2
    if service in _REST_XML:
        return Dialect.REST_XML
    if service in _WRAPPED_XML:
        return Dialect.WRAPPED_XML
    asked = "Action=" in str(
        environ.get("QUERY_STRING", "")
    )  # the Query protocol in a URL, as in a pre-signed one
    form = "x-www-form-urlencoded" in content_type
    return Dialect.QUERY if form or asked or not service else Dialect.REST_JSON


def say_error(dialect: Dialect, error: AwsError) -> tuple[list[tuple[str, str]], bytes]:
    """Return the headers and the document of an error in a protocol."""
    headers = [("Content-Type", dialect.value), *error.headers.items()]
    match dialect:
        case Dialect.JSON | Dialect.REST_JSON:
            headers.append(("x-amzn-errortype", error.code))
            return headers, json.dumps({"__type": error.code, "message": str(error)}).encode()
        case Dialect.CBOR:
            headers.append(("smithy-protocol", "rpc-v2-cbor"))
            pairs = b"".join(map(_cbor_text, ("__type", error.code, "message", str(error))))
            return headers, bytes([_CBOR_MAP_OF_TWO]) + pairs
        case Dialect.EC2:
            root = ET.Element("Response")
            _describe(ET.SubElement(ET.SubElement(root, "Errors"), "Error"), error)
            ET.SubElement(root, "RequestID").text = str(uuid.uuid4())
        case Dialect.REST_XML:
            root = ET.Element("Error")
            _describe(root, error)
            for name, value in error.details.items():
                ET.SubElement(root, name).text = value
            ET.SubElement(root, "RequestId").text = str(uuid.uuid4())
        case Dialect.QUERY | Dialect.WRAPPED_XML:
            root = ET.Element("ErrorResponse")
            body = ET.SubElement(root, "Error")
            ET.SubElement(body, "Type").text = "Sender" if error.status < _SERVER_ERROR else "Receiver"
            _describe(body, error)
            ET.SubElement(root, "RequestId").text = str(uuid.uuid4())
    return headers, write_xml(root)


def find_not_in_xml(text: str) -> str | None:
    """Return the first character of a text that no XML document can hold; None: there is none."""
    found = _NOT_IN_XML.search(text)
    return found[0] if found else None


def write_xml(root: ET.Element) -> bytes:
    """Return a document that every parser takes: what XML cannot hold is replaced."""
    for element in root.iter():
        if element.text and _NOT_IN_XML.search(element.text):
            element.text = _NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", element.text)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _describe(element: ET.Element, error: AwsError) -> None:
    ET.SubElement(element, "Code").text = error.code
    ET.SubElement(element, "Message").text = str(error)


def _cbor_text(text: str) -> bytes:
    encoded = text[:_CBOR_LONGEST].encode()
    return bytes([_CBOR_TEXT | _CBOR_LENGTH_16]) + len(encoded).to_bytes(2, "big") + encoded
