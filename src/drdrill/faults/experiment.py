"""Our own rules for an experiment's file, each born from something that Chaos Toolkit does silently.

They look at what was written (`Place`), so each mistake has its line. Chaos Toolkit's own validation comes
after.
"""

from __future__ import annotations

import importlib
import inspect
import re
from typing import TYPE_CHECKING

from drdrill.faults.sanitise import is_secret_name
from drdrill.plan.nearest import suggest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from drdrill.core.errors import Mistake
    from drdrill.plan.document import Place

_FIELDS = (
    "title", "description", "version", "tags", "contributions", "extensions", "controls",
    "configuration", "secrets", "steady-state-hypothesis", "method", "rollbacks", "runtime",
)  # fmt: skip
_ACTIVITY_FIELDS = (
    "type",
    "name",
    "ref",
    "provider",
    "tolerance",
    "background",
    "pauses",
    "controls",
    "timeout",
)
_PYTHON_FIELDS = ("type", "module", "func", "arguments", "secrets")
_HYPOTHESIS_FIELDS = ("title", "probes", "controls")
_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
_GIVEN_BY_CHAOSLIB = {"configuration", "secrets"}


def find_mistakes(root: Place) -> list[Mistake]:
    """Return every mistake in an experiment that one of our rules finds, in the order of the file."""
    if not root.members:
        return [root.mistake("an experiment has fields, and here is none.", "Begin with `title:`.")]
    rules = (
        _check_fields,
        _check_healing,
        _check_secrets,
        _check_activities,
        _check_placeholders,
        _check_words,
    )
    return sorted((found for rule in rules for found in rule(root)), key=lambda mistake: mistake.line)


def _check_fields(root: Place) -> Iterator[Mistake]:
    yield from _unknown(root, _FIELDS)
    for name in ("title", "description", "method"):
        place = root.find(name)
        if place is None:
            yield root.mistake(f"the field `{name}` is missing.")
        elif not place.data:
            yield place.mistake("this is empty, and an experiment needs it.")
    for name in ("method", "tags"):
        place = root.find(name)
        if place is not None and place.data and not place.elements:
            yield place.mistake("a list was expected here.", "Begin each entry with `- `.")
    hypothesis = root.find("steady-state-hypothesis")
    if hypothesis is not None:
        yield from _unknown(hypothesis, _HYPOTHESIS_FIELDS)


def _check_healing(root: Place) -> Iterator[Mistake]:
    rollbacks, runtime = root.find("rollbacks"), root.find("runtime")
    if rollbacks is not None and rollbacks.data:
        yield rollbacks.mistake(
            "rollbacks are never run: they would heal before anything is measured, and not after a crash.",
            "Write a second experiment, `<name>.heal.yaml`.",
        )
    if runtime is not None:
        yield runtime.mistake("this block has no effect when drdrill runs the experiment.", "Remove it.")


def _check_secrets(root: Place) -> Iterator[Mistake]:
    remedy = "Take it from the process's environment: {type: env, key: NAME}."
    for target in root.members_at("secrets").values():
        for secret in (
            target.members.values() if target.members and "type" not in target.members else (target,)
        ):
            kind = secret.find("type")
            if kind is None or kind.data not in ("env", "vault"):
                yield secret.mistake(
                    "a secret is written into the file, and would be copied into the journal.", remedy
                )
    written = [
        root.find("configuration"),
        *(activity.find("provider", "arguments") for activity in _activities(root)),
    ]
    for group in filter(None, written):
        for name, place in group.members.items():
            if is_secret_name(name) and place.text and not _PLACEHOLDER.search(place.text):
                yield place.mistake("this looks like a secret, and would be copied into the journal.", remedy)


def _check_activities(root: Place) -> Iterator[Mistake]:
    for activity in _activities(root):
        yield from _unknown(activity, _ACTIVITY_FIELDS)
        provider = activity.find("provider")
        if activity.find("ref") is not None:
            continue
        for name in ("type", "name", "provider"):
            if activity.find(name) is None:
                yield activity.mistake(f"the field `{name}` is missing.")
        kind = activity.find("type")
        if kind is not None and kind.data not in ("action", "probe"):
            yield kind.mistake(
                f"there is no such type as `{kind.text}`.",
                suggest(kind.text, ("action", "probe"), what="Types"),
            )
        if provider is not None:
            yield from _check_provider(activity, provider)


def _check_provider(activity: Place, provider: Place) -> Iterator[Mistake]:
    kind = provider.find("type")
    if kind is None:
        yield provider.mistake("the field `type` is missing.", "Write `type: python`.")
        return
    if kind.data != "python":
        is_action = (place := activity.find("type")) is not None and place.data == "action"
        if kind.data not in ("process", "http"):
            yield kind.mistake(f"there is no such provider as `{kind.text}`.", "Write `python`.")
        elif is_action:
            yield kind.mistake(
                f"an action of the type `{kind.text}` would go past the guard.", "Write `python`."
            )
        return
    yield from _unknown(provider, _PYTHON_FIELDS)
    timeout = activity.find("timeout")
    if timeout is not None:
        yield timeout.mistake(
            "Chaos Toolkit does not enforce a timeout of a Python function.",
            "Give the function its own deadline.",
        )
    yield from _check_function(provider)


def _check_function(provider: Place) -> Iterator[Mistake]:
    module_place, function_place = provider.find("module"), provider.find("func")
    for name, place in (("module", module_place), ("func", function_place)):
        if place is None:
            yield provider.mistake(f"the field `{name}` is missing.")
    if module_place is None or function_place is None:
        return
    try:
        module = importlib.import_module(module_place.text)
    except Exception as error:  # noqa: BLE001 - importing runs somebody's code, which may fail in any way
        yield module_place.mistake(
            f"the module `{module_place.text}` cannot be imported: {error}.",
            "Is the name right, and the top of the drill repository on Python's path?",
        )
        return
    functions = {
        name: member
        for name, member in inspect.getmembers(module, inspect.isfunction)
        if not name.startswith("_")
    }
    function = functions.get(function_place.text)
    if function is None:
        yield function_place.mistake(
            f"`{module_place.text}` has no function `{function_place.text}`.",
            suggest(function_place.text, functions, what="Functions"),
        )
        return
    yield from _check_arguments(provider, function)


def _check_arguments(provider: Place, function: Callable[..., object]) -> Iterator[Mistake]:
    parameters = inspect.signature(function).parameters
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    named = {
        name: parameter
        for name, parameter in parameters.items()
        if parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
    }
    given = provider.members_at("arguments")
    where = provider.find("arguments") or provider
    for name, place in given.items():
        if name not in named and not takes_any:
            yield place.mistake(
                f"`{function.__name__}` has no argument `{name}`.", suggest(name, named, what="Arguments")
            )
    for name, parameter in named.items():
        if parameter.default is parameter.empty and name not in given and name not in _GIVEN_BY_CHAOSLIB:
            yield where.mistake(f"the argument `{name}` of `{function.__name__}` is missing.")


def _check_placeholders(root: Place) -> Iterator[Mistake]:
    known = [*root.members_at("configuration")]
    for target in root.members_at("secrets").values():
        known += target.members
    for name in ("title", "method", "steady-state-hypothesis"):
        place = root.find(name)
        for below in place.walk() if place is not None else ():
            for word in _PLACEHOLDER.findall(below.text):
                if word not in known:
                    yield below.mistake(
                        f"`${{{word}}}` is not declared under `configuration`, and would be passed on as is.",
                        suggest(word, known, what="Declared"),
                    )


def _check_words(root: Place) -> Iterator[Mistake]:
    for place in root.walk():
        if place.ambiguous:
            problem = f"`{place.text}` is {place.ambiguous} to some readers of YAML, and not to others."
            yield place.mistake(problem, f'If it is meant as text, put it in quotes: "{place.text}".')


def _activities(root: Place) -> tuple[Place, ...]:
    found: list[Place] = []
    for place in (root.find("steady-state-hypothesis", "probes"), root.find("method")):
        found += place.elements if place is not None else ()
    return tuple(found)


def _unknown(place: Place, known: Iterable[str]) -> Iterator[Mistake]:
    for name, member in place.members.items():
        if name not in known:
            yield member.mistake(f"there is no field `{name}` here.", suggest(name, known, what="Fields"))
