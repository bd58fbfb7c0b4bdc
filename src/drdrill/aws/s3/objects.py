"""S3's public API of the upstream, as replication uses it: nothing else of an upstream is known here.

It is asked as any client asks it, so that one replication serves every upstream. Bodies are streamed.
"""

from __future__ import annotations

import io
import threading
from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode
from xml.etree import ElementTree as ET

from drdrill.aws.errors import AwsError
from drdrill.aws.request_body import Body
from drdrill.aws.upstream import Call
from drdrill.core.errors import EnvironmentFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from drdrill.aws.s3.change import Version
    from drdrill.aws.upstream import Reply

    Send = Callable[[Call, Body], Reply]

VERSION_HEADER = "x-drdrill-version-id"  # the version that a replica is to have, where an upstream can obey
_ANYWHERE = "us-east-1"  # answers for buckets of every region: HeadBucket, GetBucketLocation
_GONE = (404, 405)  # the second: it is a delete marker
_OK, _SERVER_ERROR, _NOT_IMPLEMENTED, _UNAVAILABLE = 200, 500, 501, 503


class UpstreamError(EnvironmentFailedError):
    """Nothing is known of what the upstream was asked."""


class UpstreamSilentError(UpstreamError):
    """It did not answer: whatever it was asked, it may be asked again when it does."""


class UpstreamFailedError(UpstreamError):
    """It answered that it failed. `again`: it may do better; not where it does not implement what it was asked."""

    def __init__(self, what: str, *, again: bool = True) -> None:
        self.again = again
        super().__init__(what)


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered: `headers` by their names in lower case, and the body as it comes."""

    status: int
    headers: Mapping[str, str]
    body: Iterable[bytes]

    def read(self) -> bytes:
        """Return the whole body; raises `UpstreamSilentError` where it ends before its end."""
        try:
            return b"".join(self.body)
        except (OSError, HTTPException) as error:
            raise UpstreamSilentError(f"the upstream stopped in the middle of an answer: {error}") from error


@dataclass(frozen=True, slots=True)
class ObjectState:
    """A version of an object. `marker`: it is a delete marker."""

    version_id: str
    size_bytes: int
    marker: bool


class Objects:
    """The upstream's S3; `send` hands a call on to it. Thread-safe."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._lock = threading.Lock()
        self._versioned: set[str] = set()
        self._forgotten = 0

    def ask(
        self,
        region: str,
        method: str,
        path: str,
        *,
        query: str = "",
        headers: Mapping[str, str] | None = None,
        body: Iterable[bytes] = (),
        length: int = 0,
    ) -> Answer:
        """Send a request and return its answer; raises `UpstreamError` where the upstream is silent, or fails."""
        said = {
            "Authorization": (
                f"AWS4-HMAC-SHA256 Credential=replication/20260101/{region}/s3/aws4_request, "
                "SignedHeaders=host, Signature=none"
            ),
            "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
            "Content-Length": str(length),
            **(headers or {}),
        }
        target = f"{quote(path)}?{query}" if query else quote(path)
        host = f"s3.{region}.amazonaws.com"
        call = Call(region, "s3", "", method, host, target, tuple(said.items()))
        stream = io.BufferedReader(_Stream(iter(body)))
        try:
            reply = self._send(call, Body({"wsgi.input": stream, "CONTENT_LENGTH": length}))
        except AwsError as error:
            if error.status == _UNAVAILABLE:  # so is said that nobody answers
                raise UpstreamSilentError(f"{method} {path}: {error}") from error
            raise UpstreamFailedError(
                f"{method} {path}: {error}", again=error.status != _NOT_IMPLEMENTED
            ) from error
        if reply.status >= _SERVER_ERROR:
            what = f"{method} {path}: the upstream answered {reply.status}."
            raise UpstreamFailedError(what, again=reply.status != _NOT_IMPLEMENTED)
        return Answer(reply.status, {name.lower(): value for name, value in reply.headers}, reply.chunks)

    def find_region(self, bucket: str, /) -> str | None:
        """Return the region of a bucket; None: there is no such bucket."""
        answer = self.ask(_ANYWHERE, "GET", f"/{bucket}", query="location")
        document = answer.read()
        if answer.status != _OK:
            return None
        return (ET.fromstring(document).text or "").strip() or _ANYWHERE  # noqa: S314  (the upstream's own)

    def is_versioned(self, bucket: str, /) -> bool:
        """Tell whether a bucket's versioning is enabled, as far as nobody has changed it since it was looked up."""
        with self._lock:
            known, forgotten = bucket in self._versioned, self._forgotten
        if not known:
            document = self.ask(_ANYWHERE, "GET", f"/{bucket}", query="versioning").read()
            known = b"<Status>Enabled</Status>" in document
            with self._lock:
                # Not what may be from before a change, and not that there is no bucket: it may be made by anybody.
                if known and forgotten == self._forgotten:
                    self._versioned.add(bucket)
        return known

    def forget(self, bucket: str) -> None:
        """Look a bucket up again when it is asked for next."""
        with self._lock:
            self._versioned.discard(bucket)
            self._forgotten += 1

    def look(self, region: str, bucket: str, key: str, version_id: str | None = None) -> ObjectState | None:
        """Return the state of an object's version, or of its latest one; None: there is none."""
        query = urlencode({"versionId": version_id}) if version_id else ""
        answer = self.ask(region, "HEAD", f"/{bucket}/{key}", query=query)
        answer.read()
        found = answer.headers
        marker = found.get("x-amz-delete-marker") == "true"
        if (answer.status != _OK and not marker) or "x-amz-version-id" not in found:
            return None
        size = 0 if marker else int(found.get("content-length", 0))
        return ObjectState(found["x-amz-version-id"], size, marker)

    def read_tags(self, region: str, version: Version) -> dict[str, str] | None:
        """Return the tags of a version; None: it is gone. Raises `UpstreamError` where they cannot be read."""
        query = urlencode({"tagging": "", "versionId": version.version_id})
        answer = self.ask(region, "GET", f"/{version.bucket}/{version.key}", query=query)
        document = answer.read()
        if answer.status in _GONE:
            return None
        if answer.status != _OK:
            raise UpstreamFailedError(f"the tags of {version}: the upstream answered {answer.status}.")
        tree = ET.fromstring(document)  # noqa: S314  (the upstream's own)
        return {
            tag.findtext("{*}Key") or "": tag.findtext("{*}Value") or "" for tag in tree.iterfind(".//{*}Tag")
        }


class _Stream(io.RawIOBase):
    """Chunks, read as a file."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._left = b""

    def readable(self) -> bool:
        """Say that it is there to be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer."""
        while not self._left:
            try:
                self._left = next(self._chunks)
            except StopIteration:
                return 0
        size = min(len(buffer), len(self._left))
        buffer[:size] = self._left[:size]
        self._left = self._left[size:]
        return size
