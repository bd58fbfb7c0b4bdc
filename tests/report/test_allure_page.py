"""The whole way from results to a page that is opened in a browser. The generator is fetched if it is not here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from drdrill.report.allure import AllurePage, AllurePageError, generate
from tests.report.browser import CHROMIUM, Browser

if TYPE_CHECKING:
    from collections.abc import Mapping

SETTINGS = Path(__file__).parents[2] / "reports" / "allure"
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><rect width="9" height="9"/></svg>'
ERRORS = {
    "Objective missed": ("failed", "ObjectiveMissedError"),
    "Inconclusive": ("broken", "InconclusiveError"),
    "Invalid": ("broken", "InvalidDrillError"),
    "Harness broken": ("broken", "EnvironmentFailedError"),
}


def _write_results(folder: Path, *, day: int = 1) -> Path:
    """Write the results of one passed scenario and of one for each kind of failure."""
    folder.mkdir(parents=True)
    (folder / "picture-attachment.svg").write_text(SVG, encoding="utf-8")
    picture = {"name": "Availability", "source": "picture-attachment.svg", "type": "image/svg+xml"}
    _write(folder, day, 0, "All is well", "passed", attachments=[picture],
           parameters=[{"name": "rto of orders", "value": f"{day} s", "excluded": True}])  # fmt: skip
    for number, (kind, (status, error)) in enumerate(ERRORS.items(), start=1):
        message = f"drdrill.core.errors.{error}: it is so."
        _write(folder, day, number, f"Scenario of {kind}", status, statusDetails={"message": message})
    return folder


def _write(folder: Path, day: int, number: int, name: str, status: str, **more: Any) -> None:
    at = 1_700_000_000_000 + day * 86_400_000 + number * 1000
    step = {"name": f"Then {name}", "status": status, "start": at, "stop": at + 5}
    labels = [{"name": "epic", "value": "Zone"}, {"name": "feature", "value": "Zone failure"}]
    result = {
        "uuid": f"{day}-{number}", "name": name, "fullName": name, "historyId": name, "testCaseId": name,
        "status": status, "start": at, "stop": at + 9, "steps": [step], "labels": labels, **more,
    }  # fmt: skip
    (folder / f"{number}-result.json").write_text(json.dumps(result), encoding="utf-8")


def _generate(results: Path, target: Path, history: Path | None = None) -> AllurePage:
    environment: Mapping[str, str] = {"Environment": "embedded", "Real: DNS": "one server"}
    return generate(
        results,
        target,
        settings=SETTINGS,
        title="Drill of a zone",
        environment=environment,
        executor={"name": "drdrill run zone", "type": "drdrill"},
        history=history,
    )


def test_the_same_results_give_the_same_page(tmp_path: Path) -> None:
    """Byte for byte, also when later runs are in the history; each run is remembered once."""
    history = tmp_path / "history.jsonl"
    first, second = (_write_results(tmp_path / str(day), day=day) for day in (1, 2))
    made = _generate(first, tmp_path / "a.html", history)
    _generate(second, tmp_path / "b.html", history)
    _generate(first, tmp_path / "c.html", history)
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "c.html").read_bytes()
    assert len(history.read_text(encoding="utf-8").splitlines()) == 2
    assert (made.tests, made.size) == (5, (tmp_path / "a.html").stat().st_size)
    assert sorted(path.name for path in tmp_path.glob("*.html")) == ["a.html", "b.html", "c.html"]


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium; `./drdrill doctor` says how to get it")
@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_a_page_in_a_browser(tmp_path: Path, width: int, height: int) -> None:
    """It shows categories, steps, figures and pictures, asks for nothing outside and complains of nothing."""
    history = tmp_path / "history.jsonl"
    for day in (1, 2):
        page = _generate(_write_results(tmp_path / str(day), day=day), tmp_path / "page.html", history).path
    with Browser(width=width, height=height) as browser:
        browser.open(f"{page.as_uri()}#categories")
        browser.wait_for("document.body.innerText.includes('Objective missed')")
        shown = browser.evaluate("document.body.innerText")
        for kind in ERRORS:
            assert kind in shown
        assert "Global Errors" not in shown
        browser.open("about:blank")
        browser.open(page.as_uri())
        browser.wait_for("document.body.innerText.includes('All is well')")
        assert "embedded" in browser.evaluate("document.body.innerText")
        _click(browser, "tree-leaf", "All is well")
        browser.wait_for("document.body.innerText.includes('Then All is well')")
        assert "rto of orders" in browser.evaluate("document.body.innerText")
        _click(browser, "test-result-attachment-header", "Availability", within="button")
        browser.wait_for("[...document.images].some(one => one.naturalWidth === 10)")
        _click(browser, "test-result-tab-history", "")
        assert browser.evaluate("document.documentElement.scrollWidth") <= width
        assert browser.outside == []
        assert browser.complaints == []


def _click(browser: Browser, name: str, text: str, *, within: str = "") -> None:
    browser.evaluate(f"""{{
        const all = [...document.querySelectorAll('[data-testid="{name}"]')];
        const one = all.find(each => each.innerText.includes({json.dumps(text)}));
        ({json.dumps(within)} ? one.querySelector({json.dumps(within)}) : one).click();
    }}""")


def test_the_page_says_what_the_browser_is_to_refuse(tmp_path: Path) -> None:
    """No element of the page has a remote source, and the policy stands at its head."""
    text = _generate(_write_results(tmp_path / "1"), tmp_path / "page.html").path.read_text(encoding="utf-8")
    assert "googletagmanager" not in text
    assert text.index("Content-Security-Policy") < 1000


def test_what_goes_wrong_is_one_error_and_leaves_the_old_page(tmp_path: Path) -> None:
    """No results, or damaged ones: the first line says what, and what was there before is still there."""
    target = tmp_path / "page.html"
    target.write_text("old", encoding="utf-8")
    with pytest.raises(AllurePageError, match="there are no results of Allure"):
        _generate(tmp_path / "none", target)
    results = _write_results(tmp_path / "1")
    (results / "0-result.json").write_text("{", encoding="utf-8")
    with pytest.raises(AllurePageError, match=r"^Allure's page was not made: .*0-result\.json"):
        _generate(results, target)
    assert target.read_text(encoding="utf-8") == "old"
