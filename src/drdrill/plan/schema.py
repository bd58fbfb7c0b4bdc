"""The published JSON Schema of a plan, for editors' completion and for other programs."""

from __future__ import annotations

import json
from typing import Any

from drdrill.plan.model import Plan
from drdrill.plan.part import SchemaInOrder


def plan_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a plan file."""
    schema = Plan.model_json_schema(by_alias=True, schema_generator=SchemaInOrder)
    _forbid_other_names(schema)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "drdrill plan",
        **{key: value for key, value in schema.items() if key != "title"},
    }


def write_plan_schema() -> str:
    """Return the schema as the text of the published file."""
    return json.dumps(plan_schema(), indent=2) + "\n"


def _forbid_other_names(node: Any) -> None:
    # Pydantic refuses a name that fits no pattern; the schema that it writes would let it be anything.
    if isinstance(node, dict):
        if "patternProperties" in node:
            node["additionalProperties"] = False
        for below in node.values():
            _forbid_other_names(below)
    elif isinstance(node, list):
        for below in node:
            _forbid_other_names(below)
