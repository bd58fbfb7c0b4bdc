"""A YAML file of a user as a tree of places: each value with its line and its path, as the person wrote it.

Only what all readers of YAML understand alike becomes a number or a boolean; a word that YAML 1.1 and 1.2
read differently (`no`, `1:30`, `010`) stays text and is remembered as ambiguous. Knows nothing of plans.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from drdrill.core.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator

Data: TypeAlias = "str | int | float | bool | list[Data] | dict[str, Data] | None"
Keys: TypeAlias = tuple[str | int, ...]

_TAG = "tag:yaml.org,2002:"
_READ_ALIKE = {  # what YAML 1.1 and 1.2 both read as this type
    "null": re.compile(r"~|null|Null|NULL|"),
    "bool": re.compile(r"true|True|TRUE|false|False|FALSE"),
    "int": re.compile(r"[-+]?(0|[1-9][0-9]{0,17})"),
    "float": re.compile(r"[-+]?(0|[1-9][0-9]{0,17})?\.[0-9]+([eE][-+][0-9]{1,3})?"),
}
_ONLY_IN_1_2 = re.compile(r"0o[0-7]+|[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)[eE][-+]?[0-9]+")
_SIMPLE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_DEEPEST = 40  # no file of ours has a tenth of it, and pydantic's JSON reader ends at 200
_MOST_PLACES = 50_000  # aliases can multiply a small file without end


@dataclass(frozen=True, slots=True)
class Place:
    """A value and where it stands. `text` is a scalar as written; `line` counts from 1."""

    file: str
    path: Keys
    line: int
    data: Data
    text: str = ""
    ambiguous: str = ""  # what YAML 1.1 reads here, where 1.2 reads something else
    bracketed: bool = False
    members: dict[str, Place] = field(default_factory=dict)
    elements: tuple[Place, ...] = ()

    @property
    def field(self) -> str:
        """Return the path as people write it: `regions.primary.zones[0]`."""
        return write_path(self.path)

    def find(self, *keys: str | int) -> Place | None:
        """Return the place below this one, or None when nobody wrote it."""
        place: Place | None = self
        for key in keys:
            if place is None:
                return None
            if isinstance(key, str):
                place = place.members.get(key)
            else:
                place = place.elements[key] if key < len(place.elements) else None
        return place

    def closest(self, path: Keys) -> Place:
        """Return the deepest place on the way to `path` that exists."""
        place = self
        for key in path:
            below = place.find(key)
            if below is None:
                break
            place = below
        return place

    def members_at(self, *keys: str | int) -> dict[str, Place]:
        """Return the named entries below, none when they are missing or are not named entries."""
        place = self.find(*keys)
        return place.members if place else {}

    def find_all(self, *keys: str | int) -> tuple[Place, ...]:
        """Return the elements of a list below, none when it is missing or is no list."""
        place = self.find(*keys)
        return place.elements if place else ()

    def walk(self) -> Iterator[Place]:
        """Yield this place and all below it, in the order of the file."""
        yield self
        for below in self.below():
            yield from below.walk()

    def below(self) -> tuple[Place, ...]:
        """Return the named entries, or the elements of the list, directly below this place."""
        return (*self.members.values(), *self.elements)

    def mistake(self, problem: str, remedy: str = "") -> Mistake:
        """Return a mistake at this place."""
        return Mistake(self.file, self.line, self.field, problem, remedy)


def write_path(path: Keys) -> str:
    """Return a path in the way that people write it; a name that is not a plain word is quoted."""
    written = ""
    for key in path:
        if isinstance(key, int):
            written += f"[{key}]"
        else:
            plain = key if _SIMPLE_KEY.fullmatch(key) else json.dumps(key, ensure_ascii=False)
            written += f".{plain}" if written else plain
    return written


def reads_as_other(text: str) -> bool:
    """Return whether a text, were it not in quotes, would be a number, a boolean or nothing."""
    return any(pattern.fullmatch(text) for pattern in _READ_ALIKE.values())


class TooLargeError(Exception):
    """The document is deeper or larger than any file of ours."""


class TreeBuilder:
    """Makes the tree of places from PyYAML's nodes; `mistakes` collects what no reader may guess at."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.mistakes: list[Mistake] = []
        self._places = 0

    def build(self, node: Node, path: Keys = (), line: int = 1) -> Place:
        """Return the place of a node and all below it. Raises `TooLargeError`."""
        self._places += 1
        if len(path) > _DEEPEST or self._places > _MOST_PLACES:
            raise TooLargeError
        if isinstance(node, MappingNode):
            return self._build_mapping(node, path, line)
        if isinstance(node, SequenceNode):
            self._refuse_tag(node, "seq", path, line)
            elements = tuple(
                self.build(below, (*path, number), below.start_mark.line + 1)
                for number, below in enumerate(node.value)
            )
            data: Data = [element.data for element in elements]
            return Place(self.file, path, line, data, bracketed=bool(node.flow_style), elements=elements)
        if isinstance(node, ScalarNode):
            return self._build_scalar(node, path, line)
        raise TypeError(f"PyYAML composed an unknown kind of node: {node!r}")

    def _build_mapping(self, node: MappingNode, path: Keys, line: int) -> Place:
        self._refuse_tag(node, "map", path, line)
        members: dict[str, Place] = {}
        for key_node, value_node in node.value:
            key_line = key_node.start_mark.line + 1
            if not isinstance(key_node, ScalarNode) or not key_node.value:
                self._add(path, key_line, "a name was expected before the `:`.", "Write plain text there.")
                continue
            key = self._clean(key_node.value, path, key_line)
            if key_node.tag == f"{_TAG}merge":
                remedy = "Write the fields out."
                self._add((*path, key), key_line, "merge keys (`<<`) are not read here.", remedy)
                continue
            if key_node.style is None and key_node.tag != f"{_TAG}str":
                problem = f"`{key}` is not text as a name for every reader of YAML."
                self._add((*path, key), key_line, problem, f'Put it in quotes: "{key}".')
            place = self.build(value_node, (*path, key), key_line)
            if key in members:
                self.mistakes.append(_describe_twice(members[key], place))
            else:
                members[key] = place
        return Place(
            self.file, path, line, {key: place.data for key, place in members.items()}, members=members
        )

    def _build_scalar(self, node: ScalarNode, path: Keys, line: int) -> Place:
        text = self._clean(node.value, path, line)
        kind = node.tag.removeprefix(_TAG)
        if node.style is not None or kind == "str":  # quoted, block, or text for PyYAML
            if kind not in {"str", *_READ_ALIKE}:
                self._refuse_tag(node, "str", path, line)
            only_later = node.style is None and _ONLY_IN_1_2.fullmatch(text)
            return Place(self.file, path, line, text, text, "text" if only_later else "")
        alike = _READ_ALIKE.get(kind)
        if alike is None and kind not in {"timestamp", "value"}:
            self._refuse_tag(node, "str", path, line)
        if alike is None or not alike.fullmatch(text):
            return Place(self.file, path, line, text, text, _name_in_1_1(kind, text))
        return Place(self.file, path, line, _construct(kind, text), text)

    def _refuse_tag(self, node: Node, expected: str, path: Keys, line: int) -> None:
        if node.tag != _TAG + expected:
            tag = node.tag.replace(_TAG, "!!")
            self._add(path, line, f"the tag `{tag}` is not read here.", "Write the value without a tag.")

    def _clean(self, text: str, path: Keys, line: int) -> str:
        """Return the text with what cannot be printed replaced; that is a mistake."""
        clean = "".join(
            "\ufffd" if unicodedata.category(letter) in {"Cc", "Cs"} and letter not in "\n\t" else letter
            for letter in text
        )
        if clean != text:
            self._add(path, line, "there is a character in this text that cannot be printed.", "Remove it.")
        return clean

    def _add(self, path: Keys, line: int, problem: str, remedy: str) -> None:
        self.mistakes.append(Mistake(self.file, line, write_path(path), problem, remedy))


def _construct(kind: str, text: str) -> Data:
    if kind == "null":
        return None
    if kind == "bool":
        return text.casefold() == "true"
    if kind == "int":
        return int(text)
    number = float(text)
    return number if math.isfinite(number) else text


def _name_in_1_1(kind: str, text: str) -> str:
    if kind == "bool":
        return "the boolean true" if text.casefold() in {"yes", "on", "y"} else "the boolean false"
    if kind == "int":
        try:
            return f"the number {yaml.SafeLoader('').construct_yaml_int(ScalarNode(_TAG + 'int', text))}"
        except ValueError:
            return "a number"
    return {"float": "a number", "timestamp": "a date"}.get(kind, "something else")


def _describe_twice(first: Place, second: Place) -> Mistake:
    if first.data == second.data:
        return second.mistake(f"this is written twice: also on line {first.line}.", "Remove one of the two.")
    if first.members or first.elements or second.members or second.elements:
        problem = f"this is written twice, with different contents: also on line {first.line}."
        return second.mistake(problem, "Keep one of the two.")
    problem = f"this is written twice: `{second.text}` here, `{first.text}` on line {first.line}."
    return second.mistake(problem, "Keep the one that is right.")
