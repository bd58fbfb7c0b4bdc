"""A test that needs what a machine lacks fails as NOT RUN, unless somebody said that it may be lacking."""

from __future__ import annotations

import pytest
from _pytest.outcomes import Failed, Skipped

from tests.missing import not_run


def test_what_is_missing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a word, and with a word about something else, the run fails and says how it may pass."""
    for allowed in ("", "localstack"):
        monkeypatch.setenv("DRDRILL_ALLOW_MISSING", allowed)
        with pytest.raises(Failed, match=r"NOT RUN: no terraform\. DRDRILL_ALLOW_MISSING=terraform lets"):
            not_run("terraform", "no terraform.")


def test_what_may_be_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where its lack is allowed the test counts as skipped, and says NOT RUN all the same."""
    monkeypatch.setenv("DRDRILL_ALLOW_MISSING", "localstack, terraform")
    with pytest.raises(Skipped, match=r"NOT RUN: no terraform\."):
        not_run("terraform", "no terraform.")
