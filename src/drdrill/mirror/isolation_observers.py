"""Whether a region is seen to be cut off from everybody outside, or to come and go: never by the injector's means.

From the users' host nothing of it answers; a machine in one of its zones hears all of it, and nothing outside.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from drdrill.core.errors import NotObservedError
from drdrill.core.waiting import wait_until
from drdrill.mirror.fault_observers import answers
from drdrill.mirror.place_faults import observe_lit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from drdrill.mirror.fault_observers import Eyes, Host, Look
    from drdrill.mirror.flapping import Rhythm

_LOOKS_AT_ONCE = 8
_LOOK_EVERY = timedelta(milliseconds=200)
_LATE_SECONDS = 2.0  # a turn comes within 0.1 s, a look takes up to 0.6 s; both wait on a loaded machine
_AWAY_THERE_AWAY = [False, True, False]


def observe_apart(eyes: Eyes, hosts: Sequence[Host], outside: Sequence[Host], zone: str) -> dict[str, Any]:
    """Look at everything that lives there from outside and from a machine in a zone of it, and from that outwards."""
    inside = partial(eyes.from_zone, zone)
    from_outside = _look_at(hosts, eyes.from_outside)
    from_within = _look_at(hosts, inside)
    outwards = _look_at(outside, inside)
    heard = [answers(look) for look in from_within]
    unheard = [not answers(look) for look in (*from_outside, *outwards)]
    return {
        "effective": bool(hosts) and all(heard) and all(unheard),
        "observer": f"TCP connections from {eyes.outside}, and from and to machines in the region",
        "looks": from_outside,
        "looks_in_the_region": from_within,
        "looks_out_of_the_region": outwards,
    }


def observe_joined(eyes: Eyes, hosts: Sequence[Host]) -> dict[str, Any]:
    """Look at everything that lives there from outside: whether all of it says something."""
    return observe_lit(eyes, hosts)


def observe_flapping(eyes: Eyes, apis: Host, rhythm: Rhythm) -> dict[str, Any]:
    """Watch a region's APIs from outside until they were seen away, there again, and away again."""
    turns = _Turns(eyes, apis)
    within = rhythm.away_seconds * 2 + rhythm.there_seconds + _LATE_SECONDS
    return {
        "effective": _comes(lambda: turns.look() == _AWAY_THERE_AWAY, within),
        "observer": f"TCP connections from {eyes.outside}, one after the other",
        "looks": turns.looks,
    }


def observe_steady(eyes: Eyes, apis: Host, rhythm: Rhythm) -> dict[str, Any]:
    """Watch a region's APIs from outside for longer than they were ever there while they came and went."""
    turns = _Turns(eyes, apis)
    gone = _comes(lambda: False in turns.look(), rhythm.there_seconds + _LATE_SECONDS)
    return {"healed": not gone, "turns": turns.looks}


class _Turns:
    """What was seen of somebody who comes and goes: the first look of each turn."""

    def __init__(self, eyes: Eyes, host: Host) -> None:
        self._eyes, self._host = eyes, host
        self.looks: list[dict[str, Any]] = []

    def look(self) -> list[bool]:
        """Look once more; return the turns so far, the last three at most: whether somebody answered."""
        (look,) = _look_at([self._host], self._eyes.from_outside)
        if not self.looks or answers(self.looks[-1]) != answers(look):
            self.looks.append(look)
        seen = [answers(one) for one in self.looks]
        return seen[seen.index(False) :] if False in seen else seen


def _comes(observe: Callable[[], bool], within_seconds: float) -> bool:
    """Tell whether something is seen within a time."""
    try:
        return wait_until(observe, what="a turn", within=timedelta(seconds=within_seconds), every=_LOOK_EVERY)
    except NotObservedError:
        return False


def _look_at(hosts: Sequence[Host], look: Callable[[str], Look]) -> list[dict[str, Any]]:
    """Look at many hosts, several at once: a silent one takes as long as is waited for it."""
    with ThreadPoolExecutor(_LOOKS_AT_ONCE) as pool:
        looks = pool.map(lambda host: look(host["address"]), hosts)
        return [{"host": host["host"], **seen} for host, seen in zip(hosts, looks, strict=True)]
