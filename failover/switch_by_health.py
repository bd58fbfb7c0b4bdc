"""Lead users to the recovery region without Route 53's API: `python -m failover.switch_by_health [--look]`.

Route 53's checkers look for an object in the status bucket of the recovery region. Its health check is inverted, and
the primary region's record stands or falls with it (system/terraform/global): once the object is there, and was seen
three times 10 s apart, Route 53 answers with the recovery region's record, whatever the weights are. So this stores the
object, and waits until the public name, resolved as users do, leads to the recovery region's load balancer alone. With
`--look` nothing changes, and nobody is asked but DNS.

It holds until the object is deleted. Never delete it before `failover.settle_names` was run, or users were failed back.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from failover._looking import conclude, make_parser
from failover._names import resolve
from failover._notes import Notes, open_notes
from failover._places import STATUS_BUCKET, reach, read_places
from failover._telling import run, say
from failover._waiters import await_seen
from failover.drain import observe_led
from failover.switch_traffic import SWITCHED

if TYPE_CHECKING:
    from collections.abc import Callable

OBJECT = "failover-switch"
_LOOKS = 300  # 20 to 30 s of checkers, and 60 s of this machine's own resolver


def switch(
    s3: Any, name: str, edge: str, notes: Notes, *, addresses: Callable[[str], frozenset[str]] = resolve
) -> None:
    """Store the object, and wait until the name leads to the recovery region's edge alone."""
    body = f"Users are led to the recovery region since {datetime.now(UTC).isoformat(timespec='seconds')}.\n"
    s3.put_object(Bucket=STATUS_BUCKET, Key=OBJECT, Body=body.encode(), ContentType="text/plain")
    say("stored", bucket=STATUS_BUCKET, object=OBJECT)
    advice = (
        f"Look whether everybody may read {OBJECT} of the bucket {STATUS_BUCKET}, and whether the primary region's "
        f"record of {name} has the health check that is tagged Name=switch."
    )
    await_seen(lambda: observe_led(name, edge, addresses=addresses), advice=advice, attempts=_LOOKS)
    notes.write(SWITCHED, name)
    say("switched", name=name, edge=edge)


def main() -> None:
    """Switch, or look."""
    asked = make_parser("Lead users to the recovery region without Route 53's API.").parse_args()
    places = read_places()
    name, edge = places.public_name, places.edge_name("recovery")
    if not asked.look:
        switch(reach("s3"), name, edge, open_notes())
    conclude(observe_led(name, edge), f"{name} leads to the recovery region")


if __name__ == "__main__":
    run(main)
