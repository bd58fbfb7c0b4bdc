"""The record of active faults on the disk: written before an act, so that healing survives a crash.

It stands in the environment's state directory, where the next command finds it whatever became of this
process:

    begin ──▶ injecting ──▶ active ──▶ healed ──▶ (forgotten: seen whole again)
                  │            │
                  └▶ tainted ◀─┘   the act failed, or its healing did: what it did is not known

An entry that says `injecting` in a process's absence is as good as tainted. Only `forget` removes an entry.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import count
from typing import TYPE_CHECKING, Any

from drdrill.core.errors import DamagedRecordError, RefusedError
from drdrill.environment.port import FaultRequest, Injection, StoreRole
from drdrill.faults.catalogue import FaultKind
from drdrill.faults.sanitise import to_json
from drdrill.record.directory import read_json, write_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

SCHEMA_VERSION = 1
FILE_NAME = "active-faults.json"
_OF_LINKS = frozenset(kind.value for kind in FaultKind if kind.of_link)
_OF_CONTROL_PLANES = frozenset(kind.value for kind in FaultKind if kind.of_control_planes)
_REMEDY = "Run `drdrill env heal` first."


class RecordedState(StrEnum):
    """How far a fault came, as the disk knows it."""

    INJECTING = "injecting"
    ACTIVE = "active"
    TAINTED = "tainted"
    HEALED = "healed"  # healing was done, and not yet seen


@dataclass(frozen=True, slots=True)
class ActiveFault:
    """One fault that is, or may be, in the environment. `injection`: None until the environment reports."""

    state: RecordedState
    request: FaultRequest
    since_ns: int
    injection: Injection | None = None
    reason: str = ""

    @property
    def target(self) -> str:
        """What this fault is in: a store, its links to other regions, a place, its APIs. Each holds one at a time."""
        store = self.request.store
        if self.request.kind in _OF_CONTROL_PLANES:
            return f"the control planes of {store}"
        return f"the links of {store}" if self.request.kind in _OF_LINKS else store

    def __str__(self) -> str:
        return f"{self.request.kind} in {self.target} ({self.request.role}): {self.state}"

    def presumed_injection(self) -> Injection:
        """Return what to heal: the injection as reported, or one that says that nobody knows how far it came.

        Such an injection carries `unconfirmed: true` with the request's `store` and `role` in its details,
        and its `resource` is the request's: the environment is to mend whatever of that request it finds
        broken.
        """
        if self.injection is not None:
            return self.injection
        request = self.request
        return Injection(
            kind=request.kind,
            resource=request.resource,
            before_ns=self.since_ns,
            after_ns=self.since_ns,
            details={"unconfirmed": True, "store": request.store, "role": str(request.role)},
        )


@dataclass(frozen=True, slots=True)
class ActiveFaults:
    """The record in one environment's state directory; several processes may use it at once."""

    directory: Path

    @property
    def path(self) -> Path:
        """The file that holds the record; it exists only while there is a fault."""
        return self.directory / FILE_NAME

    def read(self) -> tuple[ActiveFault, ...]:
        """Return all recorded faults, oldest first.

        Raises `DamagedRecordError` that names the file, and the entry, when it cannot be read in full.
        """
        readable, damage = self._read_what_can_be()
        if damage:
            raise DamagedRecordError(f"{damage} {_REMEDY}")
        return readable

    def salvage(self) -> tuple[tuple[ActiveFault, ...], str]:
        """Return the readable entries, and what is damaged in words (empty: nothing).

        A damaged file is moved aside, kept, and replaced by its readable part, so that healing can go on.
        """
        with self._locked():
            readable, damage = self._read_what_can_be()
            if not damage:
                return readable, ""
            aside = self._free_name()
            self.path.rename(aside)
            self._write(readable)
            return readable, f"{damage} It was moved to {aside}; what could be read of it was kept."

    def begin(self, request: FaultRequest, *, at_ns: int) -> ActiveFault:
        """Write down that a fault is about to be injected.

        Raises `RefusedError` when the target already has one, and `DamagedRecordError` when that cannot be
        told.
        """
        entry = ActiveFault(RecordedState.INJECTING, request, at_ns)
        with self._locked():
            recorded = self.read()
            for other in recorded:
                if other.target == entry.target:
                    raise RefusedError(
                        f"The fault was refused, and nothing was touched: {other.target} already has one "
                        f"({other}). {_REMEDY}"
                    )
            self._write((*recorded, entry))
        return entry

    def update(
        self,
        entry: ActiveFault,
        state: RecordedState,
        *,
        injection: Injection | None = None,
        reason: str = "",
    ) -> ActiveFault:
        """Write down how far a fault came and return its new entry; one that was lost is written again."""
        changed = replace(entry, state=state, injection=injection or entry.injection, reason=reason)
        with self._locked():
            others = tuple(other for other in self.read() if other.target != entry.target)
            self._write((*others, changed))
        return changed

    def forget(self, entry: ActiveFault) -> None:
        """Take a fault out of the record: its target was seen whole."""
        with self._locked():
            self._write(tuple(other for other in self.read() if other.target != entry.target))

    def _read_what_can_be(self) -> tuple[tuple[ActiveFault, ...], str]:
        if not self.path.exists():
            return (), ""
        try:
            content = read_json(self.path)
        except DamagedRecordError as error:
            return (), str(error)
        faults = content.get("faults")
        if content.get("version") != SCHEMA_VERSION or not isinstance(faults, list):
            return (), f"{self.path}: this is not a record of active faults of version {SCHEMA_VERSION}."
        entries: list[ActiveFault] = []
        damaged: list[str] = []
        for number, item in enumerate(faults):
            try:
                entries.append(_read_entry(item))
            except (KeyError, TypeError, ValueError) as error:
                damaged.append(f"faults[{number}] is not a fault ({type(error).__name__}: {error})")
        return tuple(entries), f"{self.path}: {'; '.join(damaged)}." if damaged else ""

    def _write(self, entries: tuple[ActiveFault, ...]) -> None:
        if entries:
            write_json(self.path, {"version": SCHEMA_VERSION, "faults": to_json(entries)})
        else:
            self.path.unlink(missing_ok=True)
        descriptor = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)  # the new name is on the disk too, before anybody acts on it
        finally:
            os.close(descriptor)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        # A file of its own: the record is replaced by rename, and a lock stays with the file that it was
        # taken on.
        descriptor = os.open(self.directory / f".{FILE_NAME}.lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _free_name(self) -> Path:
        candidates = (self.path.with_name(f"active-faults.damaged-{number}.json") for number in count(1))
        return next(aside for aside in candidates if not aside.exists())


def _read_entry(item: Mapping[str, Any]) -> ActiveFault:
    request = item["request"]
    injection = item["injection"]
    return ActiveFault(
        state=RecordedState(item["state"]),
        request=FaultRequest(**{**_texts(request), "role": StoreRole(request["role"])}),
        since_ns=int(item["since_ns"]),
        injection=None if injection is None else _read_injection(injection),
        reason=str(item.get("reason", "")),
    )


def _read_injection(item: Mapping[str, Any]) -> Injection:
    if not isinstance(item["details"], dict):
        raise TypeError("the details of an injection are an object")
    return Injection(
        kind=str(item["kind"]),
        resource=str(item["resource"]),
        before_ns=int(item["before_ns"]),
        after_ns=int(item["after_ns"]),
        details=item["details"],
    )


def _texts(item: Mapping[str, Any]) -> dict[str, Any]:
    for name, value in item.items():
        if not isinstance(value, str):
            raise TypeError(f"{name} is not a text")
    return dict(item)
