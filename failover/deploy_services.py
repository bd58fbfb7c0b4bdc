"""Deploy the services into the recovery region at production's size, by the CI, and wait until they serve.

    python -m failover.deploy_services --overlay recovery-critical|recovery-production [--look]

It has succeeded when every service's target group has as many healthy targets as it is to have, and no others. With
`--look` nothing changes: exit status 0 when it is so.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from failover import _ci
from failover._looking import conclude, make_parser
from failover._places import CLUSTER, reach, read_places
from failover._services import OVERLAYS, read_wanted
from failover._telling import run, say
from failover._waiters import await_seen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# A target is healthy after two looks, 10 s apart, and drains for 30 s; a controller may have to come back first.
_LOOKS = 300


def deploy(
    elbv2: Any, overlay: str, wanted: Mapping[str, int], cluster: str, ask: Callable[[str, str], None]
) -> None:
    """Have an overlay deployed, and wait for its targets; `ask`: has a folder deployed into a cluster."""
    for path in ("definitions", f"overlays/{overlay}"):
        ask(path, cluster)
        say("deployed", path=path, cluster=cluster)
    advice = (
        "Look at the pods, and at what registers them: "
        f"`kubectl --context {cluster} --namespace kube-system logs deployment/aws-load-balancer-controller`."
    )
    await_seen(lambda: observe(elbv2, wanted), advice=advice, attempts=_LOOKS)


def observe(elbv2: Any, wanted: Mapping[str, int]) -> list[str]:
    """Return which services have not as many healthy targets as they are to have."""
    groups = elbv2.describe_target_groups(Names=sorted(wanted))["TargetGroups"]
    arns = {one["TargetGroupName"]: one["TargetGroupArn"] for one in groups}
    missing = []
    for name, count in wanted.items():
        if name not in arns:
            missing.append(f"{name} has no target group.")
            continue
        targets = elbv2.describe_target_health(TargetGroupArn=arns[name])["TargetHealthDescriptions"]
        states = Counter(one["TargetHealth"]["State"] for one in targets)
        states.pop("draining", None)  # it ends, and gets no new request
        if states["healthy"] < count or states.total() > states["healthy"]:
            told = ", ".join(f"{number} {state}" for state, number in sorted(states.items())) or "none"
            missing.append(f"{name} is to have {count} healthy targets, and has: {told}.")
    return missing


def main() -> None:
    """Deploy, or look."""
    parser = make_parser("Deploy the services into the recovery region at production's size.")
    parser.add_argument("--overlay", required=True, choices=OVERLAYS, help="which services")
    asked = parser.parse_args()
    elbv2, wanted = reach("elbv2"), read_wanted(asked.overlay)
    if not asked.look:
        deploy(elbv2, asked.overlay, wanted, f"{CLUSTER}.{read_places().recovery}", _ci.deploy)
    told = ", ".join(f"{count} {name}" for name, count in sorted(wanted.items()))
    conclude(observe(elbv2, wanted), f"they serve: {told}")


if __name__ == "__main__":
    run(main)
