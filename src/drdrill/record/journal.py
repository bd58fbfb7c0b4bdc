"""The journal: everything that happens in a drill, one JSON line an event, append-only and hash-chained.

Several processes append to one file. Each append takes an exclusive `flock`, chains to the last complete line
and is fsynced before it returns. A line that a dying process left half written is moved to `evidence/` and the
journal says so; nothing is ever rewritten otherwise.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drdrill.core.clock import Clock, SystemClock
from drdrill.core.errors import DamagedRecordError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

SCHEMA_VERSION = 1
_GENESIS = "0" * 64
_TAIL_BLOCK = 65536


@dataclass(frozen=True, slots=True)
class Event:
    """One event as it stands in the journal. `at_ns` is the boot-time clock; `utc` is for people."""

    seq: int
    at_ns: int
    utc: str
    actor: str
    kind: str
    data: Mapping[str, Any]
    previous: str
    hash: str


def _digest(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


class Journal:
    """Appends to the journal of one drill. Cheap to make: every process that has something to say makes its own."""

    def __init__(self, path: Path, *, actor: str, clock: Clock | None = None) -> None:
        self.path = path
        self._actor = actor
        self._clock = clock or SystemClock()

    def append(self, kind: str, /, **data: object) -> Event:
        """Write one event and return it as written; it is on the disk when this returns.

        `data` must be JSON: raises TypeError otherwise, before anything is written.
        """
        json.dumps(data)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            torn = _take_torn_tail(descriptor)
            if torn:
                kept = self._keep(torn)
                self._write(descriptor, "journal.torn_tail_moved", {"evidence": kept, "bytes": len(torn)})
            return self._write(descriptor, kind, data)
        finally:
            os.close(descriptor)

    def _write(self, descriptor: int, kind: str, data: Mapping[str, object]) -> Event:
        last = _last_line(descriptor)
        body = {
            "v": SCHEMA_VERSION,
            "seq": last["seq"] + 1 if last else 0,
            "at_ns": self._clock.now_ns(),
            "utc": self._clock.utc().isoformat(timespec="milliseconds"),
            "actor": self._actor,
            "kind": kind,
            "data": data,
            "previous": last["hash"] if last else _GENESIS,
        }
        digest = _digest(body)
        line = json.dumps({**body, "hash": digest}, separators=(",", ":")).encode() + b"\n"
        _write_all(descriptor, line)
        os.fsync(descriptor)
        return _event({**body, "hash": digest})

    def _keep(self, torn: bytes) -> str:
        evidence = self.path.parent / "evidence"
        evidence.mkdir(exist_ok=True)
        name = f"torn-journal-{hashlib.sha256(torn).hexdigest()[:12]}.bin"
        (evidence / name).write_bytes(torn)
        return f"evidence/{name}"


def _event(line: Mapping[str, Any]) -> Event:
    return Event(**{name: line[name] for name in Event.__slots__})


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _last_line(descriptor: int) -> dict[str, Any] | None:
    size = os.fstat(descriptor).st_size
    block = _TAIL_BLOCK
    while size:
        tail = os.pread(descriptor, min(block, size), max(0, size - block))
        start = tail.rfind(b"\n", 0, len(tail) - 1)
        if start >= 0 or block >= size:
            last: dict[str, Any] = json.loads(tail[start + 1 :])
            return last
        block *= 4
    return None


def _take_torn_tail(descriptor: int) -> bytes:
    """Cut off and return what stands after the last complete line."""
    size = os.fstat(descriptor).st_size
    if not size or os.pread(descriptor, 1, size - 1) == b"\n":
        return b""
    content = os.pread(descriptor, size, 0)
    end = content.rfind(b"\n") + 1
    os.ftruncate(descriptor, end)
    return content[end:]


def read_journal(path: Path) -> tuple[Event, ...]:
    """Read all complete events and check the chain.

    A torn last line (a process died while it wrote) is left out. Raises `DamagedRecordError` with file and line
    for anything else that is not as it was written.
    """
    return tuple(_checked(path))


def _checked(path: Path) -> Iterator[Event]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DamagedRecordError(f"{path}: the journal cannot be read: {error.strerror}.") from error
    previous = _GENESIS
    for number, raw in enumerate(content.split(b"\n")[:-1], start=1):
        try:
            line = json.loads(raw)
            event = _event(line)
        except (ValueError, KeyError, TypeError) as error:
            raise DamagedRecordError(f"{path}:{number}: this is not an event of a journal.") from error
        body = {key: value for key, value in line.items() if key != "hash"}
        if event.previous != previous or event.hash != _digest(body) or event.seq != number - 1:
            raise DamagedRecordError(
                f"{path}:{number}: the hash chain is broken here; the journal was altered."
            )
        previous = event.hash
        yield event
