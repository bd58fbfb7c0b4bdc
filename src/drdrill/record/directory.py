"""The directory of one drill: where each file stands, and how files are replaced without a half-written moment."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drdrill.core.errors import DamagedRecordError
from drdrill.record.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class DrillDirectory:
    """`reports/<UTC time>-<scenario>/`. Holds everything that measurement and report read, and nothing secret."""

    path: Path

    @property
    def journal_path(self) -> Path:
        """The journal: `journal.jsonl`."""
        return self.path / "journal.jsonl"

    @property
    def ledger(self) -> Path:
        """The folder of the clients' ledgers."""
        return self.path / "ledger"

    @property
    def evidence(self) -> Path:
        """The folder of readings that events refer to."""
        return self.path / "evidence"

    @property
    def logs(self) -> Path:
        """The folder of the programs' own logs."""
        return self.path / "logs"

    @property
    def plan_path(self) -> Path:
        """The plan as it was when the drill began."""
        return self.path / "plan.yaml"

    @property
    def verdict_path(self) -> Path:
        """The whole measurement and verdict: `verdict.json`."""
        return self.path / "verdict.json"

    @property
    def about_path(self) -> Path:
        """Identification: scenario, environment, seed, versions, revision: `drill.json`."""
        return self.path / "drill.json"

    @property
    def page_path(self) -> Path:
        """The report for people: `report.html`."""
        return self.path / "report.html"

    def journal(self, actor: str) -> Journal:
        """Return a journal that appends as `actor`."""
        return Journal(self.journal_path, actor=actor)

    def create(self) -> None:
        """Make the directory and its folders; it must not exist yet."""
        self.path.mkdir(parents=True)
        for folder in (self.ledger, self.evidence, self.logs):
            folder.mkdir()

    def describe_evidence(self, path: Path, *, source: str) -> dict[str, str]:
        """Return the reference to a file of this directory that an event carries: name, sha256, source."""
        return {
            "evidence": str(path.relative_to(self.path)),
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "source": source,
        }


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Replace a JSON file in one step: a reader sees the old one or the new one, also after a crash."""
    write_text(path, json.dumps(content, indent=1) + "\n")


def write_text(path: Path, text: str) -> None:
    """Replace a text file in one step, as `write_json` does."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object that drdrill stored; raises `DamagedRecordError` that names the file."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DamagedRecordError(f"{path}: cannot be read as what drdrill stores there: {error}.") from error
    if not isinstance(content, dict):
        raise DamagedRecordError(f"{path}: a JSON object was expected here.")
    return content
