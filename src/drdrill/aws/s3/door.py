"""The door of S3: calls pass it on their way to the upstream; what replication has to know of them is noted here.

A change is noted before its client hears of its success, so that whoever looks at an object sees it pending; by what
the upstream answers: what it did is done, also where it can be asked nothing more. The calls about a bucket's rules are
answered here: upstreams keep rules, and not whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote
from xml.etree import ElementTree as ET

from drdrill.aws.errors import AwsError, NotImplementedInMirrorError
from drdrill.aws.request_body import Body
from drdrill.aws.s3.change import ChangeKind, Version
from drdrill.aws.s3.configuration import check_configuration, read_document
from drdrill.aws.s3.objects import UpstreamError
from drdrill.aws.upstream import Call, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from drdrill.aws.s3.objects import Objects, Send
    from drdrill.aws.s3.replicator import Replicator
    from drdrill.aws.s3.rules import Configuration

STATUS_HEADER = "x-amz-replication-status"
_SUCCESS = range(200, 300)


class ReplicatingDoor:
    """S3 in front of an upstream; `send` hands a call on to it. Thread-safe."""

    def __init__(self, send: Send, objects: Objects, replicator: Replicator) -> None:
        self._send = send
        self._objects = objects
        self._replicator = replicator
        self._own: dict[str, Callable[[Call, Body], Reply]] = {
            "PutBucketReplication": self._put_rules,
            "GetBucketReplication": self._get_rules,
            "DeleteBucketReplication": self._delete_rules,
            "PutBucketVersioning": self._put_versioning,
            "DeleteBucket": self._delete_bucket,
            "PutObject": self._write,
            "CopyObject": self._write,
            "CompleteMultipartUpload": self._write,
            "DeleteObject": self._delete,
            "DeleteObjects": self._delete_many,
            "PutObjectTagging": self._tag,
            "DeleteObjectTagging": self._tag,
            "GetObject": self._read,
            "HeadObject": self._read,
        }

    def answer(self, call: Call, body: Body) -> Reply:
        """Answer a call that has the bucket in its path; raises AWS's errors."""
        if self._replicator.is_dark(
            call.region
        ):  # by a name without a region, which another region's door has heard
            body.drain()
            raise AwsError("ServiceUnavailable", f"S3 in {call.region} does not answer.", status=503)
        if call.method == "POST" and "multipart/form-data" in call.header("content-type"):
            bucket, _ = _split(call)
            if self._replicator.find_configuration(bucket) is not None:
                body.drain()
                raise NotImplementedInMirrorError(
                    "An object by an HTML form in a bucket with replication rules"
                )
        try:
            return self._own.get(call.operation, self._send)(call, body)
        except UpstreamError as error:  # nothing was done, or what may be done again
            raise AwsError("ServiceUnavailable", str(error), status=503) from error

    def _put_rules(self, call: Call, body: Body) -> Reply:
        bucket, _ = _split(call)
        root = read_document(b"".join(body.chunks()))
        self._require(bucket)
        self._replicator.configure(check_configuration(root, bucket, call.region, self._objects))
        return Reply(200, (("Content-Length", "0"),), ())

    def _get_rules(self, call: Call, _: Body) -> Reply:
        bucket, _key = _split(call)
        self._require(bucket)
        configuration = self._replicator.find_configuration(bucket)
        if configuration is None:
            text = "The replication configuration was not found"
            raise AwsError("ReplicationConfigurationNotFoundError", text, status=404)
        document = configuration.document
        headers = (("Content-Type", "application/xml"), ("Content-Length", str(len(document))))
        return Reply(200, headers, (document,))

    def _delete_rules(self, call: Call, _: Body) -> Reply:
        bucket, _key = _split(call)
        self._require(bucket)
        self._replicator.forget(bucket)
        return Reply(204, (), ())

    def _require(self, bucket: str) -> None:
        if self._objects.find_region(bucket) is None:
            raise AwsError("NoSuchBucket", "The specified bucket does not exist", status=404)

    def _put_versioning(self, call: Call, body: Body) -> Reply:
        bucket, _ = _split(call)
        if b"Suspended" in body.peek() and self._replicator.find_configuration(bucket) is not None:
            raise AwsError(
                "InvalidBucketState",
                "A replication configuration is present on this bucket, so the versioning state cannot be changed.",
                status=409,
            )
        reply = self._send(call, body)
        self._objects.forget(bucket)
        return reply

    def _delete_bucket(self, call: Call, body: Body) -> Reply:
        bucket, _ = _split(call)
        reply = self._send(call, body)
        if reply.status in _SUCCESS:
            self._replicator.forget(bucket)
            self._objects.forget(bucket)
        return reply

    def _write(self, call: Call, body: Body) -> Reply:
        bucket, key = _split(call)
        parts = _read_parts(body) if call.operation == "CompleteMultipartUpload" else ()
        reply = self._send(call, body)
        configuration = self._replicator.find_configuration(bucket)
        if reply.status not in _SUCCESS or configuration is None:
            return reply
        if not any(rule.takes_key(key) for rule in configuration.rules):
            return reply
        # Read to its end: of a copy or of several parts, success stands in the document, and not in the status.
        document = b"".join(reply.chunks)
        version_id = reply.header("x-amz-version-id")
        if b"<Error>" not in document and version_id:
            source = Version(bucket, key, version_id)
            kms = reply.header("x-amz-server-side-encryption").startswith("aws:kms")
            try:
                tags = self._find_tags(call, source) if configuration.needs_tags(key) else {}
            except UpstreamError:
                self._replicator.note_failed(source, call.region, configuration.choose_possible(key, kms=kms))
            else:
                rules = configuration.choose(key, tags, kms=kms)
                size = self._find_size(call, body, source) if rules else 0
                self._replicator.take(ChangeKind.OBJECT, source, call.region, rules, size, parts=parts)
        return Reply(reply.status, reply.headers, (document,))

    def _find_tags(self, call: Call, source: Version) -> Mapping[str, str]:
        """Return the tags that an object was just written with; none where it is gone again."""
        if call.operation == "PutObject":
            return dict(parse_qsl(call.header("x-amz-tagging"), keep_blank_values=True))
        return self._objects.read_tags(call.region, source) or {}

    def _find_size(self, call: Call, body: Body, source: Version) -> int:
        """Return how large an object is that was just written; 0 where the upstream does not say."""
        said = call.header("x-amz-decoded-content-length") or body.length
        if call.operation == "PutObject" and said is not None:
            return int(said)
        try:
            state = self._objects.look(call.region, source.bucket, source.key, source.version_id)
        except UpstreamError:
            return 0
        return state.size_bytes if state else 0

    def _delete(self, call: Call, body: Body) -> Reply:
        """Pass a deletion on. That of a version is not replicated, which protects replicas from malice."""
        bucket, key = _split(call)
        reply = self._send(call, body)
        if reply.header("x-amz-delete-marker") == "true" and "versionId=" not in call.query:
            self._note_marker(call.region, bucket, key, reply.header("x-amz-version-id"))
        return reply

    def _delete_many(self, call: Call, body: Body) -> Reply:
        bucket, _ = _split(call)
        wanted = b"".join(
            body.chunks()
        )  # a thousand keys of a kilobyte: more than the beginning that is kept
        reply = self._send(call, Body.of(wanted))
        configuration = self._replicator.find_configuration(bucket)
        if reply.status not in _SUCCESS or configuration is None:
            return reply
        document = b"".join(reply.chunks)
        markers = _read_markers(document) or self._look_for_markers(call, wanted, configuration)
        for key, version_id in markers:
            self._note_marker(call.region, bucket, key, version_id)
        return Reply(reply.status, reply.headers, (document,))

    def _look_for_markers(
        self, call: Call, wanted: bytes, configuration: Configuration
    ) -> Iterator[tuple[str, str]]:
        """Yield key and version of the markers that an answer does not name which was to be quiet."""
        bucket, _ = _split(call)
        root = ET.fromstring(wanted)  # noqa: S314  (the upstream has read it, too)
        if root.findtext("{*}Quiet", "").strip().lower() != "true":
            return
        for one in root.iterfind("{*}Object"):
            key = one.findtext("{*}Key") or ""
            if one.find("{*}VersionId") is None and configuration.choose_for_marker(key):
                state = self._objects.look(call.region, bucket, key)
                if state is not None and state.marker:
                    yield key, state.version_id

    def _note_marker(self, region: str, bucket: str, key: str, version_id: str) -> None:
        configuration = self._replicator.find_configuration(bucket)
        if configuration is not None:
            rules = configuration.choose_for_marker(key)
            source = Version(bucket, key, version_id)
            self._replicator.take(ChangeKind.DELETE_MARKER, source, region, rules, 0)

    def _tag(self, call: Call, body: Body) -> Reply:
        bucket, key = _split(call)
        reply = self._send(call, body)
        if reply.status in _SUCCESS and self._replicator.find_configuration(bucket) is not None:
            version_id = reply.header("x-amz-version-id") or _find_version(call)
            if not version_id:
                state = self._objects.look(call.region, bucket, key)
                version_id = state.version_id if state else None
            if version_id:
                self._replicator.take_tags(Version(bucket, key, version_id), call.region)
        return reply

    def _read(self, call: Call, body: Body) -> Reply:
        bucket, key = _split(call)
        reply = self._send(call, body)
        version_id = reply.header("x-amz-version-id")
        status = self._replicator.find_status(Version(bucket, key, version_id)) if version_id else None
        return reply if status is None else reply.with_header(STATUS_HEADER, status.value)


def _split(call: Call) -> tuple[str, str]:
    bucket, _, key = unquote(call.path).removeprefix("/").partition("/")
    return bucket, key


def _read_markers(document: bytes) -> list[tuple[str, str]]:
    """Return key and version of the delete markers that an answer names."""
    return [
        (one.findtext("{*}Key") or "", marker)
        for one in ET.fromstring(document).iterfind("{*}Deleted")  # noqa: S314  (the upstream's own)
        if (marker := one.findtext("{*}DeleteMarkerVersionId")) and one.find("{*}VersionId") is None
    ]


def _read_parts(body: Body) -> tuple[int, ...]:
    """Return the numbers of the parts that an object is to be made of; none where they cannot be read."""
    try:
        root = ET.fromstring(body.peek())  # noqa: S314  (the upstream reads it, too)
        return tuple(int(one.findtext("{*}PartNumber") or "") for one in root.iterfind("{*}Part"))
    except (ET.ParseError, ValueError):
        return ()  # the upstream says so; or there are more than are kept of a body


def _find_version(call: Call) -> str | None:
    for part in call.query.split("&"):
        name, _, value = part.partition("=")
        if name == "versionId":
            return unquote(value)
    return None
