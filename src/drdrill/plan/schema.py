"""The published JSON Schemas of a plan and of a runbook, for editors' completion and for other programs."""

from __future__ import annotations

import json
from typing import Any

from drdrill.plan.model import Plan
from drdrill.plan.part import Part, SchemaInOrder
from drdrill.plan.runbook import Runbook


def plan_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a plan file."""
    return _describe(Plan, "drdrill plan")


def runbook_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a runbook's file."""
    return _describe(Runbook, "drdrill runbook")


def write_schema(schema: dict[str, Any]) -> str:
    """Return a schema as the text of the published file."""
    return json.dumps(schema, indent=2) + "\n"


def _describe(model: type[Part], title: str) -> dict[str, Any]:
    schema = model.model_json_schema(by_alias=True, schema_generator=SchemaInOrder)
    _forbid_other_names(schema)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        **{key: value for key, value in schema.items() if key != "title"},
    }


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
