"""What is to be drilled, where, and under which name: everything that is known before anything starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class DrillRequest:
    """One drill. `root` is the drill repository; `mirror` names a standing mirror instead of a new one.

    `failover_command` takes the place of the scenario's runbook; with `failover_event`, a JSON file, it is a handler
    `module:function`.

    `title` and `steps` are the scenario as people wrote it, for the record; nothing is decided by them.
    """

    scenario: str
    environment: str
    root: Path
    plan: Path
    reports: Path
    seed: int | None = None
    mirror: str | None = None
    title: str = ""
    steps: tuple[str, ...] = ()
    failover_command: str | None = None
    failover_event: Path | None = None

    @property
    def environment_folder(self) -> Path:
        """The folder with the environment's configuration and the company's wiring."""
        return self.root / "environments" / self.environment

    @property
    def experiments(self) -> Path:
        """The folder of the experiments."""
        return self.root / "chaos" / "experiments"
