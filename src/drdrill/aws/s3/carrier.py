"""What becomes of a change that has arrived: the source's version is read, and its replica written.

A replica has the source's data, metadata, tags, checksum and, where the upstream can obey, version id. An object of
several parts becomes one of the same parts, so that its ETag is the same; one piece where the upstream does not say how
long they are.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

from drdrill.aws.s3.change import ChangeKind, Version
from drdrill.aws.s3.objects import VERSION_HEADER, UpstreamError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drdrill.aws.s3.change import Change
    from drdrill.aws.s3.objects import Answer, Objects

_OK, _NO_CONTENT, _PARTIAL, _NOT_FOUND, _NOT_ALLOWED = 200, 204, 206, 404, 405
_CARRIED = re.compile(
    "content-type|content-encoding|content-language|content-disposition|cache-control|expires|x-amz-meta-.+|"
    "x-amz-website-redirect-location|x-amz-storage-class|x-amz-checksum-(?!type|mode).+|x-amz-object-lock-.+"
)
_CHECKSUM = re.compile("x-amz-(?:sdk-)?checksum-")
_OF_PARTS = re.compile(r'"?[0-9a-f]+-(\d+)"?')  # how many


class Result(StrEnum):
    """How an attempt ended."""

    REPLICATED = "replicated"
    FAILED = "failed"
    GONE = "gone"  # the version was deleted for good before it could be read: there is nothing to replicate


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended, with the replica, or the reason as AWS names it in its failure codes."""

    result: Result
    replica: Version | None = None
    reason: str = ""


class Carrier:
    """Carries changes over; raises `UpstreamError` when it must be tried again, or be given up. Thread-safe."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def carry(self, change: Change, replica_id: str | None) -> Outcome:
        """Make one change at its destination. `replica_id`: the version there, when it was replicated before."""
        destination = change.rule.destination
        if not self._objects.is_versioned(destination):
            there = self._objects.find_region(destination) is not None
            return Outcome(Result.FAILED, reason="DstBucketUnversioned" if there else "DstBucketNotFound")
        match change.kind:
            case ChangeKind.OBJECT:
                return self._carry_object(change)
            case ChangeKind.DELETE_MARKER:
                return self._carry_marker(change)
            case ChangeKind.TAGS:
                return self._carry_tags(change, replica_id or change.source.version_id)

    def _carry_object(self, change: Change) -> Outcome:
        source = change.source
        with_checksum = {"x-amz-checksum-mode": "ENABLED"}
        answer = self._read(change, with_checksum)
        if answer.status != _OK:
            return _tell_unread(answer)
        headers = _choose_headers(answer.headers, change)
        if int(answer.headers.get("x-amz-tagging-count", 0)):
            tags = self._objects.read_tags(change.region, source)
            if tags is None:
                answer.read()
                return Outcome(Result.GONE)
            headers["x-amz-tagging"] = urlencode(tags)
        length = int(answer.headers.get("content-length", change.size_bytes))
        found = _OF_PARTS.fullmatch(answer.headers.get("etag", ""))
        if found:
            # A checksum of parts is not that of a whole.
            headers = {name: value for name, value in headers.items() if not _CHECKSUM.match(name)}
            sizes = self._measure_parts(change, int(found[1]))
            if sum(sizes.values()) == length and sizes:
                answer.read()
                return self._carry_parts(change, headers, sizes)
        written = self._write(
            change,
            "PUT",
            headers={**headers, VERSION_HEADER: source.version_id},
            answer=answer,
            length=length,
        )
        return _conclude(written, change)

    def _measure_parts(self, change: Change, count: int) -> Mapping[int, int]:
        """Return how many bytes each part of an object has, by its number; none where the upstream does not say."""
        source = change.source
        sizes = {}
        for number in change.parts or range(1, count + 1):
            query = urlencode({"partNumber": number, "versionId": source.version_id})
            answer = self._objects.ask(change.region, "HEAD", f"/{source.bucket}/{source.key}", query=query)
            answer.read()
            if answer.status not in (_OK, _PARTIAL):
                return {}
            sizes[number] = int(answer.headers.get("content-length", 0))
        return sizes

    def _carry_parts(self, change: Change, headers: Mapping[str, str], sizes: Mapping[int, int]) -> Outcome:
        """Write an object part by part; an upload that does not become an object is not left behind."""
        begun = self._write(change, "POST", query="uploads", headers=headers)
        if begun.status != _OK:
            return _refuse(begun)
        upload = ET.fromstring(begun.read()).findtext("{*}UploadId") or ""  # noqa: S314  (the upstream's own)
        outcome = None
        try:
            outcome = self._upload(change, upload, sizes)
        finally:
            if outcome is None or outcome.result is not Result.REPLICATED:
                with contextlib.suppress(UpstreamError):  # what there is to be said is said already
                    self._write(change, "DELETE", query=urlencode({"uploadId": upload})).read()
        return outcome

    def _upload(self, change: Change, upload: str, sizes: Mapping[int, int]) -> Outcome:
        listing = ET.Element("CompleteMultipartUpload")
        begin = 0
        for number, size in sizes.items():
            part = None
            if size:  # the last one may be empty, and no range is that
                # By its bytes, and not by its number: not every upstream reads one part.
                part = self._read(change, {"range": f"bytes={begin}-{begin + size - 1}"})
                begin += size
                if part.status != _PARTIAL:
                    return _tell_unread(part)
            query = urlencode({"partNumber": number, "uploadId": upload})
            sent = self._write(change, "PUT", query=query, answer=part, length=size)
            if sent.status != _OK:
                return _refuse(sent)
            sent.read()
            element = ET.SubElement(listing, "Part")
            ET.SubElement(element, "PartNumber").text = str(number)
            ET.SubElement(element, "ETag").text = sent.headers.get("etag", "")
        body = bytes(ET.tostring(listing))
        wanted = {VERSION_HEADER: change.source.version_id, "content-type": "application/xml"}
        query = urlencode({"uploadId": upload})
        return _conclude(self._write(change, "POST", query=query, headers=wanted, body=body), change)

    def _carry_marker(self, change: Change) -> Outcome:
        wanted = {VERSION_HEADER: change.source.version_id}
        answer = self._write(change, "DELETE", headers=wanted)
        return _conclude(answer, change)

    def _carry_tags(self, change: Change, replica_id: str) -> Outcome:
        """Give a replica the tags of its source; that which is gone gives none, and keeps none from its replica."""
        replica = Version(change.rule.destination, change.source.key, replica_id)
        tags = self._objects.read_tags(change.region, change.source)
        if tags is None or (
            not tags and self._objects.read_tags(change.rule.destination_region, replica) is None
        ):
            return Outcome(Result.GONE)
        query = urlencode({"tagging": "", "versionId": replica_id})
        # An empty set is no document to moto 5.2, which crashes at it.
        answer = self._write_tags(change, query, tags) if tags else self._write(change, "DELETE", query=query)
        answer.read()
        if answer.status == _NOT_FOUND:
            return Outcome(Result.GONE)
        if answer.status not in (_OK, _NO_CONTENT):
            return Outcome(Result.FAILED, reason="DstPutTaggingNotPermitted")
        return Outcome(Result.REPLICATED, replica)

    def _write_tags(self, change: Change, query: str, tags: Mapping[str, str]) -> Answer:
        root = ET.Element("Tagging", xmlns="http://s3.amazonaws.com/doc/2006-03-01/")
        listing = ET.SubElement(root, "TagSet")
        for name, value in tags.items():
            element = ET.SubElement(listing, "Tag")
            ET.SubElement(element, "Key").text = name
            ET.SubElement(element, "Value").text = value
        headers = {"content-type": "application/xml"}
        return self._write(change, "PUT", query=query, headers=headers, body=bytes(ET.tostring(root)))

    def _read(self, change: Change, headers: Mapping[str, str]) -> Answer:
        source = change.source
        asked = urlencode({"versionId": source.version_id})
        return self._objects.ask(
            change.region, "GET", f"/{source.bucket}/{source.key}", query=asked, headers=headers
        )

    def _write(
        self,
        change: Change,
        method: str,
        *,
        query: str = "",
        headers: Mapping[str, str] | None = None,
        answer: Answer | None = None,
        length: int = 0,
        body: bytes = b"",
    ) -> Answer:
        """Ask the destination; what is sent is an answer of the source, or a body."""
        return self._objects.ask(
            change.rule.destination_region,
            method,
            f"/{change.rule.destination}/{change.source.key}",
            query=query,
            headers=headers,
            body=answer.body if answer else (body,),
            length=length if answer else len(body),
        )


def _choose_headers(found: Mapping[str, str], change: Change) -> dict[str, str]:
    """Return what a replica is written with, of what its source was read with."""
    headers = {name: value for name, value in found.items() if _CARRIED.fullmatch(name)}
    for name in found:
        algorithm = name.removeprefix("x-amz-checksum-")
        if name in headers and algorithm != name:
            headers["x-amz-sdk-checksum-algorithm"] = algorithm.upper()
    encryption = found.get("x-amz-server-side-encryption")
    if encryption:
        headers["x-amz-server-side-encryption"] = encryption
    if encryption and encryption.startswith("aws:kms") and change.rule.kms_key:
        headers["x-amz-server-side-encryption-aws-kms-key-id"] = change.rule.kms_key
    if change.rule.storage_class:
        headers["x-amz-storage-class"] = change.rule.storage_class
    return headers


def _tell_unread(answer: Answer) -> Outcome:
    """Return what it means that a source could not be read."""
    answer.read()
    if answer.status in (_NOT_FOUND, _NOT_ALLOWED):
        return Outcome(Result.GONE)
    return Outcome(Result.FAILED, reason="SrcGetObjectNotPermitted")


def _conclude(answer: Answer, change: Change) -> Outcome:
    there = answer.headers.get("x-amz-version-id")
    if answer.status >= 300 or not there or there == "null":  # noqa: PLR2004  (no success)
        return _refuse(answer)
    answer.read()
    return Outcome(Result.REPLICATED, Version(change.rule.destination, change.source.key, there))


def _refuse(answer: Answer) -> Outcome:
    """Return what it means that a destination took nothing."""
    missing = b"NoSuchBucket" in answer.read() and answer.status == _NOT_FOUND
    return Outcome(Result.FAILED, reason="DstBucketNotFound" if missing else "DstPutObjectNotPermitted")
