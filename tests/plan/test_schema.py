"""The published JSON Schema of a plan."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from drdrill.plan import plan_schema
from drdrill.plan.schema import write_plan_schema

REPOSITORY = Path(__file__).resolve().parents[2]
PUBLISHED = REPOSITORY / "docs" / "schemas" / "plan.schema.json"


@pytest.fixture
def validator() -> jsonschema.Draft202012Validator:
    """Return a validator of the published schema."""
    schema = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_the_published_schema_is_up_to_date() -> None:
    """The file in docs is what the model says now."""
    assert PUBLISHED.read_text(encoding="utf-8") == write_plan_schema(), (
        "publish it anew with `./drdrill plan schema > docs/schemas/plan.schema.json`"
    )


def test_the_reference_plan_fits_the_schema(
    validator: jsonschema.Draft202012Validator, plan_text: str
) -> None:
    """An independent validator, with an independent reader of YAML, accepts the reference plan."""
    assert list(validator.iter_errors(yaml.safe_load(plan_text))) == []


def test_the_reference_plan_names_its_schema(plan_text: str) -> None:
    """The first line tells editors where the schema is, and it is there."""
    first = plan_text.splitlines()[0]
    assert first.startswith("# yaml-language-server: $schema=")
    assert (REPOSITORY / "scenarios" / first.partition("=")[2]).resolve() == PUBLISHED


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("title: Disaster", "titel: Disaster"),
        ("rpo: 5 min", "rpo: 5"),
        ("rpo: 5 min", "rpo: 5 minutes"),
        ("rpo: 5 min", "rpo: -5 min"),
        ("clock: outage", "clock: outrage"),
        ("kind: postgresql", "kind: postgres"),
        ("  documents:", "  docu ments:"),
        ("minimum_samples: 20", "minimum_samples: 0"),
    ],
)
def test_the_schema_alone_shows_an_editor_the_common_mistakes(
    validator: jsonschema.Draft202012Validator, plan_text: str, old: str, new: str
) -> None:
    """Mistyped names, wrong words and durations without unit are marked before any command is run."""
    assert not validator.is_valid(yaml.safe_load(plan_text.replace(old, new, 1)))


def test_every_field_is_described() -> None:
    """An editor has something to show at every field of every part."""
    schema: dict[str, Any] = plan_schema()
    parts = {"Plan": schema, **schema["$defs"]}
    missing = [
        f"{part}.{name}"
        for part, definition in parts.items()
        for name, field in definition.get("properties", {}).items()
        if not field.get("description") or not field.get("title")
    ]
    assert missing == []
