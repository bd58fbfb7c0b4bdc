"""The nearest right word."""

from __future__ import annotations

import pytest

from drdrill.plan.nearest import nearest_word, suggest


@pytest.mark.parametrize(
    ("word", "known", "near"),
    [
        ("critcal", ["critical", "other"], "critical"),
        ("Non-Critical", ["critical", "non_critical"], "non_critical"),
        ("financial", ["core_financial", "other"], "core_financial"),
        ("normal", ["constant", "uniform", "triangular"], None),
        ("gold", ["critical", "other"], None),
        ("x", [], None),
    ],
)
def test_the_nearest_word_is_alike_or_none(word: str, known: list[str], near: str | None) -> None:
    """A mistyped word finds its original; a word that is like none finds none."""
    assert nearest_word(word, known) == near


def test_without_a_near_word_all_are_listed() -> None:
    """Where nothing is alike, the sentence lists what there is, and says when it does not list all."""
    assert suggest("gold", ["a", "b"], what="There are") == "There are: `a`, `b`."
    many = suggest("gold", [f"n{number}" for number in range(20)], what="There are")
    assert many.startswith("There are, among others: `n0`")
    assert suggest("gold", [], what="There are") == ""
