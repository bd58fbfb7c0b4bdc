"""Names in a plan that must name something else in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from drdrill.plan.nearest import suggest

if TYPE_CHECKING:
    from drdrill.core.errors import Mistake
    from drdrill.plan.document import Place

Mistakes = Iterator["Mistake"]
ROUTE53 = "route53"  # the target that is no part of a plan: a service of AWS's for all regions


def check_references(plan: Place) -> Mistakes:
    """Yield every name that names nothing, every circle of dependencies, and what is named twice."""
    tiers, classes = plan.members_at("tiers"), plan.members_at("data_classes")
    services, stores = plan.members_at("services"), plan.members_at("stores")
    steps = plan.members_at("projection", "durations")
    for service in services.values():
        yield from _check_name(service.find("tier"), tiers, "tier")
        yield from _check_names(service.find("stores"), stores, "store")
        yield from _check_names(service.find("depends_on"), services, "service")
    for store in stores.values():
        yield from _check_name(store.find("data_class"), classes, "data class")
    for scenario in plan.members_at("scenarios").values():
        yield from _check_name(scenario.find("service"), services, "service")
        yield from _check_name(scenario.find("store"), stores, "store")
        yield from _check_name(scenario.find("impact", "service"), services, "service")
        yield from _check_judged_besides(scenario, services)
        yield from _check_probed(scenario)
        for path in (scenario.find("critical_path"), scenario.find("loss_path")):
            for step in path.elements if path else ():
                yield from _check_name(step, steps, "step under projection.durations")
        yield from _check_uses(scenario, services, stores)
    yield from _check_circles(services)
    yield from _check_resources(stores)
    yield from _check_targets(plan)


def _check_name(place: Place | None, known: Iterable[str], what: str) -> Mistakes:
    names = list(known)
    # Where nothing is known, the whole section is missing or broken: that is said once, and not here.
    if place is not None and place.text and names and place.text not in names:
        yield place.mistake(
            f"there is no {what} called `{place.text}`.", suggest(place.text, names, what="There are")
        )


def _check_names(places: Place | None, known: Iterable[str], what: str) -> Mistakes:
    names = list(known)
    seen: dict[str, Place] = {}
    for place in places.elements if places else ():
        yield from _check_name(place, names, what)
        if place.text and place.text in seen:
            yield place.mistake(f"`{place.text}` is listed twice.", "Remove one of the two.")
        seen[place.text] = place


def _check_judged_besides(scenario: Place, services: Iterable[str]) -> Mistakes:
    judged = scenario.find("service")
    yield from _check_names(scenario.find("services"), services, "service")
    for place in scenario.find_all("services"):
        if judged is not None and place.text and place.text == judged.text:
            problem = f"`{place.text}` is the scenario's `service` already (line {judged.line})."
            yield place.mistake(problem, "Remove it: these are the others.")


def _check_probed(scenario: Place) -> Mistakes:
    probed = scenario.find("probe_every")
    if probed is None or not probed.members:
        return
    mirror, service = scenario.find("mirror"), scenario.find("service")
    if mirror is None or mirror.text != "system":
        problem = "services are asked alone where the whole system is up, and only databases are."
        yield probed.mistake(problem, "Add `mirror: system`, or remove this.")
    judged = [one.text for one in (service, *scenario.find_all("services")) if one is not None and one.text]
    for name, place in probed.members.items():
        if judged and name not in judged:
            yield place.mistake(
                f"the service `{name}` is not judged by this scenario.",
                suggest(name, judged, what="It judges"),
            )


def _check_uses(scenario: Place, services: dict[str, Place], stores: dict[str, Place]) -> Mistakes:
    service, store = scenario.find("service"), scenario.find("store")
    if not service or not store or service.text not in services or store.text not in stores:
        return
    judged = [service.text, *(one.text for one in scenario.find_all("services") if one.text in services)]
    for name in (needed for one in judged for needed in find_needed(one, services)):
        if store.text in {place.text for place in (services[name].find("stores") or store).elements}:
            return
    yield store.mistake(
        f"neither the service `{service.text}` nor one that it depends on uses the store `{store.text}`.",
        f"Add it to services.{service.text}.stores, or name another store.",
    )


def find_needed(name: str, services: dict[str, Place]) -> set[str]:
    """Return a service and all that it depends on, directly or not."""
    needed, waiting = {name}, [name]
    while waiting:
        for other in _dependencies(services[waiting.pop()]):
            if other.text in services and other.text not in needed:
                needed.add(other.text)
                waiting.append(other.text)
    return needed


def _dependencies(service: Place) -> tuple[Place, ...]:
    depends_on = service.find("depends_on")
    return depends_on.elements if depends_on else ()


def _check_circles(services: dict[str, Place]) -> Mistakes:
    reported: set[frozenset[str]] = set()
    for start in services:
        circle = _find_circle(start, services)
        if circle is None or frozenset(circle) in reported:
            continue
        reported.add(frozenset(circle))
        closing = services[circle[-1]].find("depends_on")
        if closing is None:
            continue
        place = next(place for place in closing.elements if place.text == circle[0])
        if len(circle) == 1:
            yield place.mistake(f"`{start}` depends on itself.", "Remove it.")
        else:
            way = " → ".join(f"`{name}`" for name in (*circle, circle[0]))
            yield place.mistake(f"services depend on each other in a circle: {way}.", "Remove one of these.")


def _find_circle(start: str, services: dict[str, Place]) -> list[str] | None:
    """Return the shortest way from a service back to itself, None if there is none."""
    ways, seen = [[start]], set[str]()
    while ways:
        way = ways.pop(0)
        for place in _dependencies(services[way[-1]]):
            if place.text == start:
                return way
            if place.text in services and place.text not in seen:
                seen.add(place.text)
                ways.append([*way, place.text])
    return None


def _check_resources(stores: dict[str, Place]) -> Mistakes:
    seen: dict[str, Place] = {}
    for store in stores.values():
        resource = store.find("resource")
        if resource is None or not resource.text:
            continue
        if resource.text in seen:
            first = seen[resource.text]
            problem = f"`{resource.text}` is {first.field} too (line {first.line})."
            yield resource.mistake(problem, "Two stores cannot be one resource.")
        seen.setdefault(resource.text, resource)


def _check_targets(plan: Place) -> Mistakes:
    kinds: dict[str, list[str]] = {}
    for name in plan.members_at("stores"):
        kinds.setdefault(name, []).append("store")
    for name in plan.members_at("services"):
        kinds.setdefault(name, []).append("service")
    for region in plan.members_at("regions").values():
        for place in (region.find("name"), *(region.find("zones") or region).elements):
            if place is not None and place.text:
                kinds.setdefault(place.text, []).append("region or zone")
    kinds.setdefault(ROUTE53, []).append("global service of AWS")
    targets = plan.find("safety", "targets")
    yield from _check_names(targets, kinds, "store, service, region or zone")
    for target in targets.elements if targets else ():
        if len(set(kinds.get(target.text, ()))) > 1:
            both = " and a ".join(kinds[target.text])
            yield target.mistake(
                f"`{target.text}` is a {both}.", "Rename one: what may be broken must be plain."
            )
