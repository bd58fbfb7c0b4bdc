"""PyYAML's words for broken syntax, turned into a person's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yaml import MarkedYAMLError
from yaml.reader import ReaderError

from drdrill.core.errors import Mistake

if TYPE_CHECKING:
    from yaml import YAMLError

# Part of PyYAML's message -> (what is wrong, what to do). The first that fits counts.
_IN_PLAIN_WORDS = (
    ("'\\t'", "there is a tab.", "Indent with spaces."),
    (
        "mapping values are not allowed",
        "there is a `:` where none can be, or the indentation is off.",
        "If the text itself contains `: `, put it in quotes.",
    ),
    ("could not find expected ':'", "there is no `:` after this name, or a line is indented wrongly.", ""),
    (
        "<block end>",
        "this line does not fit the lines above it.",
        "Check its indentation, and the quotes and brackets before it.",
    ),
    ("unexpected end of stream", "this is opened here and never closed.", "Add the closing quote."),
    ("expected ',' or", "a list or a group in brackets is not closed here.", "Add the `,` or the bracket."),
    ("undefined alias", "this `*` refers to nothing.", "If it is meant as text, put it in quotes."),
    ("single document", "a second document begins here (`---`).", "Keep one document in this file."),
    (
        "cannot start any token",
        "no value can begin with this character.",
        "If it is meant as text, put it in quotes.",
    ),
)
_READ_FROM_THE_START = ("unexpected end of stream", "could not find expected ':'")


def describe_syntax_error(error: YAMLError, file: str, text: str) -> Mistake:
    """Return the mistake behind an error of PyYAML; `text` is the file's content."""
    if isinstance(error, ReaderError):
        line = text.count("\n", 0, error.position) + 1
        return Mistake(file, line, "", "there is a character that cannot be printed.", "Remove it.")
    if not isinstance(error, MarkedYAMLError):
        return Mistake(file, 0, "", f"this is not valid YAML: {error}.")
    said = " ".join(filter(None, (error.context, error.problem)))
    mark = error.problem_mark or error.context_mark
    if error.context_mark is not None and any(words in said for words in _READ_FROM_THE_START):
        mark = error.context_mark
    line = mark.line + 1 if mark is not None else 0
    for words, problem, remedy in _IN_PLAIN_WORDS:
        if words in said:
            return Mistake(file, line, "", problem, remedy)
    return Mistake(file, line, "", f"this is not valid YAML: {said}.")
