"""Durations as people write them: `500 ms`, `5 min`, `1 h 30 min`. In code they are `timedelta`.

A number without a unit is never a duration: nobody can tell an RTO of `5` from another.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

_NUMBER = r"[0-9]{1,9}(?:\.[0-9]{1,6})?"
_UNIT = "ms|s|min|m|h|d"
_PIECE = re.compile(rf"({_NUMBER})\s*({_UNIT})(?![A-Za-z])")
_UNIT_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
DURATION_PATTERN = rf"^\s*(?:{_NUMBER}\s*(?:{_UNIT})\s*)*{_NUMBER}\s*(?:{_UNIT})\s*$"
_WHOLE = re.compile(DURATION_PATTERN)
_LONGEST = timedelta(days=36500)  # a century: nobody means more, and sums of what is less never overflow

_MINUTE, _HOUR = 60, 3600

_EXPECTED = "expected a duration with its unit, such as `500 ms`, `10 s`, `5 min` or `1 h`"
# What people write instead of a unit, and the unit.
_WORDS = {
    "milliseconds": "ms",
    "millisecond": "ms",
    "msec": "ms",
    "seconds": "s",
    "second": "s",
    "secs": "s",
    "sec": "s",
    "minutes": "min",
    "minute": "min",
    "mins": "min",
    "hours": "h",
    "hour": "h",
    "hrs": "h",
    "hr": "h",
    "days": "d",
    "day": "d",
}
_WORDY = re.compile(rf"[<>=≤~\s]*({_NUMBER})\s*([A-Za-z]+)\.?")


def parse_duration(value: Any) -> timedelta:
    """Turn `500 ms`, `5 min`, `1 h`, `1 h 30 min` into a timedelta. Raises ValueError: what was expected."""
    if isinstance(value, timedelta):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise ValueError(_EXPECTED)  # noqa: TRY004 (pydantic turns a ValueError into a mistake)
    text = value.strip()
    if not _WHOLE.fullmatch(text):
        raise ValueError(_explain(text))
    pieces = [(float(number), _UNIT_SECONDS[unit]) for number, unit in _PIECE.findall(text)]
    units = [unit for _, unit in pieces]
    if units != sorted(set(units), reverse=True):
        raise ValueError(f"{_EXPECTED}; the greater unit goes first, and each only once")
    seconds = sum(number * unit for number, unit in pieces)
    if seconds > _LONGEST.total_seconds():
        raise ValueError("expected a duration of at most a century")
    return timedelta(seconds=seconds)


def format_seconds(value: float | None) -> str:
    """Return a duration as people say it: `6.63 s`, `2 min 16 s`, `1 h`; unknown is `not known`."""
    if value is None:
        return "not known"
    if abs(round(value, 2)) < _MINUTE:
        if value and not round(value, 2):  # something is not nothing
            return "<\N{NO-BREAK SPACE}0.01\N{NO-BREAK SPACE}s" if value > 0 else "-0.00\N{NO-BREAK SPACE}s"
        return f"{value:.2f}\N{NO-BREAK SPACE}s" if value % 1 else f"{value:.0f}\N{NO-BREAK SPACE}s"
    sign, whole = ("-" if value < 0 else ""), round(abs(value))
    hours, rest = divmod(whole, _HOUR)
    minutes, seconds = divmod(rest, _MINUTE)
    parts = ((hours, "h"), (minutes, "min"), (seconds, "s"))
    return sign + "\N{NO-BREAK SPACE}".join(
        f"{number}\N{NO-BREAK SPACE}{unit}" for number, unit in parts if number
    )


def format_exactness(value: float) -> str:
    """Return a resolution, which may be far below a hundredth of a second."""
    return f"{value:.2g}\N{NO-BREAK SPACE}s" if value < 1 else format_seconds(value)


def _explain(text: str) -> str:
    if text.startswith("-"):
        return "a duration cannot be negative"
    if re.fullmatch(_NUMBER, text):
        return f"a duration needs its unit, such as `{text} s`, `{text} min` or `{text} h`"
    wordy = _WORDY.fullmatch(text)
    if wordy:
        unit = _WORDS.get(wordy[2].lower(), wordy[2].lower())
        if unit in _UNIT_SECONDS:
            return f"{_EXPECTED}; did you mean `{wordy[1]} {unit}`?"
    return _EXPECTED


def _check_probe_time(value: timedelta) -> timedelta:
    if not timedelta(milliseconds=100) <= value <= timedelta(seconds=10):
        raise ValueError("a time from 100 ms to 10 s was expected")
    return value


def _require_positive(value: timedelta) -> timedelta:
    if value <= timedelta(0):
        raise ValueError("expected a duration of more than zero")
    return value


Duration = Annotated[
    timedelta,
    WithJsonSchema(
        {
            "type": "string",
            "pattern": DURATION_PATTERN,
            "description": "A duration with its unit: `500 ms`, `10 s`, `5 min`, `1 h`, `1 h 30 min`, `2 d`.",
            "examples": ["500 ms", "10 s", "5 min", "1 h", "1 h 30 min"],
        }
    ),
    BeforeValidator(parse_duration),
]
PositiveDuration = Annotated[Duration, AfterValidator(_require_positive)]
ProbeTime = Annotated[Duration, AfterValidator(_check_probe_time)]  # between two requests of a prober
