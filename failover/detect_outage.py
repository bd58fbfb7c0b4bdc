"""See by monitoring that the primary region is lost and the recovery region is there to fail over to.

    python -m failover.detect_outage [--look] [--planned] [--ourselves]

Route 53's health checkers look at `/readyz` of both regions from outside. It waits until most of them see the primary
region unhealthy and the recovery region healthy: the pilot light's services are ready on databases that only follow.
What they see is told by Route 53's API, in us-east-1: with `--ourselves` that is not asked, and this machine looks at
both regions several times. That is one place's view: whoever declares needs another one. With two healthy regions there
is nothing to fail over from, and it says so; `--planned` skips that for a rehearsal.
"""

from __future__ import annotations

import http.client
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from failover._looking import conclude, make_parser
from failover._places import reach, read_places
from failover._synthetic import PublicApi
from failover._telling import SaidNoError, StoppedError, run, say
from failover._waiters import await_seen

# Monitoring is sure after 3 looks, 10 s apart; Route 53 takes 5 requests a second of an account.
_DELAY_SECONDS, _LOOKS = 2, 90
_OWN_LOOKS, _OWN_DELAY_SECONDS = 3, 5
_OWN_PATIENCE_SECONDS = 2  # with each address; a load balancer answers within 50 ms
_ROLES = ("primary", "recovery")
_NOT_LOST = "do not see the primary region unhealthy"
_PLANNED = "planned: nobody was asked whether the primary region is lost"


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from failover._synthetic import Api


@dataclass(frozen=True, slots=True)
class Seen:
    """What the checkers see of a region, or what several looks saw of it."""

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
        if names.get("Name") in _ROLES:
            found[names["Name"]] = check
    for role in _ROLES:
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
    return _sum_up(["" if one.startswith("Success") else one for one in statuses])


def _sum_up(failures: Sequence[str]) -> Seen:
    """Return what several looks saw, each of which is a failure; empty: it was none."""
    bad = [one for one in failures if one]
    return Seen(len(failures) - len(bad), len(failures), tuple(dict.fromkeys(bad)))


def look_ourselves(apis: Mapping[str, Api], *, delay: int = _OWN_DELAY_SECONDS) -> dict[str, Seen]:
    """Look at both regions side by side, several times, and return what was seen of each by its role."""
    looks: list[tuple[str, ...]] = []

    def look() -> list[str]:
        with ThreadPoolExecutor(len(_ROLES)) as pool:
            looks.append(tuple(pool.map(_find_failure, [apis[role] for role in _ROLES])))
        return ["Some looks are left."] if len(looks) < _OWN_LOOKS else []

    await_seen(look, advice="Look yourself.", delay=delay, attempts=_OWN_LOOKS)
    return {role: _sum_up(failures) for role, failures in zip(_ROLES, zip(*looks, strict=True), strict=True)}


def _find_failure(api: Api) -> str:
    """Look at a region once; empty: it is ready."""
    try:
        said = api.request("GET", "/readyz", headers={})
    except (OSError, http.client.HTTPException) as error:
        return f"Failure: {error}."
    return "" if said.status == http.HTTPStatus.OK else f"Failure: {said.tell()}"


def observe(seen: Mapping[str, Seen], what: str = "checkers") -> list[str]:
    """Return what keeps a failover back, of what was seen of each region; every look is told."""
    for role, one in seen.items():
        because = f": {'; '.join(one.failures)}" if one.failures else ""
        sys.stdout.write(f"{role}: healthy for {one.healthy} of {one.checkers} {what}{because}\n")
    sys.stdout.flush()
    missing = []
    if not seen["primary"].is_unhealthy:
        missing.append(f"Most {what} {_NOT_LOST}.")
        if all(one.is_healthy for one in seen.values()):
            missing.append(
                "Both regions are healthy: there is nothing to fail over from. A rehearsal needs `--planned`."
            )
    if not seen["recovery"].is_healthy:
        missing.append(
            f"Most {what} do not see the recovery region healthy: nobody could be served there. "
            "What to do: look at its load balancer's targets, and deploy `overlays/recovery` again."
        )
    return missing


def look_by_route53() -> Callable[[], list[str]]:
    """Return a look that asks Route 53 what its checkers see."""
    route53 = reach("route53")
    checks = read_checks(route53)
    return lambda: observe({role: read_seen(route53, checks[role]) for role in _ROLES})


def look_from_here() -> Callable[[], list[str]]:
    """Return a look from this machine, at each region's own load balancer under the public name."""
    places = read_places()
    apis = {
        role: PublicApi(places.public_name, places.edge_name(role), seconds=_OWN_PATIENCE_SECONDS)
        for role in _ROLES
    }
    return lambda: observe(look_ourselves(apis), "looks from here")


def await_loss(look: Callable[[], list[str]], *, delay: int = _DELAY_SECONDS, attempts: int = _LOOKS) -> None:
    """Wait until it is seen; raises `SaidNoError` where the primary region was seen not to be lost at the end."""
    missing: list[str] = []

    def look_again() -> list[str]:
        missing[:] = look()
        return missing

    advice = "Look at both regions yourself, and at what AWS says of its own health."
    try:
        await_seen(look_again, advice=advice, delay=delay, attempts=attempts)
    except StoppedError as error:
        if any(_NOT_LOST in one for one in missing):
            raise SaidNoError(str(error)) from error
        raise


def main() -> None:
    """Wait until it is seen, or look once."""
    parser = make_parser(
        "See by monitoring that the primary region is lost and the recovery region is there."
    )
    parser.add_argument(
        "--planned", action="store_true", help="fail over from a healthy region, as a rehearsal"
    )
    parser.add_argument(
        "--ourselves", action="store_true", help="look from this machine: Route 53's API is not asked"
    )
    asked = parser.parse_args()
    look = look_from_here() if asked.ourselves else look_by_route53()
    if asked.planned:
        look()
        say(_PLANNED)
    elif asked.look:
        conclude(look(), "the primary region is lost, and the recovery region is there")
    else:
        await_loss(look)


if __name__ == "__main__":
    run(main)
