"""The EC2 API of one region: its operations by name, each group of them in a module of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.aws.ec2.instances import InstanceOperations
from drdrill.aws.ec2.network_operations import NetworkOperations
from drdrill.aws.ec2.places import PlaceOperations
from drdrill.aws.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drdrill.aws.ec2.region import Ec2Region
    from drdrill.aws.protocol import Parameters


class Ec2Service:
    """EC2 in one region, as the gate calls it. Thread-safe. `regions`: the names of all that the mirror has."""

    name = "ec2"

    def __init__(self, region: Ec2Region, regions: Sequence[str]) -> None:
        self.region = region
        implemented = {
            **InstanceOperations(region).table(),
            **PlaceOperations(region.zones, regions).table(),
            **NetworkOperations(region.subnets).table(),
        }
        self._operations = {name: _allow_dry_run(operation) for name, operation in implemented.items()}

    def operations(self) -> Mapping[str, Callable[[Parameters], Mapping[str, Any]]]:
        """Return the operations that are implemented."""
        return self._operations


def _allow_dry_run(
    operation: Callable[[Parameters], Mapping[str, Any]],
) -> Callable[[Parameters], Mapping[str, Any]]:
    """Have an operation do nothing where only a dry run is asked for, and say so as AWS does."""

    def call(parameters: Parameters) -> Mapping[str, Any]:
        if parameters.get("DryRun"):
            text = "Request would have succeeded, but DryRun flag is set."
            raise AwsError("DryRunOperation", text, status=412)
        return operation(parameters)

    return call
