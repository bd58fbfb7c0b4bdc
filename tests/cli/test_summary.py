"""Durations as people read them."""

from __future__ import annotations

import pytest

from drdrill.cli.summary import format_seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "not known"),
        (0, "0 s"),
        (0.004, "0.00 s"),
        (6.634, "6.63 s"),
        (59, "59 s"),
        (59.999, "60.00 s"),
        (60, "1 min"),
        (136.4, "2 min 16 s"),
        (3599.7, "1 h"),
        (3600, "1 h"),
        (5430, "1 h 30 min"),
        (90000, "25 h"),
        (-2.5, "-2.50 s"),
        (-136, "-2 min 16 s"),
    ],
)
def test_durations_are_said_as_people_say_them(seconds: float | None, text: str) -> None:
    """Seconds have two digits below a minute, larger units are whole, and what is unknown is said so."""
    assert format_seconds(seconds).replace("\N{NO-BREAK SPACE}", " ") == text
