"""The one way in this house to read a YAML file of a user: all of its mistakes at once, each with its line.

    load_model(path, Workload)      # the model, or InvalidInputError with every mistake
    check_model(path, Workload)     # (the model or None, the mistakes)

`rules` look at what was written (a `Place`), not at the model: so they find their mistakes also in a file
that the schema refuses. What a rule says of a field replaces what the schema says of it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from drdrill.core.errors import InvalidInputError, Mistake
from drdrill.plan.document import Place, TooLargeError, TreeBuilder
from drdrill.plan.syntax import describe_syntax_error
from drdrill.plan.wording import Shape, describe_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

_LARGEST_BYTES = 1_000_000  # PyYAML reads about 100 kB a second; no plan has a tenth of it
_UNREADABLE: tuple[tuple[type[OSError], str, str], ...] = (
    (FileNotFoundError, "there is no such file.", "Check the path."),
    (IsADirectoryError, "this is a directory.", "Name the file in it."),
    (PermissionError, "this file may not be read by this user.", "Change its permissions."),
)

Model = TypeVar("Model", bound=BaseModel)


def load_model(
    path: Path, model: type[Model], *, rules: Callable[[Place], Iterable[Mistake]] | None = None
) -> Model:
    """Return what the file says as `model`. Raises `InvalidInputError` with every mistake of the file."""
    loaded, mistakes = check_model(path, model, rules=rules)
    if loaded is None:
        raise InvalidInputError(mistakes)
    return loaded


def check_model(
    path: Path, model: type[Model], *, rules: Callable[[Place], Iterable[Mistake]] | None = None
) -> tuple[Model | None, list[Mistake]]:
    """Return the model, None if there is any mistake, and all mistakes in the order of the file."""
    root, mistakes = read_document(path)
    if root is None:
        return None, mistakes
    loaded, from_schema = _validate(root, model)
    for more in ([] if rules is None else rules(root), from_schema, _find_ambiguous(root)):
        taken = {(mistake.line, mistake.field) for mistake in mistakes}
        mistakes += [found for found in more if (found.line, found.field) not in taken]
    mistakes.sort(key=lambda mistake: mistake.line)
    return (None if mistakes else loaded), mistakes


def read_document(path: Path) -> tuple[Place | None, list[Mistake]]:
    """Return the file as a tree of places, None if it is not YAML, and the mistakes that are YAML's own."""
    file = str(path)
    text = _read_text(path)
    if isinstance(text, Mistake):
        return None, [text]
    builder = TreeBuilder(file)
    try:
        node = yaml.SafeLoader(text).get_single_node()
        if node is None:
            return None, [Mistake(file, 0, "", "the file is empty.", "Write the fields into it.")]
        return builder.build(node), builder.mistakes
    except yaml.YAMLError as error:
        return None, [describe_syntax_error(error, file, text)]
    except (RecursionError, TooLargeError):
        return None, [Mistake(file, 0, "", "this is nested too deeply, or too large, to be read.")]
    except (ValueError, OverflowError):  # PyYAML's own, on escapes and directives with impossible numbers
        problem = "this is not valid YAML: an escape (`\\U…`) or a directive (`%…`) has an impossible number."
        return None, [Mistake(file, 0, "", problem)]


def _read_text(path: Path) -> str | Mistake:
    file = str(path)
    try:
        with path.open("rb") as stream:
            content = stream.read(_LARGEST_BYTES + 1)
    except (OSError, ValueError) as error:
        return _describe_unreadable(error, file)
    if len(content) > _LARGEST_BYTES:
        return Mistake(file, 0, "", "this file is larger than 1 MB.", "Is it the right file?")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return Mistake(file, line, "", "this is not text in UTF-8.", "Save the file as UTF-8.")
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        return Mistake(file, line, "", "this is a binary file, not text.", "Is it the right file?")
    return text


def _describe_unreadable(error: OSError | ValueError, file: str) -> Mistake:
    for kind, problem, remedy in _UNREADABLE:
        if isinstance(error, kind):
            return Mistake(file, 0, "", problem, remedy)
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return Mistake(file, 0, "", f"this file cannot be read: {reason}.")


def _validate(root: Place, model: type[Model]) -> tuple[Model | None, list[Mistake]]:
    # Through JSON: there strict validation still takes enums, dates and tuples as what YAML can say.
    try:
        return model.model_validate_json(json.dumps(root.data), strict=True), []
    except ValidationError as error:
        shape = Shape.of_model(model)
        return None, describe_errors(error.errors(include_url=False), root, shape)


def _find_ambiguous(root: Place) -> Iterable[Mistake]:
    for place in root.walk():
        if place.ambiguous:
            problem = f"`{place.text}` is {place.ambiguous} to some readers of YAML, and not to others."
            yield place.mistake(problem, f'If it is meant as text, put it in quotes: "{place.text}".')
