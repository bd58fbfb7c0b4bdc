"""Layer 1: the plan — its schema, loading, and checking with file, line and field.

`yaml_file` reads any YAML file of a user in the same way; other packages use it for theirs.
"""

from __future__ import annotations

from drdrill.plan.duration import Duration, PositiveDuration, parse_duration
from drdrill.plan.load import check_plan, load_plan
from drdrill.plan.model import (
    Availability,
    DataClass,
    DisasterClass,
    Impact,
    MirrorExtent,
    ObjectiveClock,
    Plan,
    Projection,
    RealDuration,
    RecoveryTime,
    Region,
    Regions,
    Role,
    Safety,
    Scenario,
    Service,
    StandbyReplication,
    Store,
    Tier,
)
from drdrill.plan.part import Name, Part, Text
from drdrill.plan.schema import plan_schema
from drdrill.plan.yaml_file import check_model, load_model

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
    "check_model",
    "check_plan",
    "load_model",
    "load_plan",
    "parse_duration",
    "plan_schema",
]
