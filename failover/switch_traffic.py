"""Lead users to the recovery region: `python -m failover.switch_traffic [--look]`.

The public name has a weighted record for each region. The recovery region's gets all the weight, the primary region's
none; it waits until all name servers say so. Whoever asked before is led to the old region until its answer expires:
`failover.drain` waits for that. With `--look` nothing changes.
"""

from __future__ import annotations

from typing import Any

from failover._looking import conclude, make_parser
from failover._names import find_zone, read_records
from failover._notes import Notes, open_notes
from failover._places import reach, read_places
from failover._telling import StoppedError, run, say
from failover._waiters import PATIENCE

WEIGHTS = {"recovery": 100, "primary": 0}
SWITCHED = "switched"  # the note of when all name servers knew


def switch(route53: Any, name: str, notes: Notes) -> None:
    """Set the weights and wait for all name servers. Set before, they are set again: so that is waited for, too."""
    records = _read(route53, name)
    missing = [role for role in WEIGHTS if role not in records]
    if missing:
        raise StoppedError(
            f"{name} has no weighted record for: {', '.join(missing)}. Nothing was changed.\n"
            "What to do: look at the hosted zone; `roots.py apply global` brings records back."
        )
    changes = [
        {"Action": "UPSERT", "ResourceRecordSet": {**records[role], "Weight": weight}}
        for role, weight in WEIGHTS.items()
    ]
    changed = route53.change_resource_record_sets(
        HostedZoneId=find_zone(route53, name),
        ChangeBatch={"Comment": "failover to the recovery region", "Changes": changes},
    )
    waiter = route53.get_waiter("resource_record_sets_changed")
    waiter.wait(Id=changed["ChangeInfo"]["Id"], WaiterConfig=PATIENCE)
    notes.write(SWITCHED, name)
    say("switched", name=name, weights=WEIGHTS)


def observe(route53: Any, name: str) -> list[str]:
    """Return which weights are others."""
    records = _read(route53, name)
    missing = []
    for role, weight in WEIGHTS.items():
        now = records.get(role, {}).get("Weight")
        if now != weight:
            told = "has no record" if now is None else f"has the weight {now}"
            missing.append(f"{name}: the {role} region {told}, not {weight}.")
    return missing


def _read(route53: Any, name: str) -> dict[str, dict[str, Any]]:
    records = read_records(route53, name, "A", most=10)
    return {one["SetIdentifier"]: one for one in records if "SetIdentifier" in one}


def main() -> None:
    """Switch, or look."""
    asked = make_parser("Lead users to the recovery region.").parse_args()
    route53, name = reach("route53"), read_places().public_name
    if not asked.look:
        switch(route53, name, open_notes())
    conclude(observe(route53, name), f"{name} leads to the recovery region")


if __name__ == "__main__":
    run(main)
