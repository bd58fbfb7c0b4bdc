"""Everything that is known of one drill when it was measured and judged, as one value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from drdrill.measure import document
from drdrill.measure.deaths import Doom

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drdrill.core.verdict import Verdict
    from drdrill.measure.call_record import CallRecord
    from drdrill.measure.controls import Control
    from drdrill.measure.decision import DecisionRecord
    from drdrill.measure.facts import About
    from drdrill.measure.integrity import Integrity
    from drdrill.measure.outage import Outage, Phase
    from drdrill.measure.reason import Finding, Reason
    from drdrill.measure.replication import Cut
    from drdrill.measure.restore import Destroyed, RestoreProof
    from drdrill.measure.runbook_record import RunbookRecord
    from drdrill.measure.services import ServiceOutage
    from drdrill.measure.sweep import Sweep
    from drdrill.measure.system import SystemRecord
    from drdrill.measure.verdict import Measured, Objective
    from drdrill.measure.watchers import Watch
    from drdrill.measure.writers import WritersWatch
    from drdrill.plan.model import Plan


@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """Everything that one drill's files say. A part that could not be measured is None."""

    about: About
    plan: Plan
    verdict: Verdict
    reasons: tuple[Reason, ...]
    objectives: tuple[Objective, ...]
    outage: Outage | None
    phases: tuple[Phase, ...]
    integrity: Integrity | None
    cut: Cut
    followers: Mapping[str, Cut]
    sweep: Sweep | None
    writers: WritersWatch | None
    re_protection: Measured
    controls: tuple[Control, ...]
    findings: tuple[Finding, ...]
    restores: tuple[RestoreProof, ...] = ()
    destroyed: Destroyed | None = None
    services: tuple[ServiceOutage, ...] = ()
    runbook: RunbookRecord | None = None
    system: SystemRecord | None = None
    decision: DecisionRecord | None = None
    calls: CallRecord | None = None
    watches: tuple[Watch, ...] = ()
    doom: Doom = field(default_factory=Doom)

    def to_json(self) -> dict[str, Any]:
        """Return the content of `verdict.json`; `docs/schemas/verdict.schema.json` describes it."""
        return document.render(self)
