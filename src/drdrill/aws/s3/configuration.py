"""A replication configuration as a client sends it: read, checked as AWS checks it, and kept as it was said.

Source: API reference, PutBucketReplication and ReplicationRule; the words of the errors are those that S3 answers with.
"""

from __future__ import annotations

import itertools
import re
import secrets
import string
from typing import TYPE_CHECKING, Protocol
from xml.etree import ElementTree as ET

from drdrill.aws.errors import AwsError, NotImplementedInMirrorError
from drdrill.aws.s3.rules import Configuration, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_MOST_RULES = 1000
_LONGEST_ID = 255
_MOST_BYTES = 2 << 20  # API reference: a configuration has 2 MB at most
_WORD = string.ascii_letters + string.digits
_BUCKET_ARN = re.compile(r"arn:aws[a-z-]*:s3:::([^/:]+)")
_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/.+")
_MEMBERS = {
    "ReplicationConfiguration": {"Role", "Rule"},
    "Rule": {
        "ID", "Priority", "Prefix", "Filter", "Status", "SourceSelectionCriteria", "ExistingObjectReplication",
        "Destination", "DeleteMarkerReplication",
    },
    "Destination": {
        "Bucket", "Account", "StorageClass", "AccessControlTranslation", "EncryptionConfiguration",
        "ReplicationTime", "Metrics",
    },
    "Filter": {"Prefix", "Tag", "And"},
}  # fmt: skip


class Buckets(Protocol):
    """What there is of buckets, wherever they are."""

    def find_region(self, bucket: str, /) -> str | None:
        """Return the region of a bucket; None: there is no such bucket."""
        ...

    def is_versioned(self, bucket: str, /) -> bool:
        """Tell whether a bucket's versioning is enabled."""
        ...


def read_document(document: bytes) -> ET.Element:
    """Return a configuration's tree without namespaces, every rule with an id; raises AWS's error for a bad one."""
    try:
        if len(document) > _MOST_BYTES:
            raise _malformed()
        root = ET.fromstring(document)  # noqa: S314  (the clients are the company's own, and expat bounds expansion)
    except ET.ParseError as error:
        raise _malformed() from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        _refuse_unknown(element)
    rules = root.findall("Rule")
    if root.tag != "ReplicationConfiguration" or not 0 < len(rules) <= _MOST_RULES:
        raise _malformed()
    if not _ROLE_ARN.fullmatch(_say(root, "Role")):
        raise AwsError("InvalidArgument", "Role ARN is invalid")
    for rule in rules:
        identifier = rule.find("ID")
        if identifier is None:
            identifier = ET.Element("ID")
            rule.insert(0, identifier)
        identifier.text = identifier.text or "".join(secrets.choice(_WORD) for _ in range(48))
    return root


def _write_document(root: ET.Element) -> bytes:
    """Return the document of a configuration's tree."""
    root.set("xmlns", _NAMESPACE)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def check_configuration(root: ET.Element, bucket: str, region: str, buckets: Buckets) -> Configuration:
    """Return what a tree says; raises AWS's error for a configuration that cannot come into force."""
    if not buckets.is_versioned(bucket):
        text = "Versioning must be 'Enabled' on the bucket to apply a replication configuration"
        raise AwsError("InvalidRequest", text)
    elements = root.findall("Rule")
    if len({rule.find("Filter") is None for rule in elements}) > 1:
        raise AwsError(
            "InvalidRequest", "Cannot specify both V1 and V2 replication rules in one configuration."
        )
    rules = tuple(_read_rule(element, bucket, buckets) for element in elements)
    _check_together(rules, earlier=elements[0].find("Filter") is None)
    return Configuration(bucket, region, rules, _write_document(root))


def _read_rule(element: ET.Element, bucket: str, buckets: Buckets) -> Rule:
    _refuse_unimplemented(element)
    destination, region = _read_destination(element, bucket, buckets)
    status = _say(element, "Status")
    identifier = _say(element, "ID")
    if status not in ("Enabled", "Disabled"):
        raise _malformed()
    if len(identifier) > _LONGEST_ID:
        raise AwsError("InvalidArgument", "ID length should not exceed allowed limit of 255")
    chosen = element.find("Filter")
    tags = tuple((_say(tag, "Key"), _say(tag, "Value")) for tag in element.iterfind("Filter//Tag"))
    prefix = (
        _say(element, "Prefix") if chosen is None else _say(chosen, "Prefix") or _say(chosen, "And/Prefix")
    )
    metrics = _say(element, "Destination/Metrics/Status") == "Enabled"
    if _say(element, "Destination/ReplicationTime/Status") == "Enabled" and not metrics:
        raise AwsError("InvalidRequest", "Metrics must be Enabled when ReplicationTime is Enabled.")
    return Rule(
        identifier,
        destination,
        region,
        enabled=status == "Enabled",
        priority=_read_priority(element),
        prefix=prefix,
        tags=tags,
        delete_markers=_read_delete_markers(element, tagged=bool(tags)),
        metrics=metrics,
        storage_class=_say(element, "Destination/StorageClass") or None,
        kms_key=_read_kms_key(element),
    )


def _read_destination(element: ET.Element, bucket: str, buckets: Buckets) -> tuple[str, str]:
    found = _BUCKET_ARN.fullmatch(_say(element, "Destination/Bucket"))
    if found is None:
        raise AwsError("InvalidArgument", "Invalid bucket ARN.")
    if found[1] == bucket:
        raise AwsError("InvalidRequest", "Destination bucket cannot be the same as the source bucket.")
    region = buckets.find_region(found[1])
    if region is None:
        raise AwsError("InvalidRequest", "Destination bucket must exist.")
    if not buckets.is_versioned(found[1]):
        raise AwsError("InvalidRequest", "Destination bucket must have versioning enabled.")
    return found[1], region


def _read_priority(element: ET.Element) -> int:
    text = _say(element, "Priority")
    if not text and element.find("Filter") is not None:
        raise AwsError("InvalidRequest", _required("Priority"))
    if text and not text.isdecimal():
        raise _malformed()
    return int(text or 0)


def _read_delete_markers(element: ET.Element, *, tagged: bool) -> bool:
    """Tell whether delete markers are replicated: in the earlier version (without a filter) they always are."""
    said = _say(element, "DeleteMarkerReplication/Status")
    if element.find("Filter") is None:
        return True
    if not said:
        raise AwsError("InvalidRequest", _required("DeleteMarkerReplication"))
    if said not in ("Enabled", "Disabled"):
        raise _malformed()
    if tagged and said == "Enabled":
        raise AwsError(
            "InvalidRequest",
            "Delete marker replication is not supported if any Tag filter is specified. Please refer to S3 Developer "
            "Guide for more information.",
        )
    return said == "Enabled"


def _read_kms_key(element: ET.Element) -> str | None:
    wanted = _say(element, "SourceSelectionCriteria/SseKmsEncryptedObjects/Status") == "Enabled"
    key = _say(element, "Destination/EncryptionConfiguration/ReplicaKmsKeyID")
    if wanted != bool(key):
        text = "SseKmsEncryptedObjects and EncryptionConfiguration must be specified together."
        raise AwsError("InvalidRequest", text)
    return key or None


def _check_together(rules: Sequence[Rule], *, earlier: bool) -> None:
    if len({rule.identifier for rule in rules}) < len(rules):
        raise AwsError("InvalidArgument", "Rule Id must be unique. Found same Id for more than one rule")
    if not earlier:
        if len({rule.priority for rule in rules}) < len(rules):
            raise AwsError(
                "InvalidRequest", "Priority must be unique. Found same Priority for more than one rule"
            )
        return
    if len({rule.destination for rule in rules}) > 1:
        raise AwsError("InvalidRequest", "Number of distinct destination bucket ARNs cannot exceed 1")
    for one, other in _pairs(rules):
        if other.prefix.startswith(one.prefix):
            text = f"Found overlapping prefixes '{one.prefix}' and '{other.prefix}'"
            raise AwsError("InvalidRequest", text)


def _pairs(rules: Sequence[Rule]) -> Iterator[tuple[Rule, Rule]]:
    ordered = sorted(rules, key=lambda rule: rule.prefix)
    return itertools.pairwise(ordered)


def _refuse_unimplemented(element: ET.Element) -> None:
    for path in (
        "SourceSelectionCriteria/ReplicaModifications",
        "ExistingObjectReplication",
    ):
        if _say(element, f"{path}/Status") == "Enabled":
            raise NotImplementedInMirrorError(f"{path.rpartition('/')[2]} of s3:PutBucketReplication")
    for path in ("Destination/Account", "Destination/AccessControlTranslation"):
        if element.find(path) is not None:
            raise NotImplementedInMirrorError(f"{path.rpartition('/')[2]} of s3:PutBucketReplication")


def _refuse_unknown(element: ET.Element) -> None:
    known = _MEMBERS.get(element.tag)
    if known is not None and any(child.tag.rpartition("}")[2] not in known for child in element):
        raise _malformed()


def _say(element: ET.Element, path: str) -> str:
    return (element.findtext(path) or "").strip()


def _required(name: str) -> str:
    return (
        f"{name} must be specified for this version of Cross Region Replication configuration schema. Please refer to "
        "S3 Developer Guide for more information."
    )


def _malformed() -> AwsError:
    text = "The XML you provided was not well-formed or did not validate against our published schema"
    return AwsError("MalformedXML", text)
