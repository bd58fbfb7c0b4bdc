"""Collects a feature file: its mistakes as one message without a traceback, or its scenarios as tests."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from difflib import get_close_matches
from types import ModuleType
from typing import TYPE_CHECKING

import pytest
import yaml
from pytest_bdd import scenario as bind_scenario
from pytest_bdd.exceptions import GherkinParseError
from pytest_bdd.feature import get_feature
from pytest_bdd.scenario import find_fixturedefs_for_step
from pytest_bdd.steps import step_function_context_registry

from drdrill.core.errors import InvalidInputError, Mistake
from drdrill.pytest_plugin.features import Context, check_feature, read_feature
from drdrill.pytest_plugin.options import read_mistakes_path, read_options
from drdrill.pytest_plugin.scenario import CollectedScenario, scenario_key, values_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from pytest_bdd.parser import Feature, ScenarioTemplate, Step

_context_key = pytest.StashKey[Context]()


class FeatureFile(pytest.Module):
    """A feature file in pytest's tree. A module, because only a module's functions can be parametrised.

    `_getobj` is pytest's place for where a module comes from; there is no public one.
    """

    _templates: dict[str, ScenarioTemplate]

    def _getobj(self) -> ModuleType:
        feature = get_feature(str(self.path.parent), self.path.name)
        module = ModuleType(f"scenarios_of_{_slug(self.path.stem)}", feature.description)
        self._templates = {}
        for template in feature.scenarios.values():
            name = f"test_{_slug(template.name)}"
            while name in self._templates:
                name += "_"
            self._templates[name] = template
            setattr(module, name, _bind(feature, template))
        return module

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        """Collect the scenarios; raises `CollectError` with every mistake of the file."""
        shown = self._shown()
        try:
            document = read_feature(self.path, shown=shown)
        except InvalidInputError as error:
            self._refuse(error.mistakes)
        else:
            context = _context(self.config)
            self._refuse((*check_feature(document, shown=shown, context=context), *self._check_steps(shown)))
        for item in super().collect():
            if isinstance(item, pytest.Function):
                item.stash[scenario_key] = _describe(self._templates[item.originalname], shown)
            yield item

    def _shown(self) -> str:
        root = self.config.rootpath
        return str(self.path.relative_to(root) if self.path.is_relative_to(root) else self.path)

    def _refuse(self, mistakes: Iterable[Mistake]) -> None:
        mistakes = sorted(dict.fromkeys(mistakes), key=lambda mistake: mistake.line)
        if not mistakes:
            return
        record = read_mistakes_path(self.config)
        if record is not None:
            with record.open("a", encoding="utf-8") as stream:
                stream.writelines(json.dumps(asdict(mistake)) + "\n" for mistake in mistakes)
        raise self.CollectError("\n".join(str(mistake) for mistake in mistakes))

    def _check_steps(self, shown: str) -> Iterator[Mistake]:
        """Find steps without a definition, by the same search that pytest-bdd makes when it runs them."""
        try:
            feature = get_feature(str(self.path.parent), self.path.name)
        except GherkinParseError as error:
            yield Mistake(shown, error.line, error.line_content.strip(), error.message)
            return
        manager = self.session._fixturemanager  # noqa: SLF001 (pytest-bdd's search takes it)
        for template in feature.scenarios.values():
            for step in _rendered_steps(template):
                if not any(find_fixturedefs_for_step(step, manager, self)):
                    field = f"{step.keyword} {step.name}"
                    yield Mistake(
                        shown, step.line_number, field, "no step definition matches.", _nearest(step)
                    )


def _rendered_steps(template: ScenarioTemplate) -> Iterator[Step]:
    contexts = [each for examples in template.examples for each in examples.as_contexts()] or [{}]
    for context in contexts:
        yield from template.render(context).steps


def _bind(feature: Feature, template: ScenarioTemplate) -> Callable[..., object]:
    folder, _, name = feature.filename.rpartition("/")

    @bind_scenario(name, template.name, features_base_dir=folder or ".")
    def run_scenario() -> None:
        """Do nothing more: the steps are the test."""

    return run_scenario


def _slug(words: str) -> str:
    return re.sub(r"\W+", "_", words.lower()).strip("_") or "scenario"


def _describe(template: ScenarioTemplate, shown: str) -> CollectedScenario:
    rule = frozenset(template.rule.tags) if template.rule is not None else frozenset()
    tags = frozenset(template.tags) | frozenset(template.feature.tags) | rule
    names = values_of("scenario", tags)
    return CollectedScenario(
        name=names[0] if names else None,
        title=template.name,
        file=shown,
        line=template.line_number,
        tags=tags,
        steps=tuple(f"{step.keyword} {step.name}" for step in template.steps),
    )


def _nearest(step: Step) -> str:
    """Return the remedy: the defined step that is nearest in words, or the one of another kind."""
    same = set()
    for defined in step_function_context_registry.values():
        if defined.type in (step.type, None):
            same.add(defined.parser.name)
        elif defined.parser.is_matching(step.name):
            return f"It is defined as a {str(defined.type).capitalize()} step."
    same.discard("trace")  # pytest-bdd's own
    nearest = get_close_matches(step.name, sorted(same), n=1, cutoff=0.5)
    if nearest:
        return f"Did you mean `{nearest[0]}`?"
    if not same:
        return "No step is defined at all; conftest.py names the step modules in `pytest_plugins`."
    return "Define it in a module of steps/."


def _context(config: pytest.Config) -> Context:
    """Return what features are checked against; read once in a session."""
    if _context_key not in config.stash:
        markers = {re.split(r"[:(]", line, maxsplit=1)[0].strip() for line in config.getini("markers")}
        plan = read_options(config).plan
        root = config.rootpath
        shown = str(plan.relative_to(root) if plan.is_relative_to(root) else plan)
        config.stash[_context_key] = _read_plan(plan, shown, frozenset(markers))
    return config.stash[_context_key]


def _read_plan(plan: Path, shown: str, markers: frozenset[str]) -> Context:
    """Read only the names and classes of the plan's scenarios: the plan's own mistakes are its checker's."""
    try:
        content = yaml.safe_load(plan.read_text(encoding="utf-8"))
        scenarios = {str(name): str(each["class"]) for name, each in content["scenarios"].items()}
    except FileNotFoundError:
        return Context(markers, shown, None, f"the plan {shown} is not there.")
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError, AttributeError):
        problem = f"the scenarios of the plan {shown} cannot be read; `drdrill plan check {shown}` says why."
        return Context(markers, shown, None, problem)
    return Context(markers, shown, scenarios)
