"""The log of a container in the format that the kubelet reads: `TIME STREAM TAG TEXT`, one line each.

The tag is F for a full line and P for a part: a line longer than 16 KiB (containerd's limit) is written in parts, and
so is the end of an output that no line feed ended. Written by the keeper; the kubelet rotates the file by its name.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_LONGEST_LINE = 16 << 10
_SECOND_NS = 1_000_000_000


class ContainerLog:
    """Writes what a container says. `wall_ns` is the wall clock in ns."""

    def __init__(self, path: str, wall_ns: Callable[[], int] = time.time_ns) -> None:
        self._path = path
        self._wall_ns = wall_ns
        self._rests: dict[str, bytes] = {}
        self._descriptor = _open(path)

    def reopen(self) -> None:
        """Go on in a new file of the same name: the old one was renamed."""
        new = _open(self._path)
        os.close(self._descriptor)
        self._descriptor = new

    def feed(self, stream: str, said: bytes) -> None:
        """Take what was read from `stdout` or `stderr`; the last line waits for its end."""
        text = self._rests.get(stream, b"") + said
        *lines, rest = text.split(b"\n")
        stamp = _format_time(self._wall_ns()) + f" {stream} ".encode()
        output = bytearray()
        for line in lines:
            start = 0
            while len(line) - start > _LONGEST_LINE:
                output += stamp + b"P " + line[start : start + _LONGEST_LINE] + b"\n"
                start += _LONGEST_LINE
            output += stamp + b"F " + line[start:] + b"\n"
        start = 0
        while len(rest) - start > _LONGEST_LINE:
            output += stamp + b"P " + rest[start : start + _LONGEST_LINE] + b"\n"
            start += _LONGEST_LINE
        self._rests[stream] = rest[start:]
        self._write(bytes(output))

    def finish(self) -> None:
        """Write what waits for its end, and close the file."""
        for stream, rest in self._rests.items():
            if rest:
                self._write(_format_time(self._wall_ns()) + f" {stream} P ".encode() + rest + b"\n")
        self._rests.clear()
        os.close(self._descriptor)

    def _write(self, output: bytes) -> None:
        try:
            while output:
                output = output[os.write(self._descriptor, output) :]
        except OSError:
            # A full disk costs the log its lines, not the container its life.
            return


def _open(path: str) -> int:
    os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120  (a keeper does without pathlib)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)


def _format_time(wall_ns: int) -> bytes:
    seconds, rest = divmod(wall_ns, _SECOND_NS)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)).encode() + f".{rest:09d}Z".encode()
