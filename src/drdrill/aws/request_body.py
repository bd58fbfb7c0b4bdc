"""A request's body, read from its stream once: its beginning is kept, the rest passes by in pieces."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_KEPT = (
    1 << 20
)  # more than any request of a service whose bodies are not objects (SQS: 1 MiB with its attributes)
_CHUNK = 1 << 16


class Body:
    """The body of one request (WSGI). `length`: in bytes; None where only its end tells."""

    def __init__(self, environ: Mapping[str, Any]) -> None:
        self._stream = environ["wsgi.input"]
        ended_by_itself = environ.get("wsgi.input_terminated")
        self.length = None if ended_by_itself else int(environ.get("CONTENT_LENGTH") or 0)
        self._left = self.length
        self._beginning = b""

    @classmethod
    def of(cls, content: bytes) -> Self:
        """Return the body of a call of ours."""
        return cls({"wsgi.input": BytesIO(content), "CONTENT_LENGTH": len(content)})

    def peek(self) -> bytes:
        """Return its beginning: all of it, unless it is larger than any document of an API."""
        while len(self._beginning) < _KEPT and (chunk := self._read(_KEPT - len(self._beginning))):
            self._beginning += chunk
        return self._beginning

    def chunks(self) -> Iterator[bytes]:
        """Yield the whole body; once."""
        if self._beginning:
            yield self._beginning
        while chunk := self._read(_CHUNK):
            yield chunk

    def drain(self) -> None:
        """Read it to its end: an SDK whose request is not read would see a broken connection, and try again."""
        while self._read(_CHUNK):
            pass

    def _read(self, most: int) -> bytes:
        size = min(most, _CHUNK)
        chunk: bytes = self._stream.read(size if self._left is None else min(self._left, size))
        self._left = None if self._left is None else self._left - len(chunk)
        return chunk
