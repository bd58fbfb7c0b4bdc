"""Gates on a page: who has the address may answer, nobody else sees anything, and what is shown is shown as text."""

from __future__ import annotations

import urllib.error
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING

import pytest

from drdrill.plan.runbook import Gate
from drdrill.runbook.page_gates import PageGates
from drdrill.runbook.port import Answer, Ended
from tests.runbook.test_gates import Host

if TYPE_CHECKING:
    from collections.abc import Iterator

_GATE = Gate(role="commander", question="Is the region <lost>?", shows=["health"])


@pytest.fixture
def host() -> Host:
    """Return what starts the probe."""
    return Host()


@pytest.fixture
def gates(host: Host) -> Iterator[PageGates]:
    """Return gates with their page."""
    with PageGates(host) as running:
        yield running


def _ask(url: str, **form: str) -> tuple[int, str]:
    data = urllib.parse.urlencode(form).encode() if form else None
    try:
        with urllib.request.urlopen(url, data, timeout=10) as answer:  # noqa: S310 (the loopback device)
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_an_answer_on_the_page(gates: PageGates, host: Host) -> None:
    """The page shows the question and what its program said, as text; an answer has a name and a reason."""
    asked = gates.ask("declaration", _GATE)
    assert asked.read_answer() is None
    assert "is being asked" in _ask(gates.url)[1]
    host.probe.ended = Ended(1, "region <down>")
    assert asked.read_answer() is None
    page = _ask(gates.url)[1]
    assert "Is the region &lt;lost&gt;?" in page
    assert "region &lt;down&gt;\n(it ended with status 1)" in page
    status, page = _ask(gates.url, step="declaration", answer="yes", who="Almaz", why="both say so")
    assert status == 200
    assert "No gate waits for an answer now." in page
    shown = "region <down>\n(it ended with status 1)"
    assert asked.read_answer() == Answer(approved=True, who="Almaz", why="both say so", shown=shown)


@pytest.mark.parametrize("form", [
    {"step": "declaration", "answer": "yes", "who": "Almaz"},
    {"step": "declaration", "answer": "perhaps", "who": "Almaz", "why": "so"},
    {"step": "another", "answer": "yes", "who": "Almaz", "why": "so"},
])  # fmt: skip
def test_what_is_no_answer(gates: PageGates, form: dict[str, str]) -> None:
    """What lacks a name, a reason or a clear word is refused in words, and the question stays."""
    asked = gates.ask("declaration", _GATE)
    status, page = _ask(gates.url, **form)
    assert status == 409
    assert 'class="problem"' in page
    assert asked.read_answer() is None


def test_who_does_not_have_the_address(gates: PageGates) -> None:
    """Another address shows nothing and answers nothing; the right one answers once."""
    asked = gates.ask("declaration", _GATE)
    there = gates.url.rpartition("/")[0]
    for url in (there, f"{there}/", f"{there}/{'x' * 32}", f"{gates.url}x"):
        assert _ask(url) == (404, "There is nothing here.\n")
        assert _ask(url, step="declaration", answer="yes", who="x", why="x") == (
            404,
            "There is nothing here.\n",
        )
    assert asked.read_answer() is None


def test_a_question_that_is_taken_back(gates: PageGates) -> None:
    """A question that was withdrawn is gone from the page, and takes no answer."""
    gates.ask("declaration", _GATE).withdraw()
    assert "No gate waits" in _ask(gates.url)[1]
    assert _ask(gates.url, step="declaration", answer="yes", who="Almaz", why="late")[0] == 409


def test_what_the_page_may_do(gates: PageGates) -> None:
    """The page loads nothing, runs no script, and gives its address to nobody."""
    with urllib.request.urlopen(gates.url, timeout=10) as answer:  # noqa: S310 (the loopback device)
        headers = dict(answer.headers)
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["Referrer-Policy"] == "no-referrer"
    assert gates.url.startswith("http://127.0.0.1:")
