"""What became of an experiment, judged by us: Chaos Toolkit says `completed` also where nothing worked."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.faults.sanitise import Json


class ActivityStatus(StrEnum):
    """What became of an action or probe."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNFINISHED = "unfinished"  # it began, and nobody knows its end


@dataclass(frozen=True, slots=True)
class ActivityResult:
    """One action or probe of a method. `error`: the name of the error's class; `reason`: its words."""

    name: str
    type: str
    status: ActivityStatus
    output: Json
    error: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ExperimentResult:
    """What became of an experiment. `status` is Chaos Toolkit's word and proves nothing; `succeeded` is ours.

    `steady_state_met` is None where the experiment has no hypothesis, `left_out` counts activities of the
    method that did not run, and `journal` stands in the drill's evidence.
    """

    title: str
    status: str
    steady_state_met: bool | None
    activities: tuple[ActivityResult, ...]
    left_out: int
    journal: Path

    @property
    def succeeded(self) -> bool:
        """Tell whether the whole method ran and every activity of it succeeded."""
        return not self.reason

    @property
    def refused(self) -> bool:
        """Tell whether the guard refused: nothing was touched."""
        return any(activity.error == "RefusedError" for activity in self.activities)

    @property
    def reason(self) -> str:
        """Say why it did not succeed; `` if it did."""
        if self.steady_state_met is False:
            return "The steady state did not hold before the method, so nothing of it ran."
        if not self.activities:
            return "No activity of the method ran."
        for activity in self.activities:
            if activity.status is not ActivityStatus.SUCCEEDED:
                return f"The {activity.type} `{activity.name}` {activity.status}: {activity.reason}"
        if self.left_out:
            return f"{self.left_out} of the method's activities did not run."
        return "" if self.status == "completed" else f"Chaos Toolkit ended the experiment as {self.status}."
