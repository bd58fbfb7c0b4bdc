"""Reading any YAML file of a user: whatever is wrong becomes a mistake with its place, in plain words."""

from __future__ import annotations

from datetime import date  # noqa: TC003 (pydantic reads it)
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Self

import pytest
from pydantic import Field, model_validator

from drdrill.core.errors import InvalidInputError, Mistake
from drdrill.plan import Duration, Name, Part, check_model, load_model

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Colour(StrEnum):
    """An enum of the test's model."""

    RED = "red"
    GREEN = "green"


class Paint(Part):
    """A part of the test's model."""

    colour: Annotated[Colour, Field(examples=["red"])]
    """The colour of the paint."""
    litres: Annotated[float, Field(gt=0)] = 1.0
    """How much of it."""


class House(Part):
    """The test's model: a field of every kind that our files use."""

    name: str
    """The house's name."""
    rooms: Annotated[int, Field(ge=1)] = 1
    heated: bool = False
    built: date | None = None
    warm_up: Duration | None = None
    paints: dict[Name, Paint] = Field(default_factory=dict)
    streets: list[str] = Field(default_factory=list)
    low: int = 0
    high: int = 1

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low > self.high:
            raise ValueError("low is above high")
        return self


@pytest.fixture
def check(tmp_path: Path) -> Callable[[str | bytes], list[tuple[int, str, str]]]:
    """Return a function that gives (line, field, problem and remedy) of each mistake in a House."""

    def check_text(content: str | bytes) -> list[tuple[int, str, str]]:
        path = tmp_path / "house.yaml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        loaded, mistakes = check_model(path, House)
        assert (loaded is None) == bool(mistakes)
        assert all(mistake.file == str(path) for mistake in mistakes)
        return [
            (mistake.line, mistake.field, f"{mistake.problem} {mistake.remedy}".strip())
            for mistake in mistakes
        ]

    return check_text


def test_a_right_file_is_loaded(tmp_path: Path) -> None:
    """Numbers, booleans, dates, durations, enums and nested parts come out as the model's types."""
    path = tmp_path / "house.yaml"
    path.write_text(
        "\ufeff# a house\nname: 'no'\nrooms: 3\nheated: true\nbuilt: '2020-02-29'\nwarm_up: 5 min\n"
        "paints:\n  door: {colour: green, litres: 2}\nstreets:\n  - a\n",
        encoding="utf-8",
    )
    house = load_model(path, House)
    assert (house.name, house.rooms, house.heated, str(house.built)) == ("no", 3, True, "2020-02-29")
    assert str(house.warm_up) == "0:05:00"
    assert house.paints["door"].colour is Colour.GREEN


CASES = {
    "unknown field": ("naem: x\n", 1, "naem", "there is no field `naem` here. Did you mean `name`?"),
    "missing field": ("rooms: 1\n", 1, "name", "`name` is missing: the house's name."),
    "missing deeper": (
        "name: x\npaints:\n  door:\n    litres: 1\n",
        3,
        "paints.door.colour",
        "`colour` is missing: the colour of the paint. Add it, for example `colour: red`.",
    ),
    "enum": (
        "name: x\npaints:\n  door:\n    colour: gren\n",
        4,
        "paints.door.colour",
        "found `gren`: expected `red` or `green`. Did you mean `green`?",
    ),
    "number for text": ("name: 42\n", 1, "name", 'found `42`: expected text. Put it in quotes: "42".'),
    "boolean for text": (
        "name: true\n",
        1,
        "name",
        'found `true`: expected text. Put it in quotes: "true".',
    ),
    "no means false": (
        "name: no\n",
        1,
        "name",
        (
            "`no` is the boolean false to some readers of YAML, and not to others. "
            'If it is meant as text, put it in quotes: "no".'
        ),
    ),
    "on means true": (
        "name: on\n",
        1,
        "name",
        (
            "`on` is the boolean true to some readers of YAML, and not to others. "
            'If it is meant as text, put it in quotes: "on".'
        ),
    ),
    "base sixty": (
        "name: 1:30\n",
        1,
        "name",
        (
            "`1:30` is the number 90 to some readers of YAML, and not to others. "
            'If it is meant as text, put it in quotes: "1:30".'
        ),
    ),
    "yes for a boolean": (
        "name: x\nheated: yes\n",
        2,
        "heated",
        "found `yes`: expected `true` or `false`.",
    ),
    "octal for a number": ("name: x\nrooms: 010\n", 2, "rooms", "found `010`: expected a whole number."),
    "quoted number": ("name: x\nrooms: '3'\n", 2, "rooms", 'found the text `"3"`: expected a whole number.'),
    "fraction": ("name: x\nrooms: 2.5\n", 2, "rooms", "found `2.5`: expected a whole number."),
    "bound": ("name: x\nrooms: 0\n", 2, "rooms", "found `0`: expected at least 1."),
    "key that is a boolean": (
        "name: x\npaints:\n  on: {colour: red}\n",
        3,
        "paints.on",
        '`on` is not text as a name for every reader of YAML. Put it in quotes: "on".',
    ),
    "key that is no name": (
        "name: x\npaints:\n  front door: {colour: red}\n",
        3,
        'paints."front door"',
        (
            "`front door` cannot be a name here: expected a name of letters, digits, `_` and `-` that "
            "begins with a letter or a digit."
        ),
    ),
    "text for a list": ("name: x\nstreets: a\n", 2, "streets", "found `a`: expected a list."),
    "list for text": ("name: [a, b]\n", 1, "name", "found a list of 2: expected text."),
    "wrong element": (
        "name: x\nstreets:\n  - a\n  - 7\n",
        4,
        "streets[1]",
        'found `7`: expected text. Put it in quotes: "7".',
    ),
    "nothing for fields": (
        "name: x\npaints:\n  door:\n",
        3,
        "paints.door",
        "nothing is written here: expected a group of fields.",
    ),
    "a validator of the whole": ("name: x\nlow: 5\n", 1, "", "low is above high."),
    "same twice": (
        "name: x\nname: x\n",
        2,
        "name",
        "this is written twice: also on line 1. Remove one of the two.",
    ),
    "different twice": (
        "name: x\nrooms: 1\nname: y\n",
        3,
        "name",
        "this is written twice: `y` here, `x` on line 1. Keep the one that is right.",
    ),
    "tag": (
        "name: !!python/object:os.system x\n",
        1,
        "name",
        "the tag `!!python/object:os.system` is not read here. Write the value without a tag.",
    ),
    "merge key": (
        "name: x\npaints:\n  <<: {}\n",
        3,
        'paints."<<"',
        "merge keys (`<<`) are not read here. Write the fields out.",
    ),
    "key that is a list": (
        "name: x\n? [a]\n: b\n",
        2,
        "",
        "a name was expected before the `:`. Write plain text there.",
    ),
    "tab": ("name: x\npaints:\n\tdoor: 1\n", 3, "", "there is a tab. Indent with spaces."),
    "colon in text": (
        "name: a: b\n",
        1,
        "",
        (
            "there is a `:` where none can be, or the indentation is off. "
            "If the text itself contains `: `, put it in quotes."
        ),
    ),
    "open quote": (
        "name: x\nstreets: 'abc\n",
        2,
        "",
        "this is opened here and never closed. Add the closing quote.",
    ),
    "open bracket": (
        "name: x\nstreets: [a\nrooms: 1\n",
        3,
        "",
        "a list or a group in brackets is not closed here. Add the `,` or the bracket.",
    ),
    "indentation": (
        "name: x\n  rooms: 1\n",
        2,
        "",
        (
            "there is a `:` where none can be, or the indentation is off. "
            "If the text itself contains `: `, put it in quotes."
        ),
    ),
    "two documents": (
        "name: x\n---\nname: y\n",
        2,
        "",
        "a second document begins here (`---`). Keep one document in this file.",
    ),
    "empty": ("", 0, "", "the file is empty. Write the fields into it."),
    "only a comment": ("# nothing\n", 0, "", "the file is empty. Write the fields into it."),
    "a list": ("- a\n", 1, "", "found a list of 1: expected a group of fields."),
    "binary": (b"\x7fELF\0", 1, "", "this is a binary file, not text. Is it the right file?"),
    "latin-1": (b"rooms: 1\nname: caf\xe9\n", 2, "", "this is not text in UTF-8. Save the file as UTF-8."),
    "control character": (
        "rooms: 1\nname: \x07\n",
        2,
        "",
        "there is a character that cannot be printed. Remove it.",
    ),
    "lone surrogate": (
        'name: "\\ud800"\n',
        1,
        "name",
        "there is a character in this text that cannot be printed. Remove it.",
    ),
    "too deep": ("[" * 5000, 0, "", "this is nested too deeply, or too large, to be read."),
    "holds itself": ("name: &a [*a]\n", 0, "", "this is nested too deeply, or too large, to be read."),
    "impossible escape": (
        'name: "\\UFFFFFFFF"\n',
        0,
        "",
        "this is not valid YAML: an escape (`\\U…`) or a directive (`%…`) has an impossible number.",
    ),
    "too large": (b"#" * 1_000_001, 0, "", "this file is larger than 1 MB. Is it the right file?"),
}


@pytest.mark.parametrize(("content", "line", "field", "said"), CASES.values(), ids=CASES.keys())
def test_each_mistake_has_its_place_and_plain_words(
    check: Callable[[str | bytes], list[tuple[int, str, str]]],
    content: str | bytes,
    line: int,
    field: str,
    said: str,
) -> None:
    """One thing is wrong: exactly one mistake says so, with its line, its field, and what was expected."""
    assert check(content) == [(line, field, said)]


def test_aliases_that_multiply_are_refused(
    check: Callable[[str | bytes], list[tuple[int, str, str]]],
) -> None:
    """A small file that would grow without end is refused, not expanded."""
    bomb = "a0: &a0 [x]\n" + "".join(
        f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 10)
    )
    assert check(bomb) == [(0, "", "this is nested too deeply, or too large, to be read.")]


def test_all_mistakes_come_at_once_in_the_order_of_the_file(
    check: Callable[[str | bytes], list[tuple[int, str, str]]],
) -> None:
    """Mistakes of YAML, of the schema and of ambiguous words are all in one answer."""
    found = check(
        "rooms: 0\nname: off\npaints:\n  door:\n    colour: blu\n    colour: red\nrooms: 2\nsize: 1\n"
    )
    assert [(line, field) for line, field, _ in found] == [
        (1, "rooms"),
        (2, "name"),
        (5, "paints.door.colour"),
        (6, "paints.door.colour"),
        (7, "rooms"),
        (8, "size"),
    ]


def test_a_file_that_cannot_be_read_is_a_mistake(tmp_path: Path) -> None:
    """A missing file, a directory and an impossible path are said by name."""
    (tmp_path / "file").write_text("name: x\n", encoding="utf-8")
    for path, said in (
        (tmp_path / "nowhere.yaml", "there is no such file. Check the path."),
        (tmp_path, "this is a directory. Name the file in it."),
        (tmp_path / "file" / "below", "this file cannot be read: Not a directory."),
    ):
        loaded, mistakes = check_model(path, House)
        assert loaded is None
        assert [str(mistake) for mistake in mistakes] == [f"{path}: {said}"]


def test_loading_raises_every_mistake(tmp_path: Path) -> None:
    """`load_model` raises one error that carries all mistakes and prints one a line."""
    path = tmp_path / "house.yaml"
    path.write_text("rooms: 0\nsize: 1\n", encoding="utf-8")
    with pytest.raises(InvalidInputError) as refused:
        load_model(path, House)
    assert [mistake.field for mistake in refused.value.mistakes] == ["name", "rooms", "size"]
    assert str(refused.value).count("\n") == 2
    assert f"{path}:1: rooms: found `0`: expected at least 1." in str(refused.value)


def test_a_rule_speaks_instead_of_the_schema(tmp_path: Path) -> None:
    """What a rule says of a field replaces the schema's words on it; the schema's other mistakes stay."""
    path = tmp_path / "house.yaml"
    path.write_text("name: x\nrooms: 0\nsize: 1\n", encoding="utf-8")
    _, mistakes = check_model(path, House, rules=lambda root: [root.members["rooms"].mistake("no rooms.")])
    assert mistakes[0] == Mistake(str(path), 2, "rooms", "no rooms.")
    assert [mistake.field for mistake in mistakes] == ["rooms", "size"]
