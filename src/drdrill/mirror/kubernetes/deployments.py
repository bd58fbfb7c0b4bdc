"""What is deployed in a cluster, as its API says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.core.errors import ControlLostError, EnvironmentFailedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from drdrill.mirror.kubernetes.cluster import Cluster

_DEPLOYMENTS = "/apis/apps/v1/deployments"


def list_deployments(cluster: Cluster) -> Sequence[Mapping[str, Any]] | None:
    """Return what a cluster says of its deployments; None: it says nothing."""
    try:
        listed = cluster.client().read(_DEPLOYMENTS)
    except (ControlLostError, EnvironmentFailedError):
        return None
    found: Sequence[Mapping[str, Any]] = listed["items"] if listed else ()
    return found
