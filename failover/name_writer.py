"""Name the region that may write, where the databases of both may take writes: `fence_primary` has a way of its own.

    python -m failover.name_writer REGION [--look]

1. name nobody in both copies: whichever a service reads, it does not write any more
2. wait until every lease to write of before must have run out: 12 s
3. name the region in both copies: its services write from then on

Written at once into one copy after the other, services of one region would write by the first, and of the other region
by the second. Broken off anywhere, no two regions write; run again it goes on, and ends with one that does. With
`--look` nothing changes: exit status 0 when both copies name the region.

Whether that region's databases take writes is not looked at: a fence is taken away by whoever fails back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from failover._leases import describe_left, read_left
from failover._looking import conclude, make_parser
from failover._notes import open_notes
from failover._places import read_places
from failover._telling import StoppedError, run, say
from failover._writer import NOBODY, await_leases, find_unnamed, name_writer, reach_copies

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from failover._notes import Notes
    from failover._writer import Copy


def hand_over(
    copies: Sequence[Copy],
    region: str,
    notes: Notes,
    *,
    wait: Callable[[Notes, str], None] = await_leases,
) -> None:
    """Have a region write, and no other one at any time; raises `StoppedError` when a copy cannot be written."""
    if not find_unnamed(copies, region):
        say("named before", region=region)
        return
    _name(copies, NOBODY, notes)
    wait(notes, NOBODY)
    if held := describe_left(read_left(notes, NOBODY)):
        raise StoppedError(
            f"Nobody is named as the one that writes, and {held}.\n"
            "What to do: look at this machine's clock. Then run the same command again: it goes on."
        )
    _name(copies, region, notes)


def _name(copies: Sequence[Copy], name: str, notes: Notes) -> None:
    name_writer(copies, name, notes)
    if unnamed := find_unnamed(copies, name):
        raise StoppedError(
            "\n".join(unnamed) + "\nSome services, or all, do not write now.\n"
            "What to do: have these copies written and read again (network, credentials, AWS's health). Then run the "
            "same command again: it goes on."
        )


def main() -> None:
    """Name it, or look."""
    places = read_places()
    parser = make_parser("Name the region that may write, after every lease of before has run out.")
    parser.add_argument("region", metavar="REGION", choices=(places.primary, places.recovery))
    asked, copies = parser.parse_args(), reach_copies(places.recovery)
    if not asked.look:
        hand_over(copies, asked.region, open_notes())
    conclude(find_unnamed(copies, asked.region), f"{asked.region} is named as the region that writes")


if __name__ == "__main__":
    run(main)
