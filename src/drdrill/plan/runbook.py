"""A runbook as data: the steps of a recovery, what each needs, how it is done, and how it is seen to be done.

A file of its own beside the plan, as the people on call read it. Rules beyond the schema are in `runbook_checking`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from drdrill.plan.duration import PositiveDuration
from drdrill.plan.model import RealDuration
from drdrill.plan.part import Name, Part, Text

_CALLABLE = r"^[A-Za-z_][A-Za-z0-9_.]*:[A-Za-z_][A-Za-z0-9_]*$"
Callable = Annotated[str, Field(pattern=_CALLABLE, examples=["failover.status_page:publish"])]
Command = Annotated[list[Text], Field(min_length=1, examples=[["python", "-m", "failover.promote_replica"]])]


class Phase(StrEnum):
    """The part of a recovery that a step belongs to, in the order of the waterfall."""

    DETECT = "detect"
    DECLARE = "declare"
    SCALE = "scale"
    RESTORE = "restore"
    DEPLOY = "deploy"
    SWITCH = "switch"
    DRAIN = "drain"
    VALIDATE = "validate"
    COMMUNICATE = "communicate"


class Doer(StrEnum):
    """Who does a step: their time is told apart."""

    PERSON = "person"
    MACHINE = "machine"


class Where(StrEnum):
    """A place that a step needs alive."""

    PRIMARY = "primary"
    RECOVERY = "recovery"
    GLOBAL = "global"
    ROUTE_53 = "route53"


class Work(Part):
    """What is run, in exactly one of these ways."""

    # For editors only: that more or less than one is a mistake, `runbook_checking` says.
    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    python: Callable | None = None
    """A Python callable, `module:function`, called without arguments in a process of its own."""
    command: Command | None = None
    """A program and its arguments; no shell reads it."""
    terraform: Text | None = None
    """The folder of a Terraform root: applied; as a verification, its plan must be empty."""
    manifests: Text | None = None
    """A folder of Kubernetes manifests: applied; as a verification, nothing may differ from it."""


class Gate(Part):
    """A question to a person; the runbook waits for the answer as long as the step's `within`."""

    role: Annotated[Text, Field(examples=["incident_commander"])]
    """The role of the plan that answers."""
    question: Annotated[Text, Field(examples=["Is the primary region lost?"])]
    """What is asked."""
    shows: list[Text] = Field(default_factory=list)
    """A program whose output the person sees with the question: monitoring, the provider's health view."""


class Action(Work):
    """What a step does: one piece of work, or a gate."""

    gate: Gate | None = None
    """A question that a person answers."""


class Step(Part):
    """A step of a runbook. It is done only when its verification observes it."""

    action: Annotated[Action, Field(examples=[{"command": ["python", "-m", "failover.promote_replica"]}])]
    """What is done, when it is not seen to be done already."""
    verify: Work | None = None
    """What observes that it is done: exit status 0, or a callable that returns something true."""
    needs: list[Text] = Field(default_factory=list)
    """The names of the steps that have to be done before."""
    within: Annotated[PositiveDuration, Field(examples=["20 min"])]
    """The longest time that it may take, verification included; then it has failed."""
    duration: RealDuration
    """How long it takes in production, with its source."""
    phase: Annotated[Phase, Field(examples=["restore"])]
    """The part of the recovery that it belongs to."""
    by: Annotated[Doer, Field(examples=["machine"])]
    """Who does it: a `person` or a `machine`."""
    critical: bool = True
    """Whether critical services wait for it; the others may come later."""
    touches: list[Text] = Field(default_factory=list)
    """What it changes, for people: shown by a dry run."""
    uses: list[Where] = Field(default_factory=list)
    """The places that must be alive for it: `primary`, `recovery`, `global`, `route53` (its API, not its answers)."""
    says_no: Annotated[int | None, Field(ge=1, le=125, examples=[10])] = None
    """The exit status of its command by which it says that going on would be wrong; every other one is a failure."""


class Runbook(Part):
    """The steps of a recovery, run as parallel as their needs allow."""

    version: Annotated[Literal[1], Field(examples=[1])]
    """The version of this format."""
    title: Annotated[Text, Field(examples=["Failover to the recovery region"])]
    """The title of the runbook."""
    loses: Annotated[Where, Field(examples=["primary"])]
    """The place that is lost when this runbook is needed: no step may use it."""
    also_loses: list[Where] = Field(default_factory=list)
    """What else is lost then: no step may use that, either."""
    proposes: list[Text] = Field(default_factory=list)
    """Where it does something else than the plan's document says, for its owner to confirm: shown in reports."""
    steps: Annotated[dict[Name, Step], Field(min_length=1)]
    """The steps by name."""
