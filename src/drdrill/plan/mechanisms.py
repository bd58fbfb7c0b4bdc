"""Objectives that a plan's own mechanisms cannot meet: snapshots too rare, paths too long, data in one region only.

Every rule compares two things that are both written, and keeps silent where one of them is missing or cannot be read,
and of an objective of nothing, of which the schema speaks.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from drdrill.plan.duration import format_seconds
from drdrill.plan.objectives import find_named, find_objective, read_duration
from drdrill.plan.references import find_needed

if TYPE_CHECKING:
    from drdrill.core.errors import Mistake
    from drdrill.plan.document import Place

Mistakes = Iterator["Mistake"]
_RE_PROTECTION = "re_protection"  # the step under `projection.durations`, and the objective of a scenario


def check_mechanisms(plan: Place) -> Mistakes:
    """Yield every objective that what the plan itself names cannot meet."""
    for name, store in plan.members_at("stores").items():
        yield from _check_snapshots(plan, store)
        yield from _check_copies(plan, name, store)
    for scenario in plan.members_at("scenarios").values():
        yield from _check_critical_path(plan, scenario)
        yield from _check_loss_path(plan, scenario)
        yield from _check_re_protection(plan, scenario)


def _check_snapshots(plan: Place, store: Place) -> Mistakes:
    every, limit = store.find("snapshots_every"), find_objective(plan, store, "data_class")
    interval, most = read_duration(every), read_duration(limit)
    if every is None or limit is None or interval is None or most is None or _is_true(store, "replicated"):
        return
    if interval > most > timedelta():
        yield every.mistake(
            f"the loss of the primary region loses up to `{every.text}` of this store, and its RPO is "
            f"`{limit.text}` (line {limit.line}).",
            f"Copy snapshots at least every {limit.text}, or have a replica follow it in the recovery region and "
            "write `replicated: true`.",
        )


def _check_copies(plan: Place, name: str, store: Place) -> Mistakes:
    replicated, every = store.find("replicated"), store.find("snapshots_every")
    if replicated is None or replicated.data is not False or (every is not None and every.data is not None):
        return
    services = plan.members_at("services")
    users = [
        one
        for one in services
        if any(place.text == name for needed in find_needed(one, services)
               for place in services[needed].find_all("stores"))
    ]  # fmt: skip
    if users:
        named = " and ".join(f"`{one}`" for one in users)
        region = plan.find("regions", "recovery", "name")
        where = f"`{region.text}`" if region else "the recovery region"
        yield replicated.mistake(
            f"this store exists only in the primary region: without that, {named} cannot be brought back.",
            f"Have a replica follow it in {where} and write `true`, or copy snapshots there and add "
            "`snapshots_every`.",
        )


def _check_critical_path(plan: Place, scenario: Place) -> Mistakes:
    # Nothing says which steps come before the declaration: an RTO that counts from there is left to the drill.
    limits = [
        (within, place)
        for service in _find_judged(plan, scenario)
        if (rto := find_objective(plan, service, "tier")) is not None
        and (clock := rto.find("clock")) is not None
        and clock.text == "outage"
        and (place := rto.find("within")) is not None
        and (within := read_duration(place)) is not None
    ]
    if limits:
        yield from _check_sum(
            plan, scenario.find("critical_path"), *min(limits, key=lambda one: one[0]), "RTO"
        )


def _find_judged(plan: Place, scenario: Place) -> list[Place]:
    named = [plan.find("services", place.text) for place in scenario.find_all("services")]
    return [one for one in (find_named(plan, scenario, "service"), *named) if one is not None]


def _check_loss_path(plan: Place, scenario: Place) -> Mistakes:
    limit = find_objective(plan, find_named(plan, scenario, "store"), "data_class")
    most = read_duration(limit)
    if limit is not None and most is not None:
        yield from _check_sum(plan, scenario.find("loss_path"), most, limit, "RPO")


def _check_sum(plan: Place, path: Place | None, most: timedelta, limit: Place, objective: str) -> Mistakes:
    if path is None:
        return
    taken = {step.text: _read_typical(plan, step.text) for step in path.elements}
    known = [taken[step.text] for step in path.elements]
    lengths = [one for one in known if one is not None]
    total = sum(lengths, timedelta())
    if len(lengths) < len(known) or not total > most > timedelta():
        return
    longest = max(taken, key=lambda name: taken[name] or timedelta())
    yield path.mistake(
        f"these steps typically take {_show(total)}, and the {objective} is `{limit.text}` (line {limit.line}).",
        f"Make one faster (`{longest}` takes {_show(taken[longest] or timedelta())}), or change the objective.",
    )


def _check_re_protection(plan: Place, scenario: Place) -> Mistakes:
    limit, usual = scenario.find(_RE_PROTECTION), _read_typical(plan, _RE_PROTECTION)
    most = read_duration(limit)
    if limit is not None and most is not None and usual is not None and usual > most > timedelta():
        step = plan.find("projection", "durations", _RE_PROTECTION) or limit
        yield limit.mistake(
            f"redundancy is typically back after {_show(usual)} ({step.field}, line {step.line}): later than this.",
            "Change one of the two.",
        )


def _read_typical(plan: Place, name: str) -> timedelta | None:
    """Return the typical duration of a step, of a uniform one the middle; None where its figures do not say it."""
    step = plan.find("projection", "durations", name)
    if step is None:
        return None
    distribution = step.find("distribution")
    if distribution is not None and distribution.text == "uniform":
        ends = [read_duration(step.find(end)) for end in ("minimum", "maximum")]
        low, high = ends
        return None if low is None or high is None else (low + high) / 2
    return read_duration(step.find("typical"))


def _show(duration: timedelta) -> str:
    return format_seconds(duration.total_seconds()).replace("\N{NO-BREAK SPACE}", " ")


def _is_true(place: Place, name: str) -> bool:
    below = place.find(name)
    return below is not None and below.data is True
