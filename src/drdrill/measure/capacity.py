"""The whole system as it was seen at a moment: what each region carries, and where users are led.

From the journal's events `system.observed`. A last look that saw nothing is none: an older one does not stand for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from drdrill.core.verdict import Verdict
from drdrill.measure.reason import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from drdrill.record.journal import Event


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a region carries: ready nodes in all; of each deployment the pods that are ready, and that are to be.

    `answers`: whether it could be asked.
    """

    answers: bool
    nodes: int
    pods: Mapping[str, int]
    wanted: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class SystemSeen:
    """The system at a moment: what each region carries, and where the public name leads and whether it answers.

    `primaries`: by store's resource, the zones in which a primary of it is; empty: nobody looked at that.
    """

    regions: Mapping[str, Capacity]
    name: str
    addresses: Mapping[str, bool]
    primaries: Mapping[str, frozenset[str]] = field(default_factory=dict)


def read_system(events: Sequence[Event], moment: str) -> SystemSeen | None:
    """Return what the last look at a moment saw; None: nobody looked, or it could not be seen."""
    looks = [
        one
        for one in events
        if one.kind in ("system.observed", "system.unreadable") and one.data["moment"] == moment
    ]
    if not looks or looks[-1].kind == "system.unreadable":
        return None
    data = looks[-1].data
    regions = {str(name): _capacity(one) for name, one in data["regions"].items()}
    addresses = {str(address): answers is True for address, answers in data["addresses"].items()}
    primaries = {str(name): frozenset(map(str, zones)) for name, zones in data.get("primaries", {}).items()}
    return SystemSeen(regions, str(data["name"]), addresses, primaries)


def _capacity(data: Mapping[str, Any]) -> Capacity:
    ready, wanted = (
        {str(name): int(count) for name, count in data[field].items()} for field in ("ready", "wanted")
    )
    return Capacity(data["answers"] is True, sum(int(one) for one in data["nodes"].values()), ready, wanted)


def check_capacity(
    before: SystemSeen | None, after: SystemSeen | None, primary: str, serving: str
) -> Iterator[Reason]:
    """Demand that the region that is to serve carries in the end what the primary region was to carry before."""
    was = before.regions.get(primary) if before else None
    now = after.regions.get(serving) if after else None
    if was is None or not was.answers or not was.nodes or not was.wanted:
        text = f"Nobody saw what {primary} carried before the fault."
        yield Reason(Verdict.INCONCLUSIVE, "capacity_not_known", text)
    elif now is None:
        text = f"Nobody saw what {serving} carries in the end."
        yield Reason(Verdict.INCONCLUSIVE, "capacity_not_known", text)
    elif not now.answers:
        yield Reason(Verdict.MISSED, "capacity_missing", f"No cluster of {serving} answers in the end.")
    else:
        yield from _compare(was, now, primary, serving)


def _compare(was: Capacity, now: Capacity, primary: str, serving: str) -> Iterator[Reason]:
    if now.nodes < was.nodes:
        yield Reason(
            Verdict.MISSED,
            "capacity_missing",
            f"{serving} has {now.nodes} nodes in the end; {primary} had {was.nodes} before the fault: "
            "it was not scaled up in full.",
        )
    fewer = [
        f"{name.rpartition('/')[2]} {now.pods.get(name, 0)} of {count}"
        for name, count in sorted(was.wanted.items())
        if now.pods.get(name, 0) < count
    ]
    if fewer:
        yield Reason(
            Verdict.MISSED,
            "capacity_missing",
            f"Fewer pods serve in {serving} in the end than in {primary} before the fault: {', '.join(fewer)}.",
        )


def check_way(before: SystemSeen | None, after: SystemSeen | None, *, moved: bool) -> Iterator[Reason]:
    """Demand that users are led somewhere in the end where somebody answers; `moved`: and nowhere that was lost."""
    if after is None:
        return
    if not after.addresses:
        yield Reason(Verdict.MISSED, "led_nowhere", f"{after.name} leads nowhere in the end.")
        return
    dead = sorted(address for address, answers in after.addresses.items() if not answers)
    old = sorted(set(after.addresses) & set(before.addresses)) if before and moved else []
    if dead:
        told = f"leads to {', '.join(dead)} in the end, where nobody answers: users are led to what is lost"
    elif old:
        told = f"leads to {', '.join(old)} in the end, as before the fault: users are led to the region that was lost"
    else:
        return
    yield Reason(Verdict.MISSED, "led_nowhere", f"{after.name} {told}.")
