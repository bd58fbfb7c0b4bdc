"""The hooks that pytest calls in every run; from the first `.feature` file on, others do the work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drdrill.pytest_plugin.options import add_options, check_options
from drdrill.pytest_plugin.scenario import scenario_key

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.pytest_plugin.collection import FeatureFile
    from drdrill.pytest_plugin.scenario import CollectedScenario

_FIXTURES = "drdrill.pytest_plugin.fixtures"
_SCENARIOS = "drdrill.pytest_plugin.scenarios"
_ALLURE = "drdrill.pytest_plugin.allure_bridge"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    add_options(parser)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare the hooks that this plugin calls."""
    from drdrill.pytest_plugin import hooks  # noqa: PLC0415 (a module of hooks is handed over as a whole)

    pluginmanager.add_hookspecs(hooks)


def pytest_configure(config: pytest.Config) -> None:
    """Refuse options that name what does not exist, before anything is collected."""
    check_options(config)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> FeatureFile | None:
    """Collect a feature file."""
    if file_path.suffix != ".feature":
        return None
    from drdrill.pytest_plugin.collection import FeatureFile  # noqa: PLC0415 (every run loads this module)

    _activate(parent.config)
    return FeatureFile.from_parent(parent, path=file_path)


def _activate(config: pytest.Config) -> None:
    """Register what runs scenarios: fixtures, outcomes and record, and the bridge if Allure is written."""
    manager = config.pluginmanager
    if manager.has_plugin(_SCENARIOS):
        return
    from drdrill.pytest_plugin import fixtures  # noqa: PLC0415 (every run loads this module)
    from drdrill.pytest_plugin.outcome import ScenarioRuns  # noqa: PLC0415

    manager.register(ScenarioRuns(config), _SCENARIOS)
    if not manager.is_registered(fixtures):
        manager.register(fixtures, _FIXTURES)
    if config.getoption("allure_report_dir", None):
        from drdrill.pytest_plugin.allure_bridge import AllureBridge  # noqa: PLC0415

        manager.register(AllureBridge(config), _ALLURE)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep only the scenarios of the wanted disaster class, and of the wanted names."""
    wanted, names = config.getoption("--drill-class"), config.getoption("--drill-scenario")
    if wanted is None and not names:
        return

    def is_wanted(scenario: CollectedScenario | None) -> bool:
        if scenario is None:
            return False
        return (wanted is None or wanted in scenario.classes) and (not names or scenario.name in names)

    kept: list[pytest.Item] = []
    dropped: list[pytest.Item] = []
    for item in items:
        (kept if is_wanted(item.stash.get(scenario_key, None)) else dropped).append(item)
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept


@pytest.hookimpl(tryfirst=True, optionalhook=True)
def pytest_bdd_apply_tag(tag: str) -> bool | None:
    """Keep tags `key:value` of ours from becoming markers; plain tags stay markers."""
    if ":" not in tag:
        return None
    from drdrill.pytest_plugin.tags import KEYS  # noqa: PLC0415 (every run loads this module)

    return True if tag.partition(":")[0] in KEYS else None
