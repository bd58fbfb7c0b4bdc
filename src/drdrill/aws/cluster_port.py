"""What EC2, Auto Scaling and EKS need of the mirror below them: machines that are nodes, and clusters.

Implemented by the environments. Whatever fails there is a `DrdrillError`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta


class Machine(Protocol):
    """A machine with its place, as EC2 sees it."""

    @property
    def name(self) -> str:
        """Its private DNS name."""
        ...

    @property
    def zone(self) -> str:
        """The availability zone it stands in."""
        ...

    @property
    def address(self) -> str:
        """Its private IPv4 address."""
        ...

    @property
    def powered(self) -> bool:
        """Whether it has power."""
        ...

    def take_away(self) -> None:
        """Cut its power and give it back, with its disk and whatever knows its name; harmless when it is gone."""
        ...


class NodeMachine(Machine, Protocol):
    """A machine that is a node of a cluster."""

    def join(self) -> None:
        """Start what makes it a node; returns when the cluster says that it is ready."""
        ...

    def drain(self, *, within: timedelta) -> None:
        """Have no new pods on it, and evict those that are there, as far as their budgets allow within that time."""
        ...


class ClusterPlane(Protocol):
    """A control plane that is up."""

    @property
    def endpoint(self) -> str:
        """The URL of its API."""
        ...

    @property
    def authority(self) -> str:
        """The certificates (PEM) that its API is to be trusted by."""
        ...

    def launch(self, instance: str, zone: str, labels: Mapping[str, str]) -> NodeMachine:
        """Give power to a new machine in a zone, which is to be a node with these labels; it has not joined yet."""
        ...

    def read_ready(self) -> frozenset[str]:
        """Return the names of the nodes that the cluster says are ready now; none when it does not answer."""
        ...

    def grant(self, group: str, role: str) -> None:
        """Give a group of users one of Kubernetes' own cluster roles; harmless when it has it."""
        ...

    def release(self) -> None:
        """Take it away with all of its machines."""
        ...


class ClusterFleet(Protocol):
    """Where clusters of one region are made."""

    @property
    def region(self) -> str:
        """The region's name."""
        ...

    @property
    def networks(self) -> Mapping[str, str]:
        """Its zones in order, each with the range of addresses of the machines in it."""
        ...

    @property
    def version(self) -> str:
        """The version of Kubernetes, such as `1.34.4`."""
        ...

    def say_wait(self) -> str:
        """Say what a new control plane has to wait for before it can be started; nothing when nothing is missing."""
        ...

    def create(self, name: str, *, endpoint: str = "") -> ClusterPlane:
        """Bring a control plane up; returns when all of it is ready. Nothing is left of one that fails.

        `endpoint`: the URL that it had before, where it is made again; a new one without.
        """
        ...
