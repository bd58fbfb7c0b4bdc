"""A feature file as text: what is wrong with it that needs no step definition to see.

Finds all mistakes at once: syntax, tags, scenarios that the plan does not know, and what Gherkin and
pytest-bdd would silently swallow (a mistyped first step becomes description, a second scenario of one name
replaces the first, a scenario without steps passes).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from gherkin.errors import CompositeParserException, ParserError, ParserException
from gherkin.parser import Parser
from pytest_bdd.gherkin_parser import Feature, GherkinDocument

from drdrill.core.errors import InvalidInputError, Mistake
from drdrill.pytest_plugin.options import choices
from drdrill.pytest_plugin.tags import check_tag

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from pytest_bdd.gherkin_parser import Scenario, Tag

_POSITION = re.compile(r"^\(\d+:\d+\): ")
_UNEXPECTED = re.compile(r"expected: (?P<expected>.*?), got '(?P<got>.*)'$", re.DOTALL)
_END = re.compile(r"unexpected end of file, expected: (?P<expected>.*)$")
_TOKENS = {
    "FeatureLine": "`Feature:`",
    "BackgroundLine": "`Background:`",
    "ScenarioLine": "`Scenario:`",
    "RuleLine": "`Rule:`",
    "ExamplesLine": "`Examples:`",
    "StepLine": "a step (Given, When, Then, And, But)",
    "TagLine": "a tag",
    "TableRow": "a row of a table",
    "DocStringSeparator": 'the end of a text (`"""`)',
}
_STEP_WORDS = ("Given", "When", "Then", "And", "But")
_BLOCK_WORDS = ("Feature:", "Background:", "Scenario:", "Scenario Outline:", "Rule:", "Examples:")
_WORDS_OF_PROSE = ("The", "An", "Bit")  # near to a keyword, and right in a description


@dataclass(frozen=True, slots=True)
class Context:
    """What a feature is checked against.

    `scenarios` maps the plan's scenario names to their disaster class; None: the plan could not be read, for
    the reason in `plan_problem`. `markers` are the plain tags that are allowed.
    """

    markers: Collection[str]
    plan: str
    scenarios: Mapping[str, str] | None
    plan_problem: str = ""


@dataclass(frozen=True, slots=True)
class FeatureText:
    """A feature whose syntax is right, and the lines that it was read from."""

    feature: Feature
    lines: tuple[str, ...]


def read_feature(path: Path, *, shown: str) -> FeatureText:
    """Read a feature file; `shown` is its name in messages.

    Raises `InvalidInputError` with all errors of syntax.
    """
    try:
        text = path.read_text(encoding="utf-8")
        document = Parser().parse(text)
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInputError([Mistake(shown, 0, "", f"this file cannot be read: {error}.")]) from error
    except CompositeParserException as error:
        raise InvalidInputError([_syntax(each, shown) for each in error.errors]) from error
    except ParserError as error:
        raise InvalidInputError([_syntax(error, shown)]) from error
    if not document.get("feature"):
        raise InvalidInputError(
            [Mistake(shown, 0, "", "this feature file is empty.", "It begins with `Feature: NAME`.")]
        )
    return FeatureText(GherkinDocument.from_dict(document).feature, tuple(text.splitlines()))


def _syntax(error: ParserError, shown: str) -> Mistake:
    line = error.location["line"] if isinstance(error, ParserException) else 1
    message = _POSITION.sub("", str(error))
    if match := _UNEXPECTED.match(message):
        got = match["got"].splitlines()[0] if match["got"] else ""
        return Mistake(
            shown, line, "", f"`{got}` cannot stand here.", _near_keyword(got) or _expected(match["expected"])
        )
    if match := _END.match(message):
        return Mistake(shown, line, "", "the file ends too early.", _expected(match["expected"]))
    return Mistake(shown, line, "", f"{message[:1].lower()}{message[1:]}.")


def _expected(tokens: str) -> str:
    words = [_TOKENS[token] for each in tokens.split(", ") if (token := each.lstrip("#")) in _TOKENS]
    return f"Expected here: {', '.join(words)}." if words else ""


def _near_keyword(line: str) -> str:
    """Return the remedy for a line that begins with almost a keyword, or nothing."""
    block = ":" in line
    written = line.partition(":")[0] + ":" if block else line.partition(" ")[0]
    known = _BLOCK_WORDS if block else _STEP_WORDS
    if not written[:1].isupper() or written in known or written in _WORDS_OF_PROSE:
        return ""
    nearest = get_close_matches(written, known, n=1, cutoff=0.8)
    return f"Did you mean `{nearest[0]}`?" if nearest else ""


def check_feature(text: FeatureText, *, shown: str, context: Context) -> Iterator[Mistake]:
    """Yield all mistakes of a feature, beside those of its steps."""
    feature, lines = text.feature, text.lines
    yield from _checked_tags(feature.tags, shown, context)
    yield from _swallowed(feature.description, lines, feature.location.line, shown)
    seen: dict[str, int] = {}
    for scenario, above in _scenarios(feature):
        line = scenario.location.line
        yield from _checked_tags(scenario.tags, shown, context)
        yield from _swallowed(scenario.description, lines, line, shown)
        if scenario.name in seen:
            problem = f"the name is taken by the scenario of line {seen[scenario.name]}, which would not run."
            yield Mistake(shown, line, f"Scenario: {scenario.name}", problem, "Give it a name of its own.")
        seen[scenario.name] = line
        if not scenario.steps:
            problem = "this scenario has no steps and would pass without having tried anything."
            yield Mistake(shown, line, f"Scenario: {scenario.name}", problem)
        for examples in scenario.examples:
            for tag in examples.tags:
                problem = "tags of examples are not supported."
                yield Mistake(shown, tag.location.line, tag.name, problem, "Tag the scenario instead.")
        yield from _checked_against_plan([*above, *scenario.tags], scenario, shown, context)
    for child in feature.children:
        if child.rule is not None:
            yield from _checked_tags(child.rule.tags, shown, context)


def _scenarios(feature: Feature) -> Iterator[tuple[Scenario, list[Tag]]]:
    """Yield every scenario with the tags that it inherits."""
    for child in feature.children:
        if child.scenario is not None:
            yield child.scenario, feature.tags
        if child.rule is not None:
            for grandchild in child.rule.children:
                if grandchild.scenario is not None:
                    yield grandchild.scenario, [*feature.tags, *child.rule.tags]


def _checked_tags(tags: list[Tag], shown: str, context: Context) -> Iterator[Mistake]:
    for tag in tags:
        wrong = check_tag(tag.name.lstrip("@"), markers=context.markers)
        if wrong is not None:
            yield Mistake(shown, tag.location.line, tag.name, *wrong)


def _swallowed(description: str, lines: Sequence[str], line: int, shown: str) -> Iterator[Mistake]:
    """Find lines of a description that were meant to be steps. `line` is the line of the keyword above it."""
    problem = "this line counts as description, not as a step."
    for text in description.splitlines():
        remedy = _near_keyword(text.strip())
        if remedy:
            number = lines.index(text, line) + 1  # the parser drops blank lines and comments before it
            yield Mistake(shown, number, text.strip(), problem, remedy)


def _checked_against_plan(
    tags: list[Tag], scenario: Scenario, shown: str, context: Context
) -> Iterator[Mistake]:
    """Check that a drill is a scenario of the plan, and of the disaster class that the plan gives it."""
    values: dict[str, list[tuple[str, int]]] = {"class": [], "scenario": []}
    for tag in tags:
        key, _, value = tag.name.lstrip("@").partition(":")
        if key in values and value:
            values[key].append((value, tag.location.line))
    names, classes = values["scenario"], values["class"]
    field = f"Scenario: {scenario.name}"
    line = scenario.location.line
    if not names:
        if classes:
            problem = f"nothing says which scenario of {context.plan} this drill is."
            yield Mistake(shown, line, field, problem, "Add the tag `@scenario:NAME`.")
        return
    if len(names) > 1:
        yield Mistake(shown, line, field, "more than one tag `@scenario:` applies to it.", "Keep one.")
        return
    ((name, line),) = names
    if context.scenarios is None:
        yield Mistake(shown, line, f"@scenario:{name}", context.plan_problem)
    elif name not in context.scenarios:
        problem = f"{context.plan} has no scenario `{name}`."
        yield Mistake(shown, line, f"@scenario:{name}", problem, choices(name, context.scenarios).strip())
    elif classes and context.scenarios[name] not in {value for value, _ in classes}:
        problem = f"{context.plan} puts this scenario into the class `{context.scenarios[name]}`,"
        yield Mistake(shown, line, f"@scenario:{name}", problem, f"the feature says `{classes[0][0]}`.")
