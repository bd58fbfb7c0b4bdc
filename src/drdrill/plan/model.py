"""The plan as data: what must survive, how fast, what a drill may break. Frozen; made only by `load_plan`.

Pydantic models, because they are the edge to a file that people write. Their JSON Schema is published, so the
docstrings here are also what an editor shows, and what `plan check` says a missing field is.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from drdrill.plan.duration import Duration, PositiveDuration, parse_duration
from drdrill.plan.judgement import Availability, ObjectiveClock, Projection, RealDuration, RecoveryTime
from drdrill.plan.part import REGION_PATTERN, Name, Part, Text
from drdrill.plan.scenario import DisasterClass, Impact, MirrorExtent, Scenario

if TYPE_CHECKING:
    from datetime import timedelta

__all__ = [
    "Availability",
    "DataClass",
    "DisasterClass",
    "Duration",
    "Impact",
    "MirrorExtent",
    "Name",
    "ObjectiveClock",
    "Part",
    "Plan",
    "PositiveDuration",
    "Projection",
    "RealDuration",
    "RecoveryTime",
    "Region",
    "Regions",
    "Role",
    "Safety",
    "Scenario",
    "Service",
    "StandbyReplication",
    "Store",
    "Text",
    "Tier",
    "parse_duration",
]


class Region(Part):
    """An AWS region of the system and its availability zones."""

    name: Annotated[str, Field(pattern=REGION_PATTERN, examples=["eu-west-1", "us-east-2"])]
    """An AWS region's name, such as `eu-west-1`."""
    zones: Annotated[list[Text], Field(min_length=2, examples=[["eu-west-1a", "eu-west-1b", "eu-west-1c"]])]
    """The availability zones in use, at least two."""


_REGION_EXAMPLE = {"name": "eu-west-1", "zones": ["eu-west-1a", "eu-west-1b", "eu-west-1c"]}


class Regions(Part):
    """The two regions, active-passive."""

    primary: Annotated[Region, Field(examples=[_REGION_EXAMPLE])]
    """The region that serves users before a disaster."""
    recovery: Annotated[Region, Field(examples=[_REGION_EXAMPLE])]
    """The region that serves users after the primary one is lost."""


_RTO_EXAMPLE = {"within": "1 h", "clock": "outage"}


class Tier(Part):
    """Services that are equally urgent."""

    rto: Annotated[RecoveryTime, Field(examples=[_RTO_EXAMPLE])]
    """The recovery time objective (RTO) of every service in this tier."""
    description: str = ""
    """What belongs into this tier, for people."""


class DataClass(Part):
    """Data that is equally precious."""

    rpo: Annotated[PositiveDuration, Field(examples=["5 min"])]
    """The recovery point objective (RPO) of all data in this class: the most that may be lost, in time."""
    description: str = ""
    """What belongs into this class, for people."""


class Service(Part):
    """A service: its urgency, and what it cannot live without."""

    tier: Annotated[Text, Field(examples=["critical"])]
    """The name of its tier under `tiers`, which states its RTO."""
    rto: RecoveryTime | None = None
    """The RTO restated for readers. It must say the same as the tier."""
    stores: Annotated[list[Text], Field(default_factory=list)]
    """The names of the stores under `stores` that it reads or writes."""
    depends_on: Annotated[list[Text], Field(default_factory=list)]
    """The names of the services without which it does not work."""


class StandbyReplication(StrEnum):
    """How a standby in another zone follows its primary."""

    SYNCHRONOUS = "synchronous"
    NONE = "none"


class Store(Part):
    """A data store, and the name of the resource behind it in the cloud's API."""

    kind: Annotated[Literal["postgresql"], Field(examples=["postgresql"])]
    """The kind of server."""
    data_class: Annotated[Text, Field(examples=["core_financial"])]
    """The name of its class under `data_classes`, which states its RPO."""
    rpo: PositiveDuration | None = None
    """The RPO restated for readers. It must say the same as the data class."""
    resource: Annotated[
        str, Field(pattern=r"^[A-Za-z](?:-?[A-Za-z0-9])*$", max_length=63, examples=["orders"])
    ]
    """An RDS instance's identifier: letters, digits and single hyphens, beginning with a letter."""
    standby: Annotated[StandbyReplication, Field(examples=["synchronous"])]
    """How its standby in another zone follows: `synchronous` (Multi-AZ) or `none`."""
    replicated: Annotated[bool, Field(examples=[True])] | None = None
    """Whether a replica in the recovery region follows it. Left out: not stated."""
    snapshots_every: Annotated[PositiveDuration, Field(examples=["1 d"])] | None = None
    """How often a snapshot of it is taken and copied to the recovery region. Left out: not stated."""


class Role(Part):
    """Who answers for a part of the procedure."""

    responsibility: Annotated[Text, Field(examples=["declares the disaster"])]
    """What this role decides or does."""
    contact: str = ""
    """Where to reach the role (a rota or a channel; no person's private data)."""


class Safety(Part):
    """What may be broken. Nothing else ever is."""

    environments: Annotated[
        list[Literal["embedded", "localstack_kind", "aws"]], Field(min_length=1, examples=[["embedded"]])
    ]
    """The environments in which a drill may break things."""
    targets: Annotated[list[Text], Field(min_length=1, examples=[["orders-database"]])]
    """The names of the stores, services, regions and zones of this plan that may be broken, and `route53`."""


class Plan(Part):
    """The whole disaster recovery plan, as far as drills need it."""

    version: Annotated[Literal[1], Field(examples=[1])]
    """The version of this format."""
    title: Annotated[Text, Field(examples=["Disaster recovery plan"])]
    """The title of the plan."""
    source: Annotated[Text, Field(examples=["27. Disaster Recovery Plan"])]
    """The document that this plan restates."""
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$", examples=["EUR"])]
    """The currency of amounts, three capital letters (ISO 4217)."""
    currency_exponent: Annotated[int, Field(ge=0, le=4)] = 2
    """The number of decimal places of the currency."""
    regions: Regions
    """The primary and the recovery region."""
    tiers: Annotated[dict[Name, Tier], Field(min_length=1, examples=[{"critical": {"rto": _RTO_EXAMPLE}}])]
    """The tiers of urgency by name, each with its RTO."""
    data_classes: Annotated[dict[Name, DataClass], Field(min_length=1, examples=[{"other": {"rpo": "1 h"}}])]
    """The classes of data by name, each with its RPO."""
    services: Annotated[dict[Name, Service], Field(min_length=1)]
    """The services by name."""
    stores: Annotated[dict[Name, Store], Field(min_length=1)]
    """The data stores by name."""
    roles: dict[Name, Role]
    """The people's roles in a disaster by name."""
    availability: Availability
    """When a service counts as up, and from when on it counts as recovered."""
    projection: Projection
    """How long the steps of recovery take in production, where a drill takes seconds."""
    scenarios: Annotated[dict[Name, Scenario], Field(min_length=1)]
    """The scenarios by name."""
    safety: Safety
    """The only things that drills may break."""

    def rto_of(self, service: str) -> RecoveryTime:
        """Return the recovery time objective of a service: its tier's."""
        return self.tiers[self.services[service].tier].rto

    def rpo_of(self, store: str) -> timedelta:
        """Return the recovery point objective of a store: its data class's."""
        return self.data_classes[self.stores[store].data_class].rpo

    def availability_of(self, scenario: str | Scenario) -> Availability:
        """Return when services count as up in a scenario: as it says itself, or else as the plan does."""
        judged = self.scenarios[scenario] if isinstance(scenario, str) else scenario
        return judged.availability or self.availability
