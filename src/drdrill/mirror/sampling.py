"""Readings of replication, appended to a drill's file while the drill lives: it holds a lock on the file.

So a standing mirror does not go on writing into the evidence of a drill that was killed.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from drdrill.dataplane.postgresql_replication import ReplicationReading

_log = logging.getLogger(__name__)


def hold_output(output: Path) -> int:
    """Make a file of samples and hold it; returns the descriptor, and whoever closes it or ends lets go."""
    descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


class Sampling:
    """Which instances are sampled, and into which files, by the id that outlasts a renaming. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._outputs: dict[str, Path] = {}

    def start(self, resource_id: str, output: Path) -> None:
        """Append every reading of an instance to a file that somebody holds."""
        with self._lock:
            self._outputs[resource_id] = output

    def stop(self) -> None:
        """Stop all sampling."""
        with self._lock:
            self._outputs.clear()

    def take(
        self,
        resource_id: str,
        primary: str,
        at_ns: int,
        reading: ReplicationReading | None,
        error: str | None,
    ) -> None:
        """Append one reading, if the instance is sampled."""
        with self._lock:
            output = self._outputs.get(resource_id)
            if output is None:
                return
            try:
                append_held(output, describe_sample(primary, at_ns, reading, error))
            except OSError as problem:
                # The drill that asked for it is gone, or its disk is full: that must not look like a silent primary.
                _log.warning("sampling of %s ends: %s", resource_id, problem)
                del self._outputs[resource_id]


def describe_sample(
    primary: str, at_ns: int, reading: ReplicationReading | None, error: str | None
) -> dict[str, object]:
    """Return a reading as it stands in the file."""
    return {
        "at_ns": at_ns,
        "primary": primary,
        "lsn": reading.position if reading else None,
        "standbys": [
            {"host": one.name, "sync_state": one.sync_state, "flush_lsn": one.flushed}
            for one in (reading.standbys if reading else ())
        ],
        "error": error,
    }


def append_held(output: Path, line: Mapping[str, object]) -> None:
    """Append a line of JSON, by one write, to a file that somebody holds; raises `OSError` when nobody does."""
    descriptor = os.open(output, os.O_WRONLY | os.O_APPEND)
    try:
        if not _is_held(descriptor):
            raise BrokenPipeError("the drill that asked for it is gone")
        os.write(descriptor, json.dumps(line, separators=(",", ":")).encode() + b"\n")
    finally:
        os.close(descriptor)


def _is_held(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False
