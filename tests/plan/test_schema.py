"""The published JSON Schemas of a plan and of a runbook."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from drdrill.plan import plan_schema
from drdrill.plan.schema import runbook_schema, write_schema

REPOSITORY = Path(__file__).resolve().parents[2]
SCHEMAS = REPOSITORY / "docs" / "schemas"
PUBLISHED, OF_RUNBOOKS = SCHEMAS / "plan.schema.json", SCHEMAS / "runbook.schema.json"
RUNBOOK = REPOSITORY / "failover" / "runbook.yaml"


def _make_validator(path: Path) -> jsonschema.Draft202012Validator:
    schema = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.fixture
def validator() -> jsonschema.Draft202012Validator:
    """Return a validator of the published schema of plans."""
    return _make_validator(PUBLISHED)


@pytest.fixture
def validator_of_runbooks() -> jsonschema.Draft202012Validator:
    """Return a validator of the published schema of runbooks."""
    return _make_validator(OF_RUNBOOKS)


@pytest.mark.parametrize(
    ("published", "schema", "command"),
    [
        (PUBLISHED, plan_schema(), "./drdrill plan schema > docs/schemas/plan.schema.json"),
        (OF_RUNBOOKS, runbook_schema(), "./drdrill plan schema --runbook > docs/schemas/runbook.schema.json"),
    ],
    ids=["plan", "runbook"],
)
def test_the_published_schema_is_up_to_date(published: Path, schema: dict[str, Any], command: str) -> None:
    """The file in docs is what the model says now."""
    assert published.read_text(encoding="utf-8") == write_schema(schema), f"publish it anew with `{command}`"


def test_the_reference_plan_fits_the_schema(
    validator: jsonschema.Draft202012Validator, plan_text: str
) -> None:
    """An independent validator, with an independent reader of YAML, accepts the reference plan."""
    assert list(validator.iter_errors(yaml.safe_load(plan_text))) == []


def test_the_reference_runbook_fits_the_schema(
    validator_of_runbooks: jsonschema.Draft202012Validator,
) -> None:
    """An independent validator, with an independent reader of YAML, accepts the reference runbook."""
    assert list(validator_of_runbooks.iter_errors(yaml.safe_load(RUNBOOK.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize(
    ("file", "published"), [(REPOSITORY / "scenarios" / "plan.yaml", PUBLISHED), (RUNBOOK, OF_RUNBOOKS)]
)
def test_a_reference_file_names_its_schema(file: Path, published: Path) -> None:
    """The first line tells editors where the schema is, and it is there."""
    first = file.read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("# yaml-language-server: $schema=")
    assert (file.parent / first.partition("=")[2]).resolve() == published


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


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    needs: [detection]", "    neds: [detection]"),
        ("within: 10 min", "within: 10"),
        ("phase: detect", "phase: detecting"),
        ("by: person", "by: human"),
        ("uses: [recovery, global]", "uses: [mars]"),
        ("{command: [python, -m, failover.detect_outage]}", "{}"),
        ("{command: [python, -m, failover.detect_outage]}", "{command: [a], terraform: b}"),
    ],
)
def test_the_schema_alone_shows_an_editor_the_common_mistakes_of_a_runbook(
    validator_of_runbooks: jsonschema.Draft202012Validator, old: str, new: str
) -> None:
    """Mistyped names, wrong words, no unit, no way to do it and two ways are marked before any command is run."""
    text = RUNBOOK.read_text(encoding="utf-8")
    assert old in text
    assert not validator_of_runbooks.is_valid(yaml.safe_load(text.replace(old, new, 1)))


@pytest.mark.parametrize("schema", [plan_schema(), runbook_schema()], ids=["plan", "runbook"])
def test_every_field_is_described(schema: dict[str, Any]) -> None:
    """An editor has something to show at every field of every part."""
    parts = {schema["title"]: schema, **schema["$defs"]}
    missing = [
        f"{part}.{name}"
        for part, definition in parts.items()
        for name, field in definition.get("properties", {}).items()
        if not field.get("description") or not field.get("title")
    ]
    assert missing == []
