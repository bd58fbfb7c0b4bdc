"""Those who followed at the fault: what each would have had, and whose readings tell of a loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.measure.replication import Cut, ReplicationState, find_cut, find_followers, narrow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drdrill.measure.facts import Fault
    from drdrill.measure.replication import Reading


def find_cut_at(readings: tuple[Reading, ...], fault: Fault | None) -> Cut:
    """Return the state of replication at the fault; unknown where there was none."""
    return find_cut(readings, fault.before_ns) if fault else Cut(ReplicationState.UNKNOWN)


def find_every_cut(readings: tuple[Reading, ...], fault: Fault | None) -> dict[str, Cut]:
    """Return of every host that followed at the fault what it would have had, had it taken over alone."""
    if fault is None:
        return {}
    hosts = find_followers(readings, fault.before_ns)
    return {host: find_cut(narrow(readings, host), fault.before_ns) for host in hosts}


def narrow_to_successor(
    readings: tuple[Reading, ...], cuts: Mapping[str, Cut], fault: Fault | None, successor: str
) -> tuple[Reading, ...]:
    """Return what readings say of an asynchronous replica, where that took over and no standby in sync did."""
    cut = cuts.get(successor)
    if fault is None or cut is None or cut.state is not ReplicationState.ASYNCHRONOUS:
        return readings
    before = tuple(one for one in readings if one.at_ns <= fault.before_ns)
    return (*narrow(before, successor), *readings[len(before) :])  # later, others follow the successor
