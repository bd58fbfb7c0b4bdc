"""The fixtures that scenarios and their steps ask for.

Registered at the first `.feature` file of a run, by `plugin.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drdrill.pytest_plugin.options import DrillOptions, read_options

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@pytest.fixture(scope="session")
def drill_options(pytestconfig: pytest.Config) -> DrillOptions:
    """Return what the command line says of drills."""
    return read_options(pytestconfig)


@pytest.fixture
def report_values(pytestconfig: pytest.Config) -> Callable[[Mapping[str, object]], None]:
    """Return the function that shows measured values in Allure; it does nothing while no Allure is written.

    The values are parameters that do not count for the history, or no two runs would be of one test.
    """
    if not pytestconfig.getoption("allure_report_dir", None):
        return lambda _: None
    from drdrill.pytest_plugin.allure_bridge import show_values  # noqa: PLC0415 (imports allure)

    return show_values
