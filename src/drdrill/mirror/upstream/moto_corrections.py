"""What moto says of things that it was told otherwise. In moto's process; each correction says what was seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.secretsmanager.models import FakeSecret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


def correct_moto() -> None:
    """Make all corrections; of use once in a process."""
    secret: Any = FakeSecret
    secret.create_replicas = _name_keys(secret.create_replicas)


def _name_keys(create: Callable[..., Any]) -> Callable[..., Any]:
    """Have replicas of a secret say which key they were asked to be encrypted with (moto 5.2: AWS's own, always).

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ReplicaRegionType.html
    """

    def create_replicas(
        self: Any, replica_regions: Sequence[Mapping[str, str]], force_overwrite: bool
    ) -> Any:
        replicas = create(self, replica_regions, force_overwrite)
        for replica, asked in zip(replicas, replica_regions, strict=True):
            if "KmsKeyId" in asked:
                replica.config["KmsKeyId"] = asked["KmsKeyId"]
        return replicas

    return create_replicas
