"""The Auto Scaling API of one region: its operations by name. Groups are made by who needs them: by node groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.aws.autoscaling.changing import ChangingOperations
from drdrill.aws.autoscaling.looking import LookingOperations

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.autoscaling.region import AutoScalingRegion
    from drdrill.aws.protocol import Parameters


class AutoScalingService:
    """Auto Scaling in one region, as the gate calls it. Thread-safe."""

    name = "autoscaling"

    def __init__(self, region: AutoScalingRegion) -> None:
        self.region = region
        self._operations = {**LookingOperations(region).table(), **ChangingOperations(region).table()}

    def operations(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations that are implemented."""
        return self._operations
