"""Pydantic's errors, turned into mistakes that say in plain words what was expected and what was found."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from drdrill.core.errors import Mistake
from drdrill.plan.document import Keys, Place, reads_as_other, write_path
from drdrill.plan.nearest import nearest_word, suggest
from drdrill.plan.part import WORDS_OF_PATTERNS, SchemaInOrder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

_SHOWN = 60  # letters of what was found
_TYPES = {
    "string": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "`true` or `false`",
    "list": "a list",
    "tuple": "a list",
    "dict": "a group of named entries",
    "model": "a group of fields",
    "model_attributes": "a group of fields",
    "none_required": "nothing",
}
_BOUNDS = {
    "greater_than": ("gt", "more than {}"),
    "greater_than_equal": ("ge", "at least {}"),
    "less_than": ("lt", "less than {}"),
    "less_than_equal": ("le", "at most {}"),
    "multiple_of": ("multiple_of", "a multiple of {}"),
    "string_too_short": ("min_length", "text of at least {} characters"),
    "string_too_long": ("max_length", "text of at most {} characters"),
    "too_short": ("min_length", "at least {} of them"),
    "too_long": ("max_length", "at most {} of them"),
}


@dataclass(frozen=True, slots=True)
class Shape:
    """The JSON Schema of a model, looked up by path: the names that fit, and what a field means."""

    definitions: dict[str, Any]
    node: dict[str, Any]

    @classmethod
    def of_model(cls, model: type[BaseModel]) -> Self:
        """Return the shape of a model."""
        schema = model.model_json_schema(by_alias=True, schema_generator=SchemaInOrder)
        return cls(schema.get("$defs", {}), schema)

    def at(self, path: Keys) -> Shape:
        """Return the shape below; an empty one where the schema says nothing."""
        shape = self
        for key in path:
            node = shape._resolved()
            if isinstance(key, int):
                below = node.get("items", {})
            else:
                below = node.get("properties", {}).get(key) or node.get("additionalProperties") or {}
                for named in node.get("patternProperties", {}).values():
                    below = below or named
            shape = Shape(self.definitions, below if isinstance(below, dict) else {})
        return shape

    @property
    def fields(self) -> list[str]:
        """Return the names of the fields that fit here."""
        return list(self._resolved().get("properties", {}))

    @property
    def meaning(self) -> str:
        """Return the first sentence of the description, as the end of a sentence: without its full stop."""
        description = self.node.get("description") or self._resolved().get("description", "")
        first: str = description.split(". ")[0].split("\n\n")[0].replace("\n", " ").rstrip(".")
        return first[:1].lower() + first[1:] if first[1:2].islower() or first[1:2] == " " else first

    def example_of(self, name: str) -> str:
        """Return `name: …` as it could be written on one line; `` without an example in the schema."""
        examples = self.node.get("examples") or self._resolved().get("examples")
        return f"`{name}: {_write_flow(examples[0])}`" if examples and name else ""

    def _resolved(self) -> dict[str, Any]:
        node = self.node
        for _ in range(10):  # a reference to an optional list of references is three
            choices = node.get("anyOf") or node.get("allOf") or node.get("oneOf")
            if "$ref" in node:
                node = self.definitions.get(node["$ref"].rsplit("/", 1)[-1], {})
            elif choices:
                node = next((choice for choice in choices if choice.get("type") != "null"), {})
            else:
                break
        return node


def _write_flow(example: Any) -> str:
    if isinstance(example, dict):
        return "{" + ", ".join(f"{key}: {_write_flow(value)}" for key, value in example.items()) + "}"
    if isinstance(example, list):
        return "[" + ", ".join(_write_flow(value) for value in example) + "]"
    return example if isinstance(example, str) else json.dumps(example)


def describe_errors(errors: Sequence[ErrorDetails], root: Place, shape: Shape) -> list[Mistake]:
    """Return the mistakes behind pydantic's errors; a mistyped field and the missing one are one mistake."""
    mistyped: set[Keys] = set()
    for error in errors:
        if error["type"] == "extra_forbidden":
            parent = error["loc"][:-1]
            near = nearest_word(str(error["loc"][-1]), _free_fields(root, shape, parent))
            if near is not None:
                mistyped.add((*parent, near))
    return [
        _describe(error, root, shape)
        for error in errors
        if not (error["type"] == "missing" and error["loc"] in mistyped)
    ]


def _free_fields(root: Place, shape: Shape, parent: Keys) -> list[str]:
    written = root.members_at(*parent)
    return [name for name in shape.at(parent).fields if name not in written]


def _describe(error: ErrorDetails, root: Place, shape: Shape) -> Mistake:
    kind, path = error["type"], error["loc"]
    if path and path[-1] == "[key]":
        path = path[:-1]
        place = root.closest(path)
        return place.mistake(f"`{path[-1]}` cannot be a name here: {_expectation(error, Shape({}, {}))}.")
    place = root.closest(path)
    name = str(path[-1]) if path else ""
    if kind == "missing":
        return _describe_missing(place, path, shape.at(path))
    if kind == "extra_forbidden":
        names = _free_fields(root, shape, path[:-1]) or shape.at(path[:-1]).fields
        return place.mistake(
            f"there is no field `{name}` here.", suggest(name, names, what="What can be added")
        )
    here = shape.at(place.path)
    if place.bracketed and len(place.elements) == 1 and kind != "too_short" and place.elements[0].text:
        inside = place.elements[0].text
        return place.mistake(_end(f"found `[{inside}]` in brackets: {_expectation(error, here)}"))
    found = f"found {show(place)}: "
    if place.data is None:
        found = "nothing is written here: "
    elif kind == "value_error" and not place.text:
        found = ""  # a validator of a whole part says what it found
    remedy = ""
    choices = _choices(error, here)
    near = nearest_word(place.text, choices) if len(choices) > 1 else None
    if near is not None:
        remedy = f"Did you mean `{near}`?"
    elif kind.endswith("_type") and not kind.startswith(("string", "int", "float", "bool")):
        example = here.example_of(name)
        remedy = f"Write it like {example}." if example else ""
    if kind == "string_type" and place.text:
        remedy = f'Put it in quotes: "{place.text}".'
    return place.mistake(_end(found + _expectation(error, here)), remedy)


def _end(sentence: str) -> str:
    return sentence if sentence.endswith("?") else f"{sentence}."


def _describe_missing(parent: Place, path: Keys, here: Shape) -> Mistake:
    name = str(path[-1])
    meaning = f": {here.meaning}" if here.meaning else ""
    example = here.example_of(name)
    remedy = f"Add it, for example {example}." if example else ""
    return Mistake(parent.file, parent.line, write_path(path), f"`{name}` is missing{meaning}.", remedy)


def show(place: Place) -> str:
    """Return what is written at a place, shortened, for a sentence."""
    if place.members:
        return "a group of fields"
    if isinstance(place.data, list):
        return f"a list of {len(place.elements)}" if place.elements else "an empty list"
    if isinstance(place.data, dict):
        return "an empty group"
    text = " ".join(place.text.split())
    if isinstance(place.data, str) and not place.ambiguous and reads_as_other(text):
        return f"""the text `"{text}"`"""
    return f"`{text if len(text) <= _SHOWN else text[: _SHOWN - 1] + '…'}`" if text else "empty text"


def _choices(error: ErrorDetails, here: Shape) -> list[str]:
    if error["type"] not in {"enum", "literal_error"}:
        return []
    node = here._resolved()  # noqa: SLF001 (the same module)
    return [str(choice) for choice in node.get("enum", [node.get("const", "")]) if choice != ""]


def _expectation(error: ErrorDetails, here: Shape) -> str:
    if error["type"] == "value_error":
        return str(error.get("ctx", {}).get("error", error["msg"]))
    expected = _name_expected(error, here)
    return f"expected {expected}" if expected else error["msg"][:1].lower() + error["msg"][1:].rstrip(".")


def _name_expected(error: ErrorDetails, here: Shape) -> str | None:
    kind, context = error["type"], error.get("ctx", {})
    if kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        bound = context.get(key)
        return words.format(f"{bound:g}" if isinstance(bound, float) else bound)
    if kind in {"enum", "literal_error"}:
        choices = _choices(error, here)
        *others, last = [f"`{choice}`" for choice in choices] or [str(context.get("expected", ""))]
        return f"{', '.join(others)} or {last}" if others else last
    if kind == "string_pattern_mismatch":
        pattern = str(context.get("pattern", ""))
        return WORDS_OF_PATTERNS.get(pattern) or here.meaning or f"text that fits `{pattern}`"
    return _TYPES.get(kind.removesuffix("_type").removesuffix("_parsing").removesuffix("_from_float"))
