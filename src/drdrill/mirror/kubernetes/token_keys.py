"""The keys of the clusters' service account tokens, as AWS has them: apart from the clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from drdrill.mirror.kubernetes.clusters import Clusters


class TokenKeys:
    """Implements `drdrill.aws.web_identity.Issuers`: a cluster's issuer is its endpoint."""

    def __init__(self, clusters: Clusters) -> None:
        self._clusters = clusters

    def find_key(self, issuer: str, /) -> bytes | None:
        """Return the public key of a cluster's tokens; None where no cluster issues as that."""
        for cluster in self._clusters.all():
            if cluster.plane.name.server == issuer:
                return cluster.plane.token_key
        return None
