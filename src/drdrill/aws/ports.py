"""What the reconcilers need of the mirror below them: machines and names. Implemented by the environments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from drdrill.dataplane.host import Host


class Fleet(Protocol):
    """The machines of one region."""

    @property
    def region(self) -> str:
        """The region's name."""
        ...

    @property
    def zones(self) -> tuple[str, ...]:
        """The names of its zones."""
        ...

    @property
    def backups(self) -> BackupStore:
        """Where the region keeps backups."""
        ...

    def create_host(self, name: str, zone: str, *, disk_bytes: int) -> Host:
        """Make a machine with power, an address and an empty data disk of that size.

        Its name is the wanted one, or one like it where that is too long for a machine, or taken.
        """
        ...

    def power_off(self, host: Host, /) -> None:
        """Cut a machine's power; when this returns, nothing runs there and nothing answers from it."""
        ...

    def power_on(self, host: Host, /) -> None:
        """Give a machine its power back; nothing is started on it. Harmless when it has power."""
        ...

    def grow_disk(self, host: Host, /, *, disk_bytes: int) -> None:
        """Make a machine's data disk larger; what runs on it goes on, and what is on it stays."""
        ...

    def release(self, host: Host, /) -> None:
        """Give a machine back: power off, disk gone."""
        ...


class BackupStore(Protocol):
    """Where one region keeps backups: apart from all machines, so that losing every one of them loses no backup."""

    def create_folder(self, name: str, /) -> Path:
        """Make an empty folder of a new name, to which programs on all machines of the region may write."""
        ...

    def remove_folder(self, folder: Path, /) -> None:
        """Remove a folder with what is in it; harmless when it is gone."""
        ...


class Names(Protocol):
    """The authoritative DNS of the mirror."""

    def publish(self, name: str, addresses: tuple[str, ...], *, ttl_seconds: int) -> None:
        """Answer with these addresses; in force when this returns."""
        ...

    def withdraw(self, name: str) -> None:
        """Answer NXDOMAIN; in force when this returns."""
        ...


class AliasNames(Names, Protocol):
    """Names that may lead to other names."""

    def publish_alias(self, name: str, target: str, *, ttl_seconds: int) -> None:
        """Answer that a name is another one (CNAME), with what that one leads to; in force when this returns."""
        ...


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet of a region: its zone, the VPC that it is a part of, and its range, such as `10.20.0.0/24`."""

    identifier: str
    zone: str
    vpc: str
    network: str


class SubnetNotFoundError(Exception):
    """There is no subnet of an id in a region; whoever asked says so in the words of its own API."""

    def __init__(self, identifier: str) -> None:
        self.identifier = identifier
        super().__init__(f"The subnet ID '{identifier}' does not exist")


class Subnets(Protocol):
    """The subnets of one region, as EC2 describes them at the moment."""

    def find(self, identifiers: Sequence[str], /) -> tuple[Subnet, ...]:
        """Return subnets in the order of their ids; raises `SubnetNotFoundError` with the first that there is not."""
        ...

    def defaults(self) -> tuple[Subnet, ...]:
        """Return the default subnets, at most one in each zone: for whoever names none."""
        ...
