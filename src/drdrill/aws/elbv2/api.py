"""The API of Elastic Load Balancing (version 2) of one region: its operations by name, each group in a module."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.aws.elbv2.balancer_operations import BalancerOperations
from drdrill.aws.elbv2.group_operations import GroupOperations
from drdrill.aws.elbv2.listener_operations import ListenerOperations
from drdrill.aws.elbv2.rule_operations import RuleOperations
from drdrill.aws.elbv2.tag_operations import TagOperations
from drdrill.aws.elbv2.target_operations import TargetOperations

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.aws.elbv2.region import ElbRegion
    from drdrill.aws.protocol import Parameters


class ElbService:
    """Elastic Load Balancing in one region, as the gate calls it. Thread-safe."""

    name = "elbv2"

    def __init__(self, region: ElbRegion) -> None:
        self.region = region
        self._operations = {
            **BalancerOperations(region).table(),
            **GroupOperations(region).table(),
            **TargetOperations(region).table(),
            **ListenerOperations(region).table(),
            **RuleOperations(region).table(),
            **TagOperations(region).table(),
        }

    def operations(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations that are implemented."""
        return self._operations
