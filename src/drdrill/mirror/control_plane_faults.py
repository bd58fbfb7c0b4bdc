"""The control planes of a region, or Route 53's, taken away while what they made serves on: broken, mended, looked at.

Broken and mended in the supervisor. Whether that shows is seen by who calls: the APIs by programs of the operators,
with signed requests, and what serves by users: they find databases by their names, and the names of hosted zones lead
somewhere. The API servers of clusters are no API of AWS's: they stand in the region, and answer on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.core.errors import UsageError
from drdrill.mirror.control_planes import Outage, has_control_plane

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from drdrill.core.clock import Clock
    from drdrill.mirror.control_planes import ControlPlanes

    Answer = Mapping[str, Any]

REGION_LOSS, ROUTE53_LOSS = "region_control_plane_loss", "route53_control_plane_loss"
KINDS = frozenset({REGION_LOSS, ROUTE53_LOSS})
_ROUTE53 = "route53"
# What is asked: each a service in the words of boto3 and an operation that changes nothing and needs no name.
_ASKED = {
    REGION_LOSS: ("rds:describe_db_instances", "eks:list_clusters", "elbv2:describe_load_balancers",
                  "secretsmanager:list_secrets"),
    ROUTE53_LOSS: ("route53:list_hosted_zones", "route53:list_health_checks"),
}  # fmt: skip
_SERVING = ("sts:get_caller_identity", "s3:list_buckets")
_SEEN_AS = {
    Outage.REFUSED: ("ServiceUnavailable", "503"),
    Outage.THROTTLED: ("Throttling",),
    Outage.SILENT: ("ReadTimeoutError",),
}
_DATABASE_PORT, _HTTPS_PORT = 5432, 443
_NAMES_LOOKED_AT = 4


class ControlPlaneFaults:
    """The operations, by name in `table`. Each is called from a thread of the control server.

    `services_of`: the services of a region, as in signatures; `databases`: region and endpoint of each; `names`: those
    of hosted zones with addresses. `global_region`: where Route 53's control plane is.
    """

    def __init__(
        self,
        planes: ControlPlanes,
        regions: Sequence[str],
        clock: Clock,
        *,
        services_of: Callable[[str], Collection[str]],
        databases: Callable[[], Iterable[tuple[str, str]]],
        names: Callable[[], Iterable[str]],
        global_region: str,
    ) -> None:
        self._planes, self._regions, self._clock = planes, tuple(regions), clock
        self._services_of, self._databases, self._names = services_of, databases, names
        self._global_region = global_region

    def table(self) -> Mapping[str, Callable[..., Answer]]:
        """Return the operations by name."""
        return {
            "inject_control_planes": self.inject,
            "heal_control_planes": self.heal,
            "served_beside": self.served_beside,
        }

    def inject(self, kind: str, resource: str, amount: str) -> Answer:
        """Take the control planes away; `amount`: how (default: refused). Raises `UsageError` when there are none."""
        region, services = self._find(kind, resource)
        how = amount or Outage.REFUSED.value
        before_ns = self._clock.now_ns()
        for service in services:
            self._planes.break_control_plane(service, region, how)
        return {
            "resource": resource,
            "before_ns": before_ns,
            "after_ns": self._clock.now_ns(),
            "details": {"region": region, "services": services, "how": how},
        }

    def heal(self, kind: str, resource: str) -> Answer:
        """Give the control planes back; harmless when they are there."""
        region, services = self._find(kind, resource)
        for service in services:
            self._planes.restore_control_plane(service, region)
        return {"region": region, "services": services}

    def served_beside(self, kind: str, resource: str) -> Answer:
        """List what serves beside these control planes: names, and at which port somebody has to answer."""
        region, _ = self._find(kind, resource)
        mine = region if kind == REGION_LOSS else None
        databases = sorted(endpoint for at, endpoint in self._databases() if mine in (None, at))
        names = sorted(self._names())[:_NAMES_LOOKED_AT]
        return {
            "region": region,
            "names": [
                *({"name": one, "port": _DATABASE_PORT, "answers": True} for one in databases),
                *({"name": one, "port": _HTTPS_PORT, "answers": False} for one in names),
            ],
        }

    def _find(self, kind: str, resource: str) -> tuple[str, list[str]]:
        """Return the region in which control planes are lost, and of which services."""
        if kind == ROUTE53_LOSS and resource == _ROUTE53:
            return self._global_region, [_ROUTE53]
        if kind == REGION_LOSS and resource in self._regions:
            return resource, sorted(one for one in self._services_of(resource) if has_control_plane(one))
        there = _ROUTE53 if kind == ROUTE53_LOSS else ", ".join(self._regions)
        raise UsageError(f"there are no control planes of `{resource}` in this mirror: {there}.")


def name_asked(kind: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what operators ask about a fault: of the control planes, and of what serves on in their region."""
    return _ASKED[kind], _SERVING if kind == REGION_LOSS else ()


def judge_effect(
    how: str, kind: str, said: Mapping[str, str], beside: Sequence[Answer], outside: str
) -> dict[str, Any]:
    """Judge whether the control planes are away and what serves serves on.

    `said`: of each operation that was asked the error's code, `` where it was answered; `beside`: what users found.
    """
    away, serving = name_asked(kind)
    effective = (
        all(said[one] in _SEEN_AS[Outage(how)] for one in away)
        and not any(said[one] for one in serving)
        and bool(beside)
        and all(map(_serves, beside))
    )
    return _reading("effective", holds=effective, said=said, beside=beside, outside=outside)


def judge_healed(
    kind: str, said: Mapping[str, str], beside: Sequence[Answer], outside: str
) -> dict[str, Any]:
    """Judge whether all that was asked of the control planes is answered."""
    healed = not any(said[one] for one in name_asked(kind)[0])
    return _reading("healed", holds=healed, said=said, beside=beside, outside=outside)


def _serves(found: Answer) -> bool:
    """Tell whether a name leads somewhere, and where it has to, to who answers."""
    addresses: Mapping[str, bool] = found["addresses"]
    return all(addresses.values()) and bool(addresses) if found["answers"] else bool(addresses)


def _reading(
    what: str, *, holds: bool, said: Mapping[str, str], beside: Sequence[Answer], outside: str
) -> dict[str, Any]:
    return {
        what: holds,
        "observer": f"programs on the operators' host, and {outside}",
        "asked": {one: error or "answered" for one, error in said.items()},
        "beside": [{"name": one["name"], "addresses": one["addresses"]} for one in beside],
    }
