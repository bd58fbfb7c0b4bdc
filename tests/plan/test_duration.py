"""Durations as people write them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from drdrill.plan import parse_duration
from drdrill.plan.duration import format_seconds


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("500 ms", 0.5),
        ("10s", 10),
        ("5 min", 300),
        ("5 m", 300),
        ("1 h 30 min", 5400),
        ("1h30min", 5400),
        (" 1.5 h ", 5400),
        ("2 d", 172800),
        ("0 s", 0),
        (timedelta(seconds=3), 3),
    ],
)
def test_a_duration_with_its_unit_is_read(written: object, seconds: float) -> None:
    """A number with a unit, or several from the greatest unit to the least, is a duration."""
    assert parse_duration(written) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("5", "needs its unit, such as `5 s`, `5 min` or `5 h`"),
        (5, "needs its unit"),
        ("-5 min", "cannot be negative"),
        (-5, "cannot be negative"),
        ("< 1 hour", "did you mean `1 h`?"),
        ("5 Minutes", "did you mean `5 min`?"),
        ("1 month", "expected a duration with its unit"),
        ("1:30", "expected a duration with its unit"),
        ("30 min 1 h", "the greater unit goes first"),
        ("1 h 2 h", "each only once"),
        ("999999999 d", "at most a century"),
        ("99999999999999999999 h", "expected a duration"),
        ("٣ s", "expected a duration"),
        (True, "expected a duration"),
        (None, "expected a duration"),
        ({}, "expected a duration"),
        ("", "expected a duration"),
    ],
)
def test_anything_else_is_refused_with_what_was_expected(written: Any, said: str) -> None:
    """What is not a duration is refused in words that help, never with another error than ValueError."""
    with pytest.raises(ValueError, match=r".") as refused:
        parse_duration(written)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "not known"),
        (0, "0 s"),
        (0.004, "< 0.01 s"),
        (6.634, "6.63 s"),
        (59, "59 s"),
        (59.994, "59.99 s"),
        (59.999, "1 min"),
        (60, "1 min"),
        (136.4, "2 min 16 s"),
        (3599.7, "1 h"),
        (3600, "1 h"),
        (5430, "1 h 30 min 30 s"),
        (90000, "25 h"),
        (3629, "1 h 29 s"),
        (-0.004, "-0.00 s"),
        (-2.5, "-2.50 s"),
        (-136, "-2 min 16 s"),
    ],
)
def test_durations_are_said_as_people_say_them(seconds: float | None, text: str) -> None:
    """Seconds have two digits below a minute, larger units are whole, and what is unknown is said so."""
    assert format_seconds(seconds).replace("\N{NO-BREAK SPACE}", " ") == text
