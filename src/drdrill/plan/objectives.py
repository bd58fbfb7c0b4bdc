"""Objectives in a plan that contradict. Tiers and data classes state them; everything else repeats them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from drdrill.plan.duration import parse_duration

if TYPE_CHECKING:
    from datetime import timedelta

    from drdrill.core.errors import Mistake
    from drdrill.plan.document import Place

Mistakes = Iterator["Mistake"]


def read_duration(place: Place | None) -> timedelta | None:
    """Return the duration that is written at a place, None if there is none."""
    try:
        return None if place is None else parse_duration(place.data)
    except ValueError:
        return None


def check_restated_objectives(plan: Place) -> Mistakes:
    """Yield every objective that says something else than the tier or the class that it repeats."""
    for service in plan.members_at("services").values():
        yield from _compare(find_objective(plan, service, "tier"), service.find("rto"))
    for store in plan.members_at("stores").values():
        yield from _compare(find_objective(plan, store, "data_class"), store.find("rpo"))
    for scenario in plan.members_at("scenarios").values():
        judged, holding = find_named(plan, scenario, "service"), find_named(plan, scenario, "store")
        yield from _compare(find_objective(plan, judged, "tier"), scenario.find("rto"))
        yield from _compare(find_objective(plan, holding, "data_class"), scenario.find("rpo"))


def find_named(plan: Place, place: Place, kind: str) -> Place | None:
    """Return the service or store (`kind`) that a place names, None if there is none."""
    name = place.find(kind)
    return plan.find(f"{kind}s", name.text) if name else None


def find_objective(plan: Place, place: Place | None, kind: str) -> Place | None:
    """Return the objective of a service (`kind`: `tier`) or a store (`data_class`), None if there is none."""
    group = place.find(kind) if place else None
    if group is None:
        return None
    section, objective = {"tier": ("tiers", "rto"), "data_class": ("data_classes", "rpo")}[kind]
    return plan.find(section, group.text, objective)


def _compare(stated: Place | None, restated: Place | None) -> Mistakes:
    if stated is None or restated is None:
        return
    if stated.members or restated.members:
        yield from _compare(stated.find("within"), restated.find("within"))
        one, other = stated.find("clock"), restated.find("clock")
        if one and other and one.data != other.data:
            yield _contradiction(one, other)
        return
    if None not in (first := (read_duration(stated), read_duration(restated))) and first[0] != first[1]:
        yield _contradiction(stated, restated)


def _contradiction(stated: Place, restated: Place) -> Mistake:
    return restated.mistake(
        f"an objective is stated twice and differently: `{restated.text}` here, "
        f"`{stated.text}` in {stated.field} on line {stated.line}.",
        "Make them agree, or remove this one.",
    )


def check_dependencies_are_as_fast(plan: Place) -> Mistakes:
    """Yield every service that must be back before one without which it does not work."""
    for name, service in plan.members_at("services").items():
        own = find_objective(plan, service, "tier")
        for needed in (service.find("depends_on") or service).elements:
            other = find_objective(plan, plan.find("services", needed.text), "tier")
            if own is None or other is None or needed.text == name:
                continue
            limit, slower = read_duration(own.find("within")), read_duration(other.find("within"))
            # A declaration comes after its outage: who counts from there is no faster for that.
            comparable = _data(own, "clock") in (_data(other, "clock"), "outage")
            if comparable and limit is not None and slower is not None and slower > limit:
                yield needed.mistake(
                    f"`{name}` must be back within {_text(own, 'within')}, but depends on `{needed.text}`, "
                    f"which may take {_text(other, 'within')}.",
                    f"Put `{needed.text}` into a tier that is as fast, or remove the dependency.",
                )


def _data(place: Place, key: str) -> object:
    below = place.find(key)
    return below.data if below else None


def _text(place: Place, key: str) -> str:
    below = place.find(key)
    return below.text if below else ""
