"""Whatever is stored is JSON and holds no secret."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import PurePosixPath

import pytest

from drdrill.faults.sanitise import TOO_DEEP, redact, to_json


class _Word(StrEnum):
    HELLO = "hello"


@dataclass(frozen=True)
class _Pair:
    left: int
    right: object


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (3, 3),
        (1.5, 1.5),
        (float("nan"), None),
        (float("inf"), None),
        (_Word.HELLO, "hello"),
        (b"caf\xe9", "caf\ufffd"),
        ({3, 1, 2}, [1, 2, 3]),
        ((1, [2]), [1, [2]]),
        ({1: {None: "x"}}, {"1": {"None": "x"}}),
        (_Pair(1, _Pair(2, None)), {"left": 1, "right": {"left": 2, "right": None}}),
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02 00:00:00+00:00"),
        (PurePosixPath("a/b"), "a/b"),
    ],
)
def test_to_json(value: object, expected: object) -> None:
    """Everything becomes what JSON can say."""
    assert to_json(value) == expected
    json.dumps(to_json(value), allow_nan=False)


def test_refers_to_itself() -> None:
    """A value that contains itself comes to an end."""
    value: list[object] = []
    value.append(value)
    assert TOO_DEEP in json.dumps(to_json(value))


def test_redact() -> None:
    """Fields with names of secrets lose their values at any depth; the others keep theirs."""
    value = to_json({"a": [{"db_password": "x", "key": "y"}], "api-key": {"id": 1}, "token": None})
    assert redact(value) == {
        "a": [{"db_password": "[redacted]", "key": "y"}],
        "api-key": "[redacted]",
        "token": None,
    }
