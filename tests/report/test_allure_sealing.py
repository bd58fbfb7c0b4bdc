"""A sealed page loads nothing: what counts its readers is gone, and the browser is told to refuse the rest."""

from __future__ import annotations

import pytest

from drdrill.report.allure.sealing import POLICY, UnsealedPageError, seal

COUNTING = """
    <script async src="https://www.googletagmanager.com/gtag/js?id=G-1"></script>
    <script>
        function gtag(){dataLayer.push(arguments);}
    </script>
"""
PAGE = """<!DOCTYPE html>
<html><head>
    <meta charset="utf-8">
    <title>A run</title>
</head><body>
    <script>window.allure = {};</script>
    <script   src="data:text/javascript;base64,Z3RhZygp"></script>{more}
    <a href="https://allure.example">Allure</a>
</body></html>
"""


def test_the_scripts_that_count_readers_are_gone_and_nothing_else_is() -> None:
    """The page's own scripts stay, and so do links, which load nothing until somebody follows them."""
    sealed = seal(PAGE.replace("{more}", COUNTING))
    assert "gtag" not in sealed
    assert "window.allure = {}" in sealed
    assert "data:text/javascript" in sealed
    assert 'href="https://allure.example"' in sealed


def test_the_policy_comes_before_everything_that_could_load() -> None:
    """It forbids all by default, names no scheme of a network, and stands before the first script and style."""
    sealed = seal(PAGE.replace("{more}", ""), "p { color: red }")
    assert POLICY.startswith("default-src 'none'")
    assert "http" not in POLICY
    assert "*" not in POLICY
    assert sealed.index(POLICY) < min(sealed.index("<script"), sealed.index("<style>"))
    assert "p { color: red }" in sealed


@pytest.mark.parametrize(
    "remote",
    [
        '<script src="https://cdn.example/a.js"></script>',
        "<link rel=stylesheet href=//cdn.example/a.css>",
        '<img alt="" src="http://cdn.example/a.png">',
        "<iframe src='https://example.org'></iframe>",
    ],
)
def test_a_page_that_would_load_something_is_refused(remote: str) -> None:
    """A later generator that adds something remote is noticed before anybody opens its page."""
    with pytest.raises(UnsealedPageError, match="from outside"):
        seal(PAGE.replace("{more}", remote))


def test_a_page_without_a_place_for_the_policy_is_refused() -> None:
    """No policy, no page."""
    with pytest.raises(UnsealedPageError, match="no place"):
        seal("<html></html>")
