"""`verdict.json` and its published schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator

from drdrill.measure.document import in_version, money, seconds
from tests.measure.story import NEW, OLD, SECOND

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.measure.story import Story

SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "verdict.schema.json"


def _lossy(story: Story) -> None:
    story.last_served("load-0", OLD, 20)[0].rows = 0


def _two_writers(story: Story) -> None:
    story.last_served("load-0", NEW, 100)[0].server = OLD


def _asynchronous(story: Story) -> None:
    story.make_asynchronous(2 * SECOND)


def _nothing_known(story: Story) -> None:
    story.drop("fault.injected", "survivors.read", "store.protected")


@pytest.mark.parametrize("change", [lambda _story: None, _lossy, _asynchronous, _two_writers, _nothing_known])
def test_document_is_as_the_schema_says(story: Story, change: Callable[[Story], None]) -> None:
    """Whatever a drill shows, its document has every key of the schema and no other, and is JSON; in each version."""
    change(story)
    document = json.loads(json.dumps(story.measure().to_json()))
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    for version in (1, 2, 3, 4, 5):
        errors = Draft202012Validator(schema).iter_errors(in_version(document, version))
        assert [error.message for error in errors] == []


def test_unknown_figures_are_null(story: Story) -> None:
    """What was not measured is null, never zero."""
    _nothing_known(story)
    document = story.measure().to_json()
    unknown = (
        document["rta"]["outage_seconds"],
        document["rpa"]["lost_rows"],
        document["re_protection_seconds"],
    )
    assert unknown == (None, None, None)


@pytest.mark.parametrize(
    ("minor", "exponent", "expected"),
    [
        (0, 2, "0.00"),
        (5, 2, "0.05"),
        (12345, 2, "123.45"),
        (-5, 2, "-0.05"),
        (7, 0, "7"),
        (12345, 3, "12.345"),
    ],
)
def test_money_is_an_exact_decimal_string(minor: int, exponent: int, expected: str) -> None:
    """Minor units become a decimal string without passing through a float."""
    assert money(minor, exponent) == expected


def test_seconds_keep_microseconds() -> None:
    """Nanoseconds become seconds to the microsecond."""
    assert (seconds(1_234_567_890), seconds(None)) == (1.234568, None)
