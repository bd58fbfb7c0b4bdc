"""See by monitoring that the primary region is lost and the recovery region is there to fail over to.

    python -m failover.detect_outage [--look] [--planned]

Route 53's health checkers look at `/readyz` of both regions from outside. It waits until most of them see the primary
region unhealthy and the recovery region healthy: the pilot light's services are ready on databases that only follow.
With two healthy regions there is nothing to fail over from, and it says so; `--planned` skips that for a rehearsal.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

from failover._looking import conclude, make_parser
from failover._places import reach
from failover._telling import StoppedError, run, say
from failover._waiters import await_seen

# Monitoring is sure after 3 looks, 10 s apart; Route 53 takes 5 requests a second of an account.
_DELAY_SECONDS, _LOOKS = 2, 90
_PLANNED = "planned: nobody was asked whether the primary region is lost"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the checkers see of a region."""

    healthy: int
    checkers: int
    failures: tuple[str, ...]

    @property
    def is_healthy(self) -> bool:
        """Whether most of them see it healthy."""
        return self.healthy * 2 > self.checkers

    @property
    def is_unhealthy(self) -> bool:
        """Whether most of them see it unhealthy; of a region that nobody looked at neither is said."""
        return (self.checkers - self.healthy) * 2 > self.checkers


def read_checks(route53: Any) -> dict[str, str]:
    """Return the ids of the regions' health checks by role."""
    pages = route53.get_paginator("list_health_checks").paginate()
    found = {}
    for check in (one["Id"] for page in pages for one in page["HealthChecks"]):
        said = route53.list_tags_for_resource(ResourceType="healthcheck", ResourceId=check)
        names = {tag["Key"]: tag["Value"] for tag in said["ResourceTagSet"]["Tags"]}
        if names.get("Name") in ("primary", "recovery"):
            found[names["Name"]] = check
    for role in ("primary", "recovery"):
        if role not in found:
            raise StoppedError(
                f"Monitoring has no health check that is tagged Name={role}.\n"
                "What to do: look at the region yourself; `roots.py apply global` brings its check back."
            )
    return found


def read_seen(route53: Any, check: str) -> Seen:
    """Return what the checkers of a check saw last."""
    observations = route53.get_health_check_status(HealthCheckId=check)["HealthCheckObservations"]
    statuses = [one["StatusReport"]["Status"] for one in observations]
    failures = [one for one in statuses if not one.startswith("Success")]
    return Seen(len(statuses) - len(failures), len(statuses), tuple(dict.fromkeys(failures)))


def observe(route53: Any, checks: dict[str, str]) -> list[str]:
    """Return what keeps a failover back; every look is told."""
    seen = {role: read_seen(route53, checks[role]) for role in ("primary", "recovery")}
    for role, one in seen.items():
        because = f": {'; '.join(one.failures)}" if one.failures else ""
        sys.stdout.write(f"{role}: healthy for {one.healthy} of {one.checkers} checkers{because}\n")
    sys.stdout.flush()
    missing = []
    if not seen["primary"].is_unhealthy:
        missing.append("Most checkers do not see the primary region unhealthy.")
        if all(one.is_healthy for one in seen.values()):
            missing.append(
                "Both regions are healthy: there is nothing to fail over from. A rehearsal needs `--planned`."
            )
    if not seen["recovery"].is_healthy:
        missing.append(
            "Most checkers do not see the recovery region healthy: nobody could be served there. "
            "What to do: look at its load balancer's targets, and deploy `overlays/recovery` again."
        )
    return missing


def main() -> None:
    """Wait until it is seen, or look once."""
    parser = make_parser(
        "See by monitoring that the primary region is lost and the recovery region is there."
    )
    parser.add_argument(
        "--planned", action="store_true", help="fail over from a healthy region, as a rehearsal"
    )
    asked, route53 = parser.parse_args(), reach("route53")
    checks = read_checks(route53)
    if asked.planned:
        observe(route53, checks)
        say(_PLANNED)
    elif asked.look:
        conclude(observe(route53, checks), "the primary region is lost, and the recovery region is there")
    else:
        advice = "Look at both regions yourself, and at what AWS says of its own health."
        await_seen(lambda: observe(route53, checks), advice=advice, delay=_DELAY_SECONDS, attempts=_LOOKS)


if __name__ == "__main__":
    run(main)
