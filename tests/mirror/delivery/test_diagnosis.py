"""Why something does not run, of a cluster that a test invents."""

from __future__ import annotations

import json
from typing import Any

from drdrill.mirror.delivery.diagnosis import diagnose


def _pod(
    name: str, owner: str, state: dict[str, Any] | None, *, ready: bool = False, **status: Any
) -> dict[str, Any]:
    containers = [] if state is None else [{"name": "service", "state": state, "restartCount": 2}]
    conditions = [
        {"type": "Ready", "status": str(ready), "reason": "Unschedulable", "message": "no node is free"}
    ]
    return {
        "metadata": {"name": name, "ownerReferences": [{"name": owner}]},
        "status": {"phase": "Running", "conditions": conditions, "containerStatuses": containers, **status},
    }


class Cluster:
    """What kubectl answers."""

    def __init__(self, *pods: dict[str, Any]) -> None:
        self.pods = pods
        self.events: list[dict[str, Any]] = []
        self.previous = "Traceback\nKeyError: 'DATABASE_HOST'\n"

    def __call__(self, *asked: str) -> str:
        """Answer by the verb."""
        if asked[1] == "pods":
            return json.dumps({"items": self.pods})
        if "--output=json" in asked:
            return json.dumps({"items": self.events})
        if asked[0] == "get":
            return "Readiness probe failed\nBack-off restarting failed container\n"
        return self.previous if "--previous" in asked else "starting\n"


def test_a_service_that_ends_again_and_again() -> None:
    """Which pod, its state, the last event, and the log of the one that ended; one pod of several that are alike."""
    crashed = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}}
    pods = [_pod("users-a", "users", crashed), _pod("users-b", "users", crashed)]
    fine = [
        _pod("auth-a", "auth", {"running": {}}, ready=True),
        _pod("migrate-a", "migrate", {"terminated": {"exitCode": 0}}, phase="Succeeded"),
    ]
    assert diagnose(Cluster(*pods, *fine), "shop") == [
        "shop/users-a is not ready: service waiting (CrashLoopBackOff, back-off 10s, 2 restarts)",
        "  event: Back-off restarting failed container",
        "  log: Traceback",
        "  log: KeyError: 'DATABASE_HOST'",
    ]


def test_a_pod_that_has_no_place() -> None:
    """The scheduler's words stand for what has not begun."""
    (first, *_) = diagnose(Cluster(_pod("users-a", "users", None)), "shop")
    assert first == "shop/users-a is not ready: Unschedulable: no node is free"


def test_pods_that_may_not_be_made() -> None:
    """Where there is no pod to ask, the last words about whoever should make one."""
    cluster = Cluster(_pod("auth-a", "auth", {"running": {}}, ready=True))
    maker = {"kind": "ReplicaSet", "name": "users-1"}
    cluster.events = [
        {"involvedObject": maker, "message": words} for words in ("first", 'Pod "users-a" is invalid')
    ]
    assert diagnose(cluster, "shop") == ['ReplicaSet users-1: Pod "users-a" is invalid']


def test_a_cluster_that_does_not_answer() -> None:
    """There is nothing to tell then."""
    assert diagnose(lambda *_: "", "shop") == []
