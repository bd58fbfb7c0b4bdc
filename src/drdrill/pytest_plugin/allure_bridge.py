"""Shows a scenario in Allure as people wrote it: Given/When/Then as steps, tags as labels.

allure-pytest alone knows nothing of Gherkin, and allure-pytest-bdd cannot stand beside it. Registered only
when Allure's results are written.
"""

from __future__ import annotations

import contextlib
import csv
import io
import sys
from typing import TYPE_CHECKING, Any

import allure
import pytest
from allure_commons.model2 import Status, StatusDetails

from drdrill.core.errors import DamagedRecordError
from drdrill.pytest_plugin.outcome import as_broken
from drdrill.pytest_plugin.scenario import drill_directory_key, scenario_key, values_of
from drdrill.record.directory import DrillDirectory, read_json

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from pytest_bdd.parser import Feature, Scenario, Step

_dynamic: Any = allure.dynamic  # it carries no types
_EXAMPLE = "_pytest_bdd_example"
_LINKS = ("issue", "tms", "link")
_LABELS = ("epic", "story", "owner", "clause")


def show_values(values: Mapping[str, object]) -> None:
    """Show measured values as parameters of the running test; they are left out of its history's key."""
    for name, value in values.items():
        _dynamic.parameter(name, _Shown(value), excluded=True)


def attach_drill(directory: DrillDirectory) -> None:
    """Attach to the running test what there is of its drill, whatever became of it, and show its verdict."""
    from drdrill.report.allure import drill_attachments  # noqa: PLC0415 (only runs with a drill need it)

    for one in drill_attachments(directory):
        allure.attach(one.content, name=one.title, attachment_type=allure.attachment_type[one.form])
    with contextlib.suppress(DamagedRecordError):
        show_values({"verdict": read_json(directory.verdict_path)["verdict"]})


class _Shown:
    """A value as people are to read it: Allure shows a parameter's `repr`, which puts texts into quotes."""

    def __init__(self, value: object) -> None:
        self._text = str(value)

    def __repr__(self) -> str:
        return self._text


class AllureBridge:
    """Turns pytest-bdd's hooks into Allure's steps. Scenarios run one at a time: one step is open at most."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._open: Any = None
        self._failed = False

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Hide the parameter that pytest-bdd invents for an example, and show the example's values instead.

        In the set-up, because allure-pytest adds the parameters that are still missing when it ends.
        """
        callspec = getattr(item, "callspec", None)
        if scenario_key not in item.stash or callspec is None or _EXAMPLE not in callspec.params:
            return
        example = callspec.params[_EXAMPLE]
        _dynamic.parameter(_EXAMPLE, example, mode=allure.parameter_mode.HIDDEN)
        for name, value in example.items():
            _dynamic.parameter(name, _Shown(value))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self) -> Generator[None, object, object]:
        """Show a scenario that a signal ended as broken: Allure takes it for skipped, or for passed."""
        try:
            return (yield)
        except BaseException as error:
            listener = self._config.pluginmanager.get_plugin("allure_listener")
            test = listener.allure_logger.get_test(None) if listener is not None else None
            if test is not None:
                test.status = Status.BROKEN
                signal = getattr(error, "signal_name", type(error).__name__)
                test.statusDetails = StatusDetails(message=f"interrupted by {signal}")
            raise

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, object, object]:
        """Attach the drill once its fixture has ended it: before, there is no verdict; after, no test to attach to."""
        try:
            return (yield)
        finally:
            path = item.stash.get(drill_directory_key, None)
            if path is not None and path.is_dir():
                attach_drill(DrillDirectory(path))

    def pytest_bdd_before_scenario(
        self, request: pytest.FixtureRequest, feature: Feature, scenario: Scenario
    ) -> None:
        """Name and label the test."""
        self._open, self._failed = None, False
        collected = request.node.stash.get(scenario_key, None)
        tags = collected.tags if collected is not None else frozenset(feature.tags) | frozenset(scenario.tags)
        _dynamic.feature(feature.name)
        _dynamic.title(scenario.name)
        described = (feature.description, scenario.description)
        _dynamic.description("\n\n".join(text.strip() for text in described if text and text.strip()))
        if scenario.rule is not None and scenario.rule.name and not values_of("story", tags):
            _dynamic.story(scenario.rule.name)
        self._label(tags)

    def _label(self, tags: frozenset[str]) -> None:
        classes = values_of("class", tags)
        if not values_of("epic", tags):
            for each in classes:
                _dynamic.label("epic", each.capitalize())
        for each in classes:
            _dynamic.label("class", each)
        for key in _LABELS:
            for value in values_of(key, tags):
                _dynamic.label(key, value.replace("_", " "))
        for value in values_of("severity", tags):
            _dynamic.severity(value)
        patterns = dict(self._config.getoption("allure_link_pattern", None) or ())
        for key in _LINKS:
            for value in values_of(key, tags):
                # Only an address makes a link: one is in the tag, or the caller gave a pattern for its kind.
                if value.startswith(("http://", "https://")) or key in patterns:
                    _dynamic.link(value, link_type=key, name=value)
                else:
                    _dynamic.label(key, value)

    def pytest_bdd_before_step(self, step: Step) -> None:
        """Open the step, with its table or text attached."""
        self._begin(step)
        if step.datatable is not None:
            allure.attach(
                _as_csv(step.datatable.raw()), name="table", attachment_type=allure.attachment_type.CSV
            )
        if step.docstring:
            allure.attach(step.docstring, name="text", attachment_type=allure.attachment_type.TEXT)

    def pytest_bdd_after_step(self) -> None:
        """Close the step."""
        self._end(None)

    def pytest_bdd_step_error(self, scenario: Scenario, step: Step, exception: BaseException) -> None:
        """Close the step as failed or broken, and show the steps after it as skipped."""
        self._end(exception)
        self._skip_rest(scenario, step)

    def pytest_bdd_step_func_lookup_error(
        self, scenario: Scenario, step: Step, exception: BaseException
    ) -> None:
        """Show a step without a definition as broken, and the steps after it as skipped."""
        self._begin(step)
        self._end(exception)
        self._skip_rest(scenario, step)

    def pytest_bdd_after_scenario(self) -> None:
        """Close a step that ended in a way that pytest-bdd does not report: skipped, or interrupted."""
        if self._open is not None:
            self._end(sys.exc_info()[1])

    def _begin(self, step: Step) -> None:
        self._open = allure.step(f"{step.keyword} {step.name}")
        self._open.__enter__()

    def _end(self, error: BaseException | None) -> None:
        opened, self._open = self._open, None
        if opened is None:
            return
        if error is None:
            opened.__exit__(None, None, None)
        else:
            shown = as_broken(error)
            opened.__exit__(type(shown), shown, error.__traceback__)

    def _skip_rest(self, scenario: Scenario, failed: Step) -> None:
        for step in scenario.steps[scenario.steps.index(failed) + 1 :]:
            self._begin(step)
            self._end(pytest.skip.Exception("not reached"))


def _as_csv(rows: Any) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
