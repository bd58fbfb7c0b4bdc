"""What the schema of a runbook cannot say: names that name nothing, circles, steps that nobody sees done.

The rules look at what was written, and keep silent about what is missing: the schema speaks of that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from drdrill.plan.checking import check_real_duration
from drdrill.plan.nearest import suggest
from drdrill.plan.objectives import read_duration
from drdrill.plan.runbook import Runbook
from drdrill.plan.runbook_graph import find_cycle
from drdrill.plan.yaml_file import check_model, load_model

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.core.errors import Mistake
    from drdrill.plan.document import Place

Mistakes = Iterator["Mistake"]
_WORK = ("python", "command", "terraform", "manifests")


def load_runbook(path: Path) -> Runbook:
    """Return the runbook in a file. Raises `InvalidInputError` with every mistake in it."""
    return load_model(path, Runbook, rules=check_runbook_document)


def check_runbook(path: Path) -> tuple[Mistake, ...]:
    """Return every mistake in a runbook's file, in the order of the file; none if it can be loaded."""
    return tuple(check_model(path, Runbook, rules=check_runbook_document)[1])


def check_runbook_document(runbook: Place) -> list[Mistake]:
    """Return every mistake in a runbook beyond its schema."""
    steps = runbook.members_at("steps")
    found = [mistake for name, step in steps.items() for mistake in _check_step(runbook, steps, name, step)]
    return found + list(_check_circle(steps))


def _check_step(runbook: Place, steps: dict[str, Place], name: str, step: Place) -> Mistakes:
    yield from _check_needs(steps, name, step)
    action, verify = step.find("action"), step.find("verify")
    is_gate = action is not None and action.find("gate") is not None
    if action is not None:
        yield from _check_one_way(action, (*_WORK, "gate"))
    if verify is not None:
        yield from _check_one_way(verify, _WORK)
    if is_gate and verify is not None:
        yield verify.mistake("a gate is seen to be passed by its answer.", "Remove `verify`.")
    elif action is not None and not is_gate and (verify is None or verify.data is None):
        problem = "nothing observes that this step is done."
        yield step.mistake(problem, "Add `verify`: a command that ends with 0 only when it is done.")
    by = step.find("by")
    if is_gate and by is not None and by.text == "machine":
        yield by.mistake("a gate is answered by a person.", "Write `person`.")
    duration = step.find("duration")
    if duration is not None:
        yield from check_real_duration(duration)
    yield from _check_time(step)
    yield from _check_places(runbook, step)


def _check_places(runbook: Place, step: Place) -> Mistakes:
    first = runbook.find("loses")
    lost = {one.text: one for one in (*runbook.find_all("also_loses"), *([first] if first else []))}
    for place in step.find_all("uses"):
        if place.text and place.text in lost:
            line = lost[place.text].line
            problem = f"this step needs `{place.text}`, which is lost when this runbook runs (line {line})."
            yield place.mistake(problem, "Do it by a path that does not need it.")


def _check_needs(steps: dict[str, Place], name: str, step: Place) -> Mistakes:
    seen: set[str] = set()
    for need in step.find_all("needs"):
        others = [one for one in steps if one != name]
        if need.text == name:
            yield need.mistake("a step cannot need itself.", "Remove it.")
        elif need.text and need.text not in steps:
            yield need.mistake(
                f"there is no step called `{need.text}`.", suggest(need.text, others, what="There are")
            )
        elif need.text in seen:
            yield need.mistake(f"`{need.text}` is listed twice.", "Remove one of the two.")
        seen.add(need.text)


def _check_one_way(work: Place, ways: tuple[str, ...]) -> Mistakes:
    written = [way for way in ways if (place := work.find(way)) is not None and place.data is not None]
    known = " or ".join(f"`{way}`" for way in ways)
    if not work.members and work.data != {}:
        return
    if len(written) > 1:
        named = " and ".join(f"`{way}`" for way in written)
        yield work.mistake(f"this says {named}, and can be only one.", "Make two steps of it.")
    elif not written and not set(work.members) - set(ways):
        yield work.mistake("this does not say what to run.", f"Write {known}.")


def _check_time(step: Place) -> Mistakes:
    within = step.find("within")
    longest = read_duration(within)
    duration = step.find("duration")
    if within is None or longest is None or duration is None:
        return
    # Half of all runs take longer than the typical figure: a limit below it fails more often than not.
    for name in ("typical", "minimum"):
        figure = duration.find(name)
        usual = read_duration(figure)
        if figure is not None and usual is not None and longest < usual:
            problem = f"`{within.text}` is shorter than the {name} duration of `{figure.text}` (line {figure.line})."
            yield within.mistake(problem, "Give the step the time that it takes.")
            return


def _check_circle(steps: dict[str, Place]) -> Mistakes:
    needs = {
        name: [one.text for one in step.find_all("needs") if one.text != name] for name, step in steps.items()
    }
    circle = find_cycle(needs)
    if circle:
        first = steps[circle[0]].find("needs") or steps[circle[0]]
        chain = " needs ".join(f"`{name}`" for name in circle)
        yield first.mistake(f"{chain}: none of them can ever begin.", "Remove one of these needs.")
