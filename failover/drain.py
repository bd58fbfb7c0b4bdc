"""Wait until nobody is led to the old region any more: `python -m failover.drain [--look]`.

The public name, resolved anew, has to lead only to the recovery region's load balancer, and the answers that resolvers
got before the switch have to be expired: an alias lives for 60 s. Where no switch was noted on this machine, that time
is waited out from now on. With `--look` nothing is waited for.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from failover._looking import conclude, make_parser
from failover._names import resolve
from failover._notes import Notes, open_notes
from failover._places import LOAD_BALANCER, reach, read_places
from failover._telling import run
from failover._waiters import await_seen
from failover.switch_traffic import SWITCHED

if TYPE_CHECKING:
    from collections.abc import Callable

TTL = timedelta(
    seconds=60
)  # of an alias to a load balancer: developer guide, "Choosing between alias and non-alias"
_VALID = timedelta(hours=24)
_LOOKS = 300


def read_load_balancer(elbv2: Any) -> str:
    """Return the host name of the recovery region's load balancer."""
    (balancer,) = elbv2.describe_load_balancers(Names=[LOAD_BALANCER])["LoadBalancers"]
    name: str = balancer["DNSName"]
    return name


def observe_led(
    name: str, balancer: str, *, addresses: Callable[[str], frozenset[str]] = resolve
) -> list[str]:
    """Return where a name leads, by DNS, if that is not to a load balancer alone."""
    led, wanted = addresses(name), addresses(balancer)
    if not led:
        return [f"{name} leads nowhere."]
    if elsewhere := led - wanted:
        return [f"{name} leads to {', '.join(sorted(elsewhere))}, which is not {balancer}."]
    return []


def observe(
    name: str, balancer: str, notes: Notes, *, addresses: Callable[[str], frozenset[str]] = resolve
) -> list[str]:
    """Return what still leads users elsewhere."""
    missing = observe_led(name, balancer, addresses=addresses)
    note = notes.read(SWITCHED, valid=_VALID)
    if note is None:
        missing.append("When users were switched is not noted here: answers of before may not be expired.")
    elif (left := note.at + TTL - datetime.now(UTC)) > timedelta(0):
        missing.append(f"Answers of before the switch live for {left.total_seconds():.0f} s more.")
    return missing


def drain(
    name: str, balancer: str, notes: Notes, *, addresses: Callable[[str], frozenset[str]] = resolve
) -> None:
    """Wait until nobody is led elsewhere."""
    if notes.read(SWITCHED, valid=_VALID) is None:
        notes.write(SWITCHED, f"{name}: not later than this")
    advice = "`failover.switch_traffic` or `failover.switch_by_health` with `--look` says whether users were switched."
    await_seen(lambda: observe(name, balancer, notes, addresses=addresses), advice=advice, attempts=_LOOKS)


def main() -> None:
    """Wait, or look."""
    asked = make_parser("Wait until nobody is led to the old region any more.").parse_args()
    balancer, name, notes = read_load_balancer(reach("elbv2")), read_places().public_name, open_notes()
    if not asked.look:
        drain(name, balancer, notes)
    conclude(observe(name, balancer, notes), f"{name} leads to {balancer} alone")


if __name__ == "__main__":
    run(main)
