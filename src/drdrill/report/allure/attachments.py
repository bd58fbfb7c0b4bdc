"""What a drill's directory adds to its result in Allure: pictures, the experiments' journals, ledger and verdict.

Whatever became of the drill, as much is given as there is. A part that cannot be made is replaced by the reason:
an attachment never changes what a drill ended with.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from drdrill.measure.history import resolve
from drdrill.record.ledger import read_ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from drdrill.record.directory import DrillDirectory


class Form(StrEnum):
    """What an attachment is, as Allure names it."""

    SVG = "SVG"
    CSV = "CSV"
    JSON = "JSON"
    TEXT = "TEXT"


@dataclass(frozen=True, slots=True)
class Attachment:
    """One attachment of a result."""

    title: str
    form: Form
    content: str


def drill_attachments(directory: DrillDirectory) -> Iterator[Attachment]:
    """Yield what there is of a drill, what people look at first coming first."""
    for title, make in (
        ("Pictures", _pictures),
        ("Chaos experiments", _experiments),
        ("Ledger", _ledger),
        ("Verdict", _verdict),
    ):
        yield from _attempt(title, make, directory)


def _attempt(
    title: str, make: Callable[[DrillDirectory], Iterator[Attachment]], directory: DrillDirectory
) -> Iterator[Attachment]:
    try:
        yield from make(directory)
    except Exception as error:  # noqa: BLE001 (a damaged directory is shown as far as it goes)
        yield Attachment(f"{title}: not available", Form.TEXT, f"{type(error).__name__}: {error}")


def _pictures(directory: DrillDirectory) -> Iterator[Attachment]:
    from drdrill.report.pictures import render_pictures  # noqa: PLC0415 (numpy and the whole measurement)

    for title, picture in render_pictures(directory).items():
        yield Attachment(title.capitalize(), Form.SVG, picture)


def _experiments(directory: DrillDirectory) -> Iterator[Attachment]:
    for path in sorted(directory.evidence.glob("chaos-*.json"), key=_first_written):
        yield Attachment(f"Chaos experiment {path.stem.removeprefix('chaos-')}", Form.JSON, _read(path))


def _first_written(path: Path) -> tuple[int, str]:
    return path.stat().st_mtime_ns, path.name


def _verdict(directory: DrillDirectory) -> Iterator[Attachment]:
    if directory.verdict_path.exists():
        yield Attachment("Verdict with all figures", Form.JSON, _read(directory.verdict_path))


def _ledger(directory: DrillDirectory) -> Iterator[Attachment]:
    ledgers = read_ledger(directory.ledger)
    if not ledgers:
        return
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("client", "kind", "requests", "attempts", "acknowledged", "refused", "unknown"))
    for ledger in ledgers:
        history = resolve(ledger)
        told = (history.attempts > 0, history.acknowledged, history.refused, history.unknown)
        requests, acknowledged, refused, unknown = (int(np.count_nonzero(chosen)) for chosen in told)
        attempts = int(history.attempts.sum())
        client = ledger.client
        writer.writerow((client.name, client.kind.value, requests, attempts, acknowledged, refused, unknown))
    yield Attachment("Ledger: what became of users' writes", Form.CSV, text.getvalue())


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")
