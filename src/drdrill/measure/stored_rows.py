"""A file of rows that was read of a database, once it is sure that it is the file that was stored."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from drdrill.core.errors import DamagedRecordError
from drdrill.measure.survivors import read_survivors

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.measure.facts import Reading
    from drdrill.measure.survivors import Survivors


def hash_rows(reading: Reading | None, what: str) -> tuple[Path, str]:
    """Return the file of a reading and its hash, which is the one that was stored; raises `DamagedRecordError`."""
    if reading is None:
        raise DamagedRecordError(f"{what.capitalize()} were not read.")
    if reading.path is None:
        raise DamagedRecordError(f"{what.capitalize()} could not be read: {reading.unreadable}.")
    try:
        with reading.path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise DamagedRecordError(f"{reading.path}: the rows cannot be read: {error.strerror}.") from error
    if digest != reading.sha256:
        raise DamagedRecordError(f"{reading.path}: this is not what was read back; its hash differs.")
    return reading.path, digest


def read_rows(reading: Reading | None, what: str) -> Survivors:
    """Return the rows of a reading; raises `DamagedRecordError`, which says `what` they are."""
    return read_survivors(hash_rows(reading, what)[0])
