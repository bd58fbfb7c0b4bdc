"""Allure's page of a run, made after the verdict was told: whatever becomes of it, the verdict stands."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

PAGE_NAME = "allure.html"
SETTINGS = ("reports", "allure")


def make_allure_page(
    root: Path,
    run: Path,
    drills: Sequence[Path],
    *,
    disaster_class: str,
    reports: Path,
    tell: Callable[[str], None],
) -> Path | None:
    """Make the page of the run in directory `run`, and return where it is; None: it was not made, and why was told.

    `root` is the drill repository, whose `reports/allure/` configures the page; the history is kept in `reports`.
    """
    from drdrill.record.directory import DrillDirectory
    from drdrill.report.allure import (
        HISTORY_NAME,
        AllurePageError,
        describe_environment,
        describe_executor,
        generate,
    )

    try:
        page = generate(
            run / "allure-results",
            run / PAGE_NAME,
            settings=root.joinpath(*SETTINGS),
            title=f"Disaster recovery drill: {disaster_class}",
            environment=describe_environment([DrillDirectory(path) for path in drills]),
            executor=describe_executor(f"drdrill run {disaster_class}", os.environ),
            history=reports / HISTORY_NAME,
            tell=tell,
        )
    except AllurePageError as error:
        tell(str(error))
        return None
    except Exception as error:  # noqa: BLE001 (the verdict stands, whatever is wrong with the page)
        tell(f"Allure's page was not made: {type(error).__name__}: {error}")
        return None
    return page.path
