"""The ledger: every write that a client attempted, and what became of it, in fixed binary records.

Two files a client, written with one `write(2)` a record, so that a record survives the death of the client
(0.8 microseconds each). `<client>.attempts` is written before a request is sent, `<client>.outcomes` after its
answer; an attempt without an outcome is *unknown*. `<client>.json` says who the client was.
"""

from __future__ import annotations

import errno
import json
import mmap
import os
import stat
import struct
from dataclasses import asdict, dataclass
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

import numpy as np

from drdrill.core.errors import DamagedRecordError
from drdrill.record.directory import write_json

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

# id, amount in minor units of the currency, boot-time clock in ns just before the request was sent
ATTEMPT = struct.Struct("<QqQ")
# id, boot-time clock in ns when the answer was known, code (see `outcome_code`)
OUTCOME = struct.Struct("<QQQ")
ATTEMPTS_DTYPE = np.dtype([("id", "<u8"), ("amount", "<i8"), ("at_ns", "<u8")])
OUTCOMES_DTYPE = np.dtype([("id", "<u8"), ("at_ns", "<u8"), ("code", "<u8")])

_SERVER_SHIFT = 32
_SEQUENCE_BITS = 40


class Outcome(IntEnum):
    """What a client knows of its write after the answer. No record at all means unknown, too."""

    ACKNOWLEDGED = 1
    REJECTED = 2  # the server said no, definitely
    UNKNOWN = 3  # the connection broke or timed out after the request was sent
    NOT_SENT = 4  # no connection: the request never left, definitely


class ClientKind(StrEnum):
    """What a client is there for."""

    PROBER = "prober"  # a fresh connection a request; judges availability
    LOAD = "load"  # pooled connections, as services hold them
    CONTROL = "control"  # the positive control: asks an address that never answers
    WATCHER = "watcher"  # stands inside a region and writes by that region's own way; judges no availability


@dataclass(frozen=True, slots=True)
class Client:
    """Who wrote a pair of ledger files.

    Request k is scheduled at `start_ns + k * period_ns` on the boot-time clock and carries the id
    `number << 40 | k`, so the schedule need not be stored: latency and lateness are computed from the id.
    """

    name: str
    number: int
    kind: ClientKind
    cohort: int
    start_ns: int
    period_ns: int
    timeout_seconds: float
    honours_ttl: bool


def make_id(client_number: int, sequence: int) -> int:
    """Return the id of a client's request: unique over all clients of a drill, ordered within a client."""
    return client_number << _SEQUENCE_BITS | sequence


def sequence_of(ids: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the requests' numbers within their clients, from their ids."""
    return ids & np.uint64((1 << _SEQUENCE_BITS) - 1)


def outcome_code(outcome: Outcome, server: int = 0) -> int:
    """Pack an outcome and the IPv4 address (as an integer) of the server that answered; 0: nobody answered."""
    return server << _SERVER_SHIFT | outcome


def outcomes_of(codes: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Return the `Outcome` in each code: its lowest byte."""
    return codes.astype(np.uint8)


def servers_of(codes: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """Return the IPv4 address (as an integer) of the answering server in each code."""
    return (codes >> np.uint64(_SERVER_SHIFT)).astype(np.uint32)


class LedgerWriter:
    """The writing end, used by one client process: one system call a record."""

    def __init__(self, directory: Path, client: Client) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.client = client
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
        self._attempts = os.open(directory / f"{client.name}.attempts", flags, 0o644)
        self._outcomes = os.open(directory / f"{client.name}.outcomes", flags, 0o644)
        # Last and in one step: whoever reads the ledger meanwhile goes by these files.
        write_json(directory / f"{client.name}.json", asdict(client))

    def attempt(self, identifier: int, amount: int, at_ns: int) -> None:
        """Record that a request is about to be sent."""
        _write_whole(self._attempts, ATTEMPT.pack(identifier, amount, at_ns))

    def outcome(self, identifier: int, at_ns: int, code: int) -> None:
        """Record what became of a request; `code` comes from `outcome_code`."""
        _write_whole(self._outcomes, OUTCOME.pack(identifier, at_ns, code))

    def close(self) -> None:
        """Close the files."""
        os.close(self._attempts)
        os.close(self._outcomes)


def _write_whole(descriptor: int, record: bytes) -> None:
    if os.write(descriptor, record) != len(record):
        # A part of a record would shift all that follow.
        raise OSError(errno.ENOSPC, "a record of the ledger was written in part; the disk is full")


@dataclass(frozen=True, slots=True)
class _File:
    """The whole records that a file had when it was looked at; what is appended later does not count."""

    path: Path
    dtype: np.dtype[np.void]
    count: int

    def map(self) -> NDArray[np.void]:
        """Map the records, read-only; they leave memory with the last array that shows them."""
        if not self.count:
            return np.empty(0, self.dtype)
        try:
            with self.path.open("rb") as stream:
                pages = mmap.mmap(stream.fileno(), self.count * self.dtype.itemsize, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:  # ValueError: the file has become shorter
            raise DamagedRecordError(f"{self.path}: the ledger cannot be read again: {error}.") from error
        return np.frombuffer(pages, self.dtype, self.count)


@dataclass(frozen=True, slots=True)
class ClientLedger:
    """What one client attempted and learnt, in the order in which it was written.

    Records in files are mapped whenever somebody asks for them: of a long drill, only those of the client that
    is looked at are in memory. Ask once and keep the array for as long as you need it.
    """

    client: Client
    _attempts: NDArray[np.void] | _File
    _outcomes: NDArray[np.void] | _File

    @property
    def attempts(self) -> NDArray[np.void]:
        """Return the attempts (`ATTEMPTS_DTYPE`)."""
        return self._attempts.map() if isinstance(self._attempts, _File) else self._attempts

    @property
    def outcomes(self) -> NDArray[np.void]:
        """Return the outcomes (`OUTCOMES_DTYPE`)."""
        return self._outcomes.map() if isinstance(self._outcomes, _File) else self._outcomes


def read_ledger(directory: Path) -> tuple[ClientLedger, ...]:
    """Read the ledgers of all clients, ordered by name; a torn last record (the client died) is left out."""
    return tuple(_read_one(path) for path in sorted(directory.glob("*.json")))


def _read_one(path: Path) -> ClientLedger:
    # Outcomes first: of a client that still writes, every outcome read has its attempt in what is read later.
    outcomes = _read(path.with_suffix(".outcomes"), OUTCOMES_DTYPE)
    attempts = _read(path.with_suffix(".attempts"), ATTEMPTS_DTYPE)
    return ClientLedger(_read_client(path), attempts, outcomes)


def _read_client(path: Path) -> Client:
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        return Client(**{**fields, "kind": ClientKind(fields["kind"])})
    except (ValueError, TypeError, KeyError) as error:
        raise DamagedRecordError(f"{path}: this does not describe a client of a ledger: {error}.") from error


def _read(path: Path, dtype: np.dtype[np.void]) -> NDArray[np.void] | _File:
    """Fix how many records there are; only what is no plain file, and cannot be mapped, is read at once."""
    try:
        with path.open("rb") as stream:
            status = os.fstat(stream.fileno())
            if stat.S_ISREG(status.st_mode):
                return _File(path, dtype, status.st_size // dtype.itemsize)
            content = stream.read()
    except OSError as error:
        raise DamagedRecordError(f"{path}: the ledger cannot be read: {error.strerror}.") from error
    return np.frombuffer(content, dtype=dtype, count=len(content) // dtype.itemsize)
