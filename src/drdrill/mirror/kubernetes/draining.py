"""Draining a node, as EKS does before it takes one away: no new pods, and those that are there are evicted."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from drdrill.core.errors import EnvironmentFailedError
from drdrill.core.waiting import wait_until

if TYPE_CHECKING:
    from drdrill.core.clock import Clock
    from drdrill.dataplane.kubernetes_client import KubernetesClient

_EVERY = timedelta(seconds=1)
_ENDED = ("Succeeded", "Failed")
_log = logging.getLogger(__name__)


def drain(client: KubernetesClient, node: str, *, within: timedelta, clock: Clock) -> None:
    """Cordon a node and evict its pods, but for those of daemon sets; returns when they are gone.

    What a budget refuses is asked for again. Raises `NotObservedError` when pods are left after that time, and
    `ControlLostError` when the cluster does not answer.
    """
    if client.read(f"/api/v1/nodes/{node}") is None:  # it never joined
        return
    client.change(f"/api/v1/nodes/{node}", {"spec": {"unschedulable": True}})

    def look() -> bool:
        listed = client.read(f"/api/v1/pods?fieldSelector=spec.nodeName%3D{node}") or {}
        left = [pod for pod in listed.get("items", []) if _has_to_go(pod)]
        for pod in left:
            if "deletionTimestamp" not in pod["metadata"]:
                _evict(client, pod["metadata"])
        return not left

    wait_until(look, what=f"no pod on {node}", within=within, every=_EVERY, clock=clock)


def _has_to_go(pod: dict[str, Any]) -> bool:
    owners = pod["metadata"].get("ownerReferences", [])
    return pod["status"].get("phase") not in _ENDED and all(owner["kind"] != "DaemonSet" for owner in owners)


def _evict(client: KubernetesClient, metadata: dict[str, Any]) -> None:
    place, name = metadata["namespace"], metadata["name"]
    content = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": name, "namespace": place},
    }
    try:
        client.create(f"/api/v1/namespaces/{place}/pods/{name}/eviction", content)
    except EnvironmentFailedError as error:  # a budget, or it is gone: the next look says which
        _log.debug("%s/%s was not evicted: %s", place, name, error)
