"""What the schema of a plan cannot say: objectives that contradict, placeholders, figures that cannot be.

Every rule looks at what was written, and keeps silent about what is missing or of the wrong type: the schema
speaks of that. References between the parts are in `references`, objectives in `objectives`, and what the plan's own
mechanisms cannot meet in `mechanisms`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from drdrill.core.errors import Mistake
from drdrill.plan.mechanisms import check_mechanisms
from drdrill.plan.objectives import (
    check_dependencies_are_as_fast,
    check_restated_objectives,
    find_named,
    find_objective,
    read_duration,
)
from drdrill.plan.part import REGION_PATTERN
from drdrill.plan.placeholder import find_placeholder
from drdrill.plan.references import check_references

if TYPE_CHECKING:
    from drdrill.plan.document import Place

Mistakes = Iterator[Mistake]

# Which figures a distribution is made of.
_FIGURES = {
    "constant": ("typical",),
    "uniform": ("minimum", "maximum"),
    "triangular": ("minimum", "typical", "maximum"),
}
_ALL_FIGURES = _FIGURES["triangular"]


def check_plan_document(plan: Place) -> list[Mistake]:
    """Return every mistake in a plan beyond its schema."""
    placeholders = list(_check_placeholders(plan))
    taken = {mistake.field for mistake in placeholders}
    rules = (
        check_restated_objectives,
        check_dependencies_are_as_fast,
        _check_regions,
        _check_availabilities,
        _check_durations,
        _check_impacts,
        _check_recoveries,
        _check_decisions,
        check_references,
    )
    return placeholders + [found for rule in rules for found in rule(plan) if found.field not in taken]


def check_document_and_promises(plan: Place) -> list[Mistake]:
    """Return every mistake in a plan beyond its schema, and every objective that its own mechanisms cannot meet."""
    return [*check_plan_document(plan), *check_mechanisms(plan)]


def _check_placeholders(place: Place) -> Mistakes:
    found = find_placeholder(place.text)
    alone = place.elements[0].text if place.bracketed and len(place.elements) == 1 else ""
    if find_placeholder(alone):
        found = f"[{alone}]"  # `[X hours]`: a list of one for YAML, a placeholder for a person
    if place.path and isinstance(place.path[-1], str):
        found = found or find_placeholder(place.path[-1])
    if found:
        yield place.mistake(f"the placeholder `{found}` is still here.", "Write what it stands for.")
        return
    for below in place.below():
        yield from _check_placeholders(below)


def _check_regions(plan: Place) -> Mistakes:
    seen: dict[str, Place] = {}
    names: dict[str, Place] = {}
    for region in plan.members_at("regions").values():
        name: Place | None = region.find("name")
        if name and not re.fullmatch(REGION_PATTERN, name.text):
            name = None  # the schema speaks of that
        if name:
            if name.text in names:
                first = names[name.text]
                problem = f"`{name.text}` is {first.field} too (line {first.line})."
                yield name.mistake(problem, "The recovery region must be another one.")
                continue
            names[name.text] = name
        for zone in (region.find("zones") or region).elements:
            if not zone.text:
                continue
            if zone.text in seen:
                first = seen[zone.text]
                yield zone.mistake(
                    f"the zone `{zone.text}` is listed already on line {first.line}.", "Remove it."
                )
            elif name and not _is_zone_of(zone.text, name.text):
                remedy = f"Its zones are called `{name.text}a`, `{name.text}b` and so on."
                yield zone.mistake(f"the zone `{zone.text}` is not in the region `{name.text}`.", remedy)
            seen.setdefault(zone.text, zone)


def _is_zone_of(zone: str, region: str) -> bool:
    # `eu-west-1a`; a local zone is `us-west-2-lax-1a`. `eu-west-10a` is in another region than `eu-west-1`.
    return zone.startswith(region) and zone[len(region) :][:1].isalpha() | zone[len(region) :].startswith("-")


def _check_availabilities(plan: Place) -> Mistakes:
    for stated in (plan, *plan.members_at("scenarios").values()):
        yield from _check_availability(stated)
    for scenario in plan.members_at("scenarios").values():
        yield from _check_samples(scenario, scenario.find("availability") or plan.find("availability"))


def _check_samples(scenario: Place, availability: Place | None) -> Mistakes:
    """Yield every service that is asked so seldom that no window of it ever counts."""
    window = read_duration(availability.find("window")) if availability else None
    fewest = availability.find("minimum_samples") if availability else None
    if window is None or fewest is None or not isinstance(fewest.data, int):
        return
    probed = scenario.find("probe_every")
    for name, place in (probed.members if probed else {}).items():
        every = read_duration(place)
        if every and (most := -(-window // every)) < fewest.data:  # as many as `judge_windows` counts
            yield place.mistake(
                f"each cohort asks `{name}` {most} times in a window, and one with fewer than {fewest.data} requests "
                f"does not count (line {fewest.line}).",
                "Ask more often, or lower the `minimum_samples` of the scenario's `availability`.",
            )


def _check_availability(stated: Place) -> Mistakes:
    window = stated.find("availability", "window")
    stability = stated.find("availability", "stability")
    length, stable = read_duration(window), read_duration(stability)
    if window and stability and length is not None and stable is not None and stable < length:
        yield stability.mistake(
            f"`{stability.text}` is shorter than the window of `{window.text}` (line {window.line}).",
            "A service must stay up for at least one window.",
        )


def _check_durations(plan: Place) -> Mistakes:
    for step in plan.members_at("projection", "durations").values():
        yield from check_real_duration(step)


def check_real_duration(step: Place) -> Mistakes:
    """Yield what is wrong with the figures of a distribution of durations."""
    distribution = step.find("distribution")
    wanted = _FIGURES.get(distribution.text) if distribution else None
    if distribution and wanted:
        shape = f"the distribution `{distribution.text}`"
        for figure in _ALL_FIGURES:
            written = step.find(figure)
            if figure in wanted and (written is None or written.data is None):
                yield Mistake(
                    step.file,
                    step.line,
                    f"{step.field}.{figure}",
                    f"{shape} needs `{figure}`.",
                    "Add it.",
                )
            elif figure not in wanted and written is not None and written.data is not None:
                needs = " and ".join(f"`{name}`" for name in wanted)
                yield written.mistake(
                    f"{shape} has no `{figure}`, only {needs}.", "Remove it, or change the distribution."
                )
    yield from _check_order(step)


def _check_order(step: Place) -> Mistakes:
    known = [
        (place, value)
        for name in _ALL_FIGURES
        if (place := step.find(name)) and (value := read_duration(place)) is not None
    ]
    for (lower, low), (upper, high) in pairwise(known):
        if low > high:
            name = lower.path[-1]
            yield upper.mistake(
                f"`{upper.text}` is less than the {name} of `{lower.text}` (line {lower.line}).",
                "Swap or mend them.",
            )
    figures = {place.path[-1]: value for place, value in known}
    if "minimum" in figures and figures["minimum"] == figures.get("maximum"):
        yield step.mistake(
            "minimum and maximum are the same.", "Write `distribution: constant` and `typical`."
        )


def _check_impacts(plan: Place) -> Mistakes:
    for scenario in plan.members_at("scenarios").values():
        impact = scenario.find("impact")
        if impact is None or not impact.members:
            continue
        none, down = impact.find("none"), impact.find("down_at_least")
        nothing = none is not None and none.data is True
        if none and nothing and down and down.data is not None:
            yield impact.mistake(
                f"this says both `none: true` (line {none.line}) and `down_at_least: {down.text}` "
                f"(line {down.line}).",
                "Keep the one that is meant.",
            )
        elif (none is None or none.data is False) and (down is None or down.data is None):
            problem = "this says neither how long users are down nor that they feel nothing."
            yield impact.mistake(problem, "Add `down_at_least: 500 ms`, or `none: true`.")
        limit = find_objective(plan, find_named(plan, impact, "service"), "tier")
        within = limit.find("within") if limit else None
        declared, longest = read_duration(down), read_duration(within)
        if down and within and declared and longest and declared >= longest:
            yield down.mistake(
                f"an outage of at least `{down.text}` can never meet the RTO of `{within.text}` "
                f"(line {within.line}).",
                "Declare a shorter impact.",
            )


def _check_recoveries(plan: Place) -> Mistakes:
    for scenario in plan.members_at("scenarios").values():
        if not scenario.members:
            continue
        path, runbook = scenario.find("critical_path"), scenario.find("runbook")
        steps = path is not None and path.data not in (None, [])
        if runbook is not None and runbook.data is not None and path is not None and steps:
            yield path.mistake(
                f"this and the runbook `{runbook.text}` (line {runbook.line}) both say what recovery waits for.",
                "Keep the one that is meant.",
            )
        elif not steps and (runbook is None or runbook.data is None):
            yield Mistake(
                scenario.file,
                path.line if path else scenario.line,
                f"{scenario.field}.critical_path",
                "`critical_path` is missing: nothing says what recovery waits for.",
                "Add it, for example `critical_path: [database_failover]`, or name the `runbook`.",
            )


def _check_decisions(plan: Place) -> Mistakes:
    """Where the right decision is to stay, a runbook has to come to it, and users and system have to show it."""
    for scenario in plan.members_at("scenarios").values():
        decision = scenario.find("decision")
        if decision is None or decision.text != "stay":
            continue
        none, loss = scenario.find("impact", "none"), scenario.find("loss_path")
        runbook, mirror = scenario.find("runbook"), scenario.find("mirror")
        if runbook is None or runbook.data is None:
            problem = "nothing decides to stay: the scenario has no runbook."
            yield decision.mistake(problem, "Name the `runbook` whose detection has to say no.")
        if none is None or none.data is not True:
            problem = "users who feel the fault are a reason to fail over."
            yield decision.mistake(
                problem, "Declare `impact: {service: …, none: true}`, or leave `decision` out."
            )
        if mirror is None or mirror.text != "system":
            problem = "that nobody failed over is seen of the whole system, and only databases are up."
            yield decision.mistake(problem, "Add `mirror: system`.")
        if loss is not None and loss.elements:
            yield loss.mistake(
                f"nothing is lost where nobody fails over (line {decision.line}).", "Remove it."
            )
