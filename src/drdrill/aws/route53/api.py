"""The API of Route 53: its operations by name, each group of them in a module of its own.

It is one service for all regions; its control plane sits in us-east-1, as in reality. What answers, the DNS server and
the health checkers, does not need it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.aws.route53.health_operations import HealthOperations
from drdrill.aws.route53.record_operations import RecordOperations
from drdrill.aws.route53.tag_operations import TagOperations
from drdrill.aws.route53.zone_operations import ZoneOperations

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.protocol import Parameters
    from drdrill.aws.route53.control_plane import ControlPlane

REGION = "us-east-1"  # of every signature for it


class Route53Service:
    """Route 53, as the gate calls it. Thread-safe."""

    name = "route53"

    def __init__(self, plane: ControlPlane) -> None:
        self._operations = {
            **ZoneOperations(plane).table(),
            **RecordOperations(plane).table(),
            **HealthOperations(plane).table(),
            **TagOperations(plane).table(),
        }

    def operations(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations that are implemented."""
        return self._operations
