"""What replication needs of those around it: whoever writes replicas, and the ways between regions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from drdrill.aws.s3.carrier import Outcome
    from drdrill.aws.s3.change import Change
    from drdrill.dataplane.link import LinkCondition


class Carries(Protocol):
    """Makes changes at their destinations."""

    def carry(self, change: Change, replica_id: str | None, /) -> Outcome:
        """Make one change there; raises `UpstreamError` when it must be tried again, or be given up."""
        ...


class Links(Protocol):
    """What the environment knows of the ways between its regions."""

    def condition(self, source: str, destination: str, /) -> LinkCondition:
        """Return how the link from a region to another one is now."""
        ...

    def is_dark(self, region: str, /) -> bool:
        """Tell whether a region is lost: nothing leaves it and nothing enters."""
        ...
