"""A scenario of the features as data: what it breaks, who is judged by which recovery, and what has to show."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from drdrill.plan.duration import PositiveDuration, ProbeTime
from drdrill.plan.judgement import Availability, RecoveryTime
from drdrill.plan.part import RUNBOOK_PATTERN, Name, Part, Text


class DisasterClass(StrEnum):
    """The kind of disaster."""

    SERVICE = "service"
    DATABASE = "database"
    ZONE = "zone"
    REGION = "region"


class MirrorExtent(StrEnum):
    """What of the system an environment has up."""

    DATABASES = "databases"
    SYSTEM = "system"


class Decision(StrEnum):
    """What the plan wants to be decided when a scenario's fault is seen."""

    FAIL_OVER = "fail_over"
    STAY = "stay"


class Impact(Part):
    """The user impact that a scenario declares: the drill proves nothing if it does not show."""

    service: Annotated[Text, Field(examples=["orders"])]
    """The name of the service whose users feel it."""
    down_at_least: PositiveDuration | None = None
    """The shortest outage that must be seen. Leave it out when `none: true`."""
    none: bool = False
    """Whether users must feel nothing at all."""


class Scenario(Part):
    """A scenario of the features: what it breaks, and what makes its result a result."""

    disaster_class: Annotated[DisasterClass, Field(alias="class", examples=["database"])]
    """The kind of disaster: `service`, `database`, `zone` or `region`."""
    service: Annotated[Text, Field(examples=["orders"])]
    """The name of the service whose recovery is judged."""
    services: Annotated[list[Text], Field(default_factory=list, examples=[["customers"]])]
    """The names of the services judged besides `service`, each against its own tier's RTO."""
    store: Annotated[Text, Field(examples=["orders-database"])]
    """The name of the store whose loss is judged."""
    impact: Annotated[Impact, Field(examples=[{"service": "orders", "down_at_least": "500 ms"}])]
    """The impact on users that must show."""
    critical_path: Annotated[list[Text], Field(default_factory=list, examples=[["database_failover"]])]
    """The names of the steps under `projection.durations` that recovery waits for, one after another."""
    runbook: Annotated[str, Field(pattern=RUNBOOK_PATTERN, examples=["failover/runbook.yaml"])] | None = None
    """The runbook that is the recovery, in place of a critical path: its path from the root of the repository."""
    decision: Annotated[Decision, Field(examples=["stay"])] = Decision.FAIL_OVER
    """What the runbook has to come to: `fail_over`, or `stay`, where users are served and nobody must move them."""
    loss_path: Annotated[list[Text], Field(default_factory=list, examples=[["damage_detection"]])]
    """The names of those steps during which users' writes are lost, where recovery restores a backup."""
    must_find: Annotated[str, Field(pattern=r"^(restore_[a-z_]+)?$", examples=["restore_lacks_rows"])] = ""
    """What the drill plants and its checks must find, by the code of the verdict's reason; empty: nothing."""
    rto: RecoveryTime | None = None
    """The service's RTO restated for readers. It must say the same as the tier."""
    rpo: PositiveDuration | None = None
    """The store's RPO restated for readers. It must say the same as the data class."""
    re_protection: PositiveDuration | None = None
    """The longest time until redundancy is back, when that is an objective too."""
    availability: Availability | None = None
    """When services count as up in this scenario, where its users ask at another rate than the plan's."""
    probe_every: Annotated[
        dict[Name, ProbeTime], Field(default_factory=dict, examples=[{"orders": "500 ms"}])
    ]
    """How often each cohort asks a judged service alone, where the workload's rate shows too little: 100 ms to 10 s.

    An outage is seen only if it spoils more than one request of a cohort. The whole `system` has to be up for it.
    """
    mirror: Annotated[MirrorExtent, Field(examples=["system"])] = MirrorExtent.DATABASES
    """What of the system has to be up for it: only the `databases`, or the whole `system`."""

    @property
    def stays(self) -> bool:
        """Whether nobody must fail over."""
        return self.decision is Decision.STAY

    @property
    def fails_over(self) -> bool:
        """Whether its runbook is to move users to where they were not served before."""
        return self.runbook is not None and not self.stays
