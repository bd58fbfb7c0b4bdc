"""Bring Route 53's records to what serves, once its API answers again: `python -m failover.settle_names [--look]`.

After a failover that did without that API: users were led by health (`failover.switch_by_health`), and databases were
promoted under their old names (`failover.promote_replica --without-name`). The names of the databases get to lead to
those of the recovery region, which have to be promoted, and the weights of the public name to that region. Do it before
the primary region is back: its own services use these names. With `--look` nothing changes.
"""

from __future__ import annotations

from typing import Any

from failover import switch_traffic
from failover._looking import conclude, make_parser
from failover._notes import Notes, open_notes
from failover._places import DATABASES, INTERNAL, reach, read_places
from failover._telling import run
from failover.promote_replica import describe, observe, observe_name, point


def settle(rds: Any, route53: Any, name: str, notes: Notes) -> None:
    """Point the databases' names, and set the public name's weights; raises `StoppedError` if one is not promoted."""
    promoted = _read_promoted(rds)
    conclude([told for one in promoted.values() for told in observe(one)], "all databases are promoted")
    for database, instance in promoted.items():
        point(route53, database, instance["Endpoint"]["Address"])
    switch_traffic.switch(route53, name, notes)


def look(rds: Any, route53: Any, name: str) -> list[str]:
    """Return what records still say otherwise."""
    missing = [
        told
        for database, instance in _read_promoted(rds).items()
        for told in (*observe(instance), *observe_name(route53, instance, database))
    ]
    return missing + switch_traffic.observe(route53, name)


def _read_promoted(rds: Any) -> dict[str, dict[str, Any]]:
    """Return what AWS says of the recovery region's databases, by their names."""
    return {f"{one}-database.{INTERNAL}": describe(rds, f"{one}-recovery") for one in DATABASES}


def main() -> None:
    """Bring them to it, or look."""
    asked = make_parser("Bring Route 53's records to what serves.").parse_args()
    rds, route53, name = reach("rds"), reach("route53"), read_places().public_name
    if not asked.look:
        settle(rds, route53, name, open_notes())
    conclude(look(rds, route53, name), f"databases' names and {name} lead to the recovery region")


if __name__ == "__main__":
    run(main)
