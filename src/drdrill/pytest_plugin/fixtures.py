"""The fixtures that scenarios and their steps ask for.

Registered at the first `.feature` file of a run, by `plugin.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drdrill.core.errors import UsageError
from drdrill.pytest_plugin.options import DrillOptions, read_options
from drdrill.pytest_plugin.scenario import drill_directory_key, interrupted_key, scenario_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pytest_bdd.parser import Step

    from drdrill.drill import Drill


drill_key = pytest.StashKey["Drill"]()
"""The drill of a scenario, while its steps run."""


def pytest_bdd_step_error(request: pytest.FixtureRequest, step: Step, exception: Exception) -> None:
    """Note in the drill's journal which step of the scenario failed: a drill that broke on its way is never MET."""
    drill = request.node.stash.get(drill_key, None)
    if drill is not None:
        reason = f"{type(exception).__name__}: {exception}"
        drill.journal.append("step.failed", of="scenario", step=step.name, reason=reason)


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


@pytest.fixture
def drill(request: pytest.FixtureRequest, drill_options: DrillOptions) -> Iterator[Drill]:
    """Give a scenario its drill: begun when its steps start, ended whatever became of them."""
    from drdrill.drill import Drill, DrillRequest  # noqa: PLC0415 (a run without scenarios needs none of it)

    item = request.node
    scenario = item.stash[scenario_key]
    if scenario.name is None:
        raise UsageError(
            f"{scenario.file}:{scenario.line}: a drill needs the tag `@scenario:NAME` of the plan."
        )
    begun = Drill(
        DrillRequest(
            scenario=scenario.name,
            environment=drill_options.environment,
            root=drill_options.rootdir,
            plan=drill_options.plan,
            reports=drill_options.reports,
            seed=drill_options.seed,
            mirror=drill_options.mirror,
            title=scenario.title,
            steps=scenario.steps,
            failover_command=drill_options.failover_command,
            failover_event=drill_options.failover_event,
        )
    )
    item.stash[drill_directory_key] = begun.directory.path
    item.stash[drill_key] = begun
    try:
        begun.begin()
        request.config.hook.pytest_drill_begun(directory=begun.directory.path, title=scenario.title)
        yield begun
    finally:
        begun.end(interrupted=request.config.stash.get(interrupted_key, None))
