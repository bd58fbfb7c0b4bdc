"""A mistyped experiment gets one clear message for each mistake, with its line, and nothing of it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drdrill.faults.toolkit import check_experiment, check_experiments

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """\
title: a test
description: of the check
configuration:
  store: {type: env, key: DRDRILL_STORE, default: accounts}
method:
  - type: action
    name: break it
    provider:
      type: python
      module: drdrill.faults
      func: inject
      arguments:
        kind: host_power_loss
        store: ${store}
        role: primary
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the experiment stands."""
    return tmp_path / "thing.inject.yaml"


def test_good(path: Path) -> None:
    """An experiment without a mistake gives none."""
    path.write_text(GOOD, encoding="utf-8")
    assert check_experiment(path) == ()


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "words"),
    [
        ("title: a test", "titel: a test", 1, "titel", "Did you mean `title`?"),
        ("title: a test\n", "", 1, "", "the field `title` is missing"),
        ("description: of the check", "description: ''", 2, "description", "this is empty"),
        ("- type: action", "- type: aktion", 6, "method[0].type", "Did you mean `action`?"),
        ("    name: break it\n", "", 6, "method[0]", "the field `name` is missing"),
        ("name: break it", "nam: break it", 7, "method[0].nam", "Did you mean `name`?"),
        ("type: python", "type: pyton", 9, "method[0].provider.type", "no such provider"),
        ("type: python", "type: process", 9, "method[0].provider.type", "past the guard"),
        ("      type: python\n", "", 8, "method[0].provider", "the field `type` is missing"),
        (
            "module: drdrill.faults",
            "module: drdrill.fault",
            10,
            "method[0].provider.module",
            "cannot be imported",
        ),
        ("      module: drdrill.faults\n", "", 8, "method[0].provider", "the field `module` is missing"),
        ("func: inject", "func: injekt", 11, "method[0].provider.func", "Did you mean `inject`?"),
        ("func: inject", "function: inject", 11, "method[0].provider.function", "Did you mean `func`?"),
        ("role: primary", "rolle: primary", 15, "method[0].provider.arguments.rolle", "Did you mean `role`?"),
        (
            "        role: primary\n",
            "",
            12,
            "method[0].provider.arguments",
            "the argument `role` of `inject` is missing",
        ),
        ("${store}", "${stroe}", 14, "method[0].provider.arguments.store", "Did you mean `store`?"),
        (
            "name: break it",
            "name: break it\n    timeout: 5",
            8,
            "method[0].timeout",
            "does not enforce a timeout",
        ),
        ("method:", "rollbacks: [{ref: x}]\nmethod:", 5, "rollbacks", "<name>.heal.yaml"),
        ("method:", "runtime: {hypothesis: {}}\nmethod:", 5, "runtime", "no effect"),
        (
            "method:",
            "secrets: {db: {password: hunter2}}\nmethod:",
            5,
            "secrets.db.password",
            "written into the file",
        ),
        ("method:", "  api_token: abc\nmethod:", 5, "configuration.api_token", "looks like a secret"),
        (
            "role: primary",
            "role: primary\n        password: x",
            16,
            "method[0].provider.arguments.password",
            "looks like",
        ),
        ("role: primary", "role: no", 15, "method[0].provider.arguments.role", "put it in quotes"),
        ("method:", "tags: database\nmethod:", 5, "tags", "a list was expected"),
        ("method:", "tags: [1]\nmethod:", 1, "", "Chaos Toolkit does not accept this"),
        (
            "method:",
            "steady-state-hypothesis: {titel: x}\nmethod:",
            5,
            "steady-state-hypothesis.titel",
            "Did you mean `title`?",
        ),
    ],
)
def test_mistake(path: Path, old: str, new: str, line: int, field: str, words: str) -> None:  # noqa: PLR0917
    """Each mistake is found at its line and field, with what to do about it."""
    assert GOOD.count(old) == 1
    path.write_text(GOOD.replace(old, new), encoding="utf-8")
    mistakes = check_experiment(path)
    found = [mistake for mistake in mistakes if (mistake.line, mistake.field) == (line, field)]
    assert any(words in str(mistake) for mistake in found), "\n".join(map(str, mistakes))


def test_all_at_once(path: Path) -> None:
    """All mistakes come together, in the order of the file."""
    path.write_text(GOOD.replace("title:", "titel:").replace("inject", "injekt"), encoding="utf-8")
    mistakes = check_experiment(path)
    assert len(mistakes) == 3
    assert [mistake.line for mistake in mistakes] == sorted(mistake.line for mistake in mistakes)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "- a\n- b",
        "word",
        "a: [",
        "method: 3",
        "method: [3]\ntitle: x",
        "steady-state-hypothesis: 3",
    ],
)
def test_no_experiment(path: Path, text: str) -> None:
    """Whatever else stands in the file gives a mistake and never a traceback."""
    path.write_text(text, encoding="utf-8")
    assert check_experiment(path)


def test_missing_file(path: Path) -> None:
    """A file that is not there is a mistake."""
    assert "no such file" in str(check_experiment(path)[0])


def test_secrets_from_outside(path: Path) -> None:
    """A secret that comes from the process's environment is in order."""
    declared = "secrets: {db: {password: {type: env, key: HOME}}}\nmethod:"
    path.write_text(GOOD.replace("method:", declared), encoding="utf-8")
    assert check_experiment(path) == ()


def test_folder_pairs(tmp_path: Path) -> None:
    """In a folder every inject needs its heal, and a name that says neither is a mistake."""
    for name in ("one.inject.yaml", "one.heal.yaml", "two.inject.yaml", "three.yaml"):
        (tmp_path / name).write_text(GOOD, encoding="utf-8")
    three, two = check_experiments(tmp_path)
    assert "neither" in str(three)
    assert "there is no `two.heal.yaml` beside it" in str(two)
