"""Where a stored verdict differs from what its files give: said by its path, and short enough to be read."""

from __future__ import annotations

from drdrill.measure.comparison import find_differences


def test_each_difference_is_said_by_its_path() -> None:
    """Names that only one has, values that differ, and lists of another length; what is the same is not said."""
    stored = {"a": 1, "b": {"c": [1, 2]}, "d": "x", "e": None}
    computed = {"a": 1, "b": {"c": [1, 3]}, "d": "y", "f": 2}
    assert list(find_differences(stored, computed)) == [
        "b.c[1]: stored 2, computed 3",
        "d: stored 'x', computed 'y'",
        "e: stored None, computed nothing",
        "f: stored nothing, computed 2",
    ]
    assert list(find_differences(stored, stored)) == []


def test_a_long_one_is_cut() -> None:
    """A curve of hundreds of points is told by its begin and its length."""
    (told,) = find_differences({"curve": [0.5] * 400}, {"curve": [0.5] * 399})
    assert len(told) < 450
    assert "… (400 of them), computed [0.5," in told
