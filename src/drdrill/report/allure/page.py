"""From the results of a run to its page: the steps of `generate`, each in a module of its own."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drdrill.core.errors import DrdrillError, InvalidInputError, MissingPrerequisiteError, Mistake
from drdrill.report.allure.context import as_properties
from drdrill.report.allure.generator import find_generator
from drdrill.report.allure.history import earlier_runs, remember
from drdrill.report.allure.results import copy_results
from drdrill.report.allure.sealing import seal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class AllurePageError(DrdrillError):
    """Allure's page could not be made. The results are as they were, and so is the verdict."""


@dataclass(frozen=True, slots=True)
class AllurePage:
    """A page that was made: where, of how many tests, of how many bytes."""

    path: Path
    tests: int
    size: int


def generate(
    results: Path,
    target: Path,
    *,
    settings: Path,
    title: str,
    environment: Mapping[str, str],
    executor: Mapping[str, str],
    history: Path | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> AllurePage:
    """Write the page of a run to `target`, replaced in one step; the same results give the same bytes.

    `settings` is the folder with the generator's locks and configuration (`reports/allure/`). With a `history` the
    page shows the runs before this one, and this one is added to it. `tell` is told what takes long. Raises
    `AllurePageError` for whatever goes wrong: its first line says what, the last one what to do.
    """
    results, target, settings = results.absolute(), target.absolute(), settings.absolute()
    if not results.is_dir() or not any(results.glob("*-result.json")):
        raise AllurePageError(f"Allure's page was not made: there are no results of Allure in {results}.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".allure-", dir=target.parent) as folder:
            work = Path(folder)
            copied = copy_results(results, work / "results")
            context = {
                "environment.properties": as_properties(environment),
                "executor.json": json.dumps(executor),
            }
            for name, text in context.items():
                (work / "results" / name).write_text(text, encoding="utf-8")
            generator = find_generator(settings, tell=tell)
            past = work / "history.jsonl"
            past.write_text(
                earlier_runs(history, ended_ms=copied.ended_ms) if history else "", encoding="utf-8"
            )
            _configure(work, settings, title=title)
            generator.run(
                "generate", "--config", "allurerc.json", "--output", "page", "results",
                folder=work,
                variables={
                    "DRDRILL_RUN_ENDED_MS": str(copied.ended_ms),
                    "DRDRILL_RESULTS_SHA256": copied.sha256,
                    "ALLURE_READ_CONCURRENCY": "1",  # else the order of reading decides the order on the page
                },
            )  # fmt: skip
            styles = (settings / "page.css").read_text(encoding="utf-8")
            page = seal((work / "page" / "index.html").read_text(encoding="utf-8"), styles).encode()
            _replace(target, page)
            if history:
                remember(history, past.read_text(encoding="utf-8"))
    except (DrdrillError, OSError) as error:
        raise AllurePageError(f"Allure's page was not made: {error}\n{_remedy(error, results)}") from error
    return AllurePage(target, copied.tests, len(page))


def _configure(work: Path, settings: Path, *, title: str) -> None:
    """Write the generator's configuration: the one in `settings`, for this run."""
    path = settings / "allurerc.json"
    try:
        configuration: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise InvalidInputError(
            [Mistake(str(path), error.lineno, "", f"this is not JSON: {error.msg}.")]
        ) from error
    configuration |= {"name": title, "historyPath": str(work / "history.jsonl")}
    (work / "allurerc.json").write_text(json.dumps(configuration), encoding="utf-8")


def _replace(target: Path, content: bytes) -> None:
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    temporary.write_bytes(content)
    temporary.replace(target)


def _remedy(error: Exception, results: Path) -> str:
    if isinstance(error, MissingPrerequisiteError):
        return "Make the page later, where a registry can be reached once: nothing else is lost."
    return f"The results are whole, in {results}: the page can be made again."
