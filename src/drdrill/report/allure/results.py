"""The copy of a run's results that the generator reads; what the run stored is never changed.

Left out: fixtures, and the names of the machine and of its process. Added: which of the four kinds of failure it
was, as the label `outcome`, by which the page's categories tell them apart.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drdrill.core.errors import (
    DamagedRecordError,
    InconclusiveError,
    InvalidDrillError,
    ObjectiveMissedError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OUTCOMES = {
    ObjectiveMissedError.__name__: "objective missed",
    InconclusiveError.__name__: "inconclusive",
    InvalidDrillError.__name__: "invalid",
}
BROKEN = "harness broken"
_OF_THE_MACHINE = ("host", "thread")
_ERROR = re.compile(
    r"^drdrill(?:\.\w+)+\.(\w+): "
)  # as Python writes an error of ours: its class, then what it says
_FAILED = ("failed", "broken")


@dataclass(frozen=True, slots=True)
class CopiedResults:
    """What a copy holds: how many tests, the hash of everything, and when the last test ended (Unix time)."""

    tests: int
    sha256: str
    ended_ms: int


def copy_results(results: Path, target: Path) -> CopiedResults:
    """Copy what the page is to show; raises `DamagedRecordError` for a result that cannot be read."""
    target.mkdir(parents=True)
    digest, tests, ended_ms = hashlib.sha256(), 0, 0
    for path in sorted(results.iterdir()):
        copy = target / path.name
        if path.name.endswith("-result.json"):
            result = _clean(_read(path))
            copy.write_text(json.dumps(result, ensure_ascii=False), encoding="utf-8")
            tests, ended_ms = tests + 1, max(ended_ms, int(result.get("stop") or 0))
        elif "-attachment" in path.name:
            shutil.copyfile(path, copy)
        else:
            continue
        digest.update(f"{path.name}\n".encode() + copy.read_bytes())
    return CopiedResults(tests, digest.hexdigest(), ended_ms)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DamagedRecordError(f"{path}: this is not a result of Allure: {error}.") from error
    if not isinstance(content, dict):
        raise DamagedRecordError(f"{path}: this is not a result of Allure.")
    return content


def _clean(result: dict[str, Any]) -> dict[str, Any]:
    labels = [one for one in result.get("labels", ()) if one["name"] not in _OF_THE_MACHINE]
    if result.get("status") in _FAILED:
        labels.append({"name": "outcome", "value": _outcome(result)})
    cleaned = {**result, "labels": labels}
    for part in _parts(cleaned):
        details = part.get("statusDetails")
        if details and details.get("message"):
            part["statusDetails"] = _worded(details)
    return cleaned


def _outcome(result: dict[str, Any]) -> str:
    error = _ERROR.match((result.get("statusDetails") or {}).get("message") or "")
    return OUTCOMES.get(error.group(1), BROKEN) if error else BROKEN


def _parts(part: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a result and all its steps, also those of steps."""
    yield part
    for step in part.get("steps", ()):
        yield from _parts(step)


def _worded(details: dict[str, Any]) -> dict[str, Any]:
    """Return what went wrong in words: no class before it, and no trace that only says the same again."""
    error = _ERROR.match(details["message"])
    if error is None:
        return details
    said = details["message"][error.end() :]
    trace = details.get("trace") or ""
    answers = error.group(1) in OUTCOMES or trace.strip().endswith(said.strip())
    return {**details, "message": said, "trace": "" if answers else trace}
