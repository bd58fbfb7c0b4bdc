"""Placeholders that somebody meant to fill in."""

from __future__ import annotations

import pytest

from drdrill.plan.placeholder import find_placeholder


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[X hours]", "[X hours]"),
        ("X hours", "X hours"),
        ("tbd", "tbd"),
        ("owner: TBD soon", "TBD"),
        ("TODO", "TODO"),
        ("<name of the owner>", "<name of the owner>"),
        ("xx", "xx"),
        ("XX min", "XX"),
        ("...", "..."),
        ("${REGION}", "${REGION}"),
        ("{{ region }}", "{{ region }}"),
        ("change-me", "change-me"),
    ],
)
def test_a_placeholder_is_found(text: str, found: str) -> None:
    """Each usual way of leaving a gap is seen, alone or inside a text."""
    assert find_placeholder(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "On-call rota <dr@example.com>",
        "see [1]",
        "see [the plan](https://example.com)",
        "RTO < 1 hour and RPO > 0",
        "HTTP 5XX",
        "todo-list service",
        "10 x m5.large",
        "exchange",
        "payments-database",
    ],
)
def test_ordinary_text_is_no_placeholder(text: str) -> None:
    """Addresses, references, comparisons and names that only resemble one are left alone."""
    assert find_placeholder(text) is None
