"""What those were told who stand inside each region and write there by that region's own way.

They come to no verdict of their own: their acknowledgements are among those that the two-writers watch puts in order,
and their rows among those that are compared. Here it is asked whether somebody watched at all: its positive control.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from drdrill.core.clock import NANOSECONDS
from drdrill.core.verdict import Verdict
from drdrill.measure.history import NEVER, resolve
from drdrill.measure.reason import Finding, Reason
from drdrill.measure.regions import region_of
from drdrill.record.ledger import ClientKind, Outcome, outcomes_of, servers_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from drdrill.measure.clientele import Clientele
    from drdrill.measure.facts import Facts, Fault
    from drdrill.record.ledger import ClientLedger

LOST_WITH_ITS_REGION = "region_power_loss"  # the one fault that ends the machine on which a watcher stands
_ASKED_NS = 10 * NANOSECONDS  # a watcher asks once a second, and a request takes 2 s at most
# A service that is deployed anew, or waits for its database, does not answer meanwhile. Where none is ready the load
# balancer says so itself (seen for 22 s, in a region that comes and goes): it handed nothing on, and nobody wrote.
_SILENT_NS = 20 * NANOSECONDS


@dataclass(frozen=True, slots=True)
class Watch:
    """What was watched in one region. Times are boot-time ns; None: never.

    `refused`: definitely not done, or never sent. `heard_ns`: when the region itself first answered, whatever it said;
    `served_ns`: when it first acknowledged a write. `answers_ns`: all moments at which the region's services answered;
    `turned_away_ns`: at which its load balancer did, for none of them was there.
    """

    region: str
    clients: tuple[str, ...]
    asked: int
    acknowledged: int
    refused: int
    unknown: int
    first_acknowledged_ns: int | None
    last_acknowledged_ns: int | None
    last_asked_ns: int | None
    heard_ns: int | None
    served_ns: int | None
    answers_ns: tuple[int, ...] = ()
    turned_away_ns: tuple[int, ...] = ()

    def seen_ns(self, serving: str) -> int | None:
        """Return since when it is known to see its region; `serving`: the one that serves before the fault."""
        return self.served_ns if self.region == serving else self.heard_ns


def read_watches(ledgers: Sequence[ClientLedger], clientele: Clientele) -> tuple[Watch, ...]:
    """Return what was watched in each region in which somebody was to."""
    regions: dict[str, list[str]] = {}
    for name, region in clientele.watchers.items():
        regions.setdefault(region, []).append(name)
    by_name = {one.client.name: one for one in ledgers if one.client.kind is ClientKind.WATCHER}
    return tuple(
        _read_watch(region, names, [by_name[name] for name in names if name in by_name], clientele)
        for region, names in regions.items()
    )


def _read_watch(
    region: str, names: Sequence[str], ledgers: Sequence[ClientLedger], clientele: Clientele
) -> Watch:
    histories = [resolve(ledger) for ledger in ledgers]
    answered = [_read_own_answers(ledger, region, clientele) for ledger in ledgers]
    heard = _join([times for times, _ in answered])
    served = _join([times[done] for times, done in answered])
    first = _join([one.acknowledged_ns[one.acknowledged] for one in histories])
    last = _join([one.last_acknowledged_ns[one.acknowledged] for one in histories])
    asked = _join([ledger.attempts["at_ns"].astype(np.int64) for ledger in ledgers])
    return Watch(
        region=region,
        clients=tuple(names),
        asked=sum(len(one.acknowledged) for one in histories),
        acknowledged=len(first),
        refused=sum(int(np.count_nonzero(one.refused)) for one in histories),
        unknown=sum(int(np.count_nonzero(one.unknown)) for one in histories),
        first_acknowledged_ns=_first(first),
        last_acknowledged_ns=_last(last),
        last_asked_ns=_last(asked),
        heard_ns=_first(heard),
        served_ns=_first(served),
        answers_ns=tuple(np.sort(heard).tolist()),
        turned_away_ns=tuple(np.sort(_join([_read_turned_away(one) for one in ledgers])).tolist()),
    )


def _read_own_answers(
    ledger: ClientLedger, region: str, clientele: Clientele
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return when a zone of the region answered, and of each answer whether a write was acknowledged."""
    zones = clientele.zones_of(ledger.client.name)
    own = [number for number, zone in enumerate(zones, start=1) if region_of(zone) == region]
    outcomes = ledger.outcomes
    there = np.isin(servers_of(outcomes["code"]), own)
    times = outcomes["at_ns"][there].astype(np.int64)
    return times, outcomes_of(outcomes["code"][there]) == Outcome.ACKNOWLEDGED


def _read_turned_away(ledger: ClientLedger) -> NDArray[np.int64]:
    """Return when a write was definitely not done, and no service had said so."""
    codes = ledger.outcomes["code"]
    away = (outcomes_of(codes) == Outcome.REJECTED) & (servers_of(codes) == 0)
    times: NDArray[np.int64] = ledger.outcomes["at_ns"][away].astype(np.int64)
    return times


def _join(parts: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate([np.empty(0, np.int64), *parts])


def _first(times: NDArray[np.int64]) -> int | None:
    return int(times.min(initial=NEVER)) if len(times) else None


def _last(times: NDArray[np.int64]) -> int | None:
    return int(times.max(initial=0)) if len(times) else None


def check_watches(
    watches: Sequence[Watch], facts: Facts, serving: str, healing_ns: int | None
) -> Iterator[Reason]:
    """Demand that each watcher was served in its region before the fault, and watched on while that had power.

    Where a region does not serve, an answer of its own that says so is what shows that the watcher reaches it.
    `healing_ns`: when somebody began to give back what was lost; None: nobody did.
    """
    fault = facts.fault
    for one in watches:
        seen_ns = one.seen_ns(serving)
        if fault is None or seen_ns is None or seen_ns > fault.before_ns:
            yield Reason(
                Verdict.INVALID,
                "nobody_watched",
                f"The watcher in {one.region} was never {'served' if one.region == serving else 'answered'} there "
                "before the fault: nobody watched whether two regions write at a time.",
            )
            continue
        stopped_ns = facts.load_stopped_ns
        lost = _is_lost(one, fault)
        if stopped_ns is None or (lost and (healing_ns is None or healing_ns > stopped_ns)):
            continue
        unasked_ns = stopped_ns - (one.last_asked_ns or 0)
        heard_ns = sorted((*one.answers_ns, *one.turned_away_ns))
        silence_ns = 0 if lost else _longest_silence(heard_ns, fault.before_ns, stopped_ns)
        if unasked_ns > _ASKED_NS:
            text = f"nobody watched for the last {unasked_ns / NANOSECONDS:.0f} s before users left"
        elif silence_ns > _SILENT_NS:
            text = f"nobody who watched was answered for {silence_ns / NANOSECONDS:.0f} s"
        else:
            continue
        yield Reason(
            Verdict.INCONCLUSIVE,
            "watched_in_part",
            f"In {one.region}, which had power, {text}: whether two regions wrote at a time is not known.",
        )


def find_watches(watches: Sequence[Watch], facts: Facts, healing_ns: int | None) -> Iterator[Finding]:
    """Yield which regions were given back, and not seen to answer before users left: they were no danger yet."""
    for one in watches:
        if facts.fault is None or healing_ns is None or not _is_lost(one, facts.fault):
            continue
        if not any(at_ns > healing_ns for at_ns in one.answers_ns):
            yield Finding(
                "returned_unheard",
                f"{one.region} was given its power back, and its services answered nobody before users left.",
            )


def _is_lost(watch: Watch, fault: Fault) -> bool:
    """Tell whether those who watch lost their power with their region."""
    return (fault.kind, fault.resource) == (LOST_WITH_ITS_REGION, watch.region)


def _longest_silence(answers_ns: Sequence[int], from_ns: int, until_ns: int) -> int:
    """Return the longest time without an answer between two moments."""
    moments = [from_ns, *(one for one in answers_ns if from_ns < one < until_ns), until_ns]
    return max(later - earlier for earlier, later in pairwise(moments))
