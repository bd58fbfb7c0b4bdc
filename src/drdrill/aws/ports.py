"""What the reconcilers need of the mirror below them: machines and names. Implemented by the environments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from drdrill.dataplane.dns_records import NameRecords
    from drdrill.dataplane.health_probe import Probe
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
    def lit_zones(self) -> tuple[str, ...]:
        """The names of its zones that have power: elsewhere nothing starts that is made."""
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


class TargetNames(Names, Protocol):
    """Names that lead to what knows its own health, as a load balancer does: Route 53's aliases may evaluate it."""

    def report_health(self, name: str, *, healthy: bool | None) -> None:
        """Say whether what a name leads to is healthy; None: it does not say. In force when this returns."""
        ...


class HostedZoneNames(Names, Protocol):
    """What Route 53's control plane tells its data plane. All of it is in force when a call returns."""

    def is_published(self, name: str) -> bool:
        """Tell whether a name of AWS's own, such as a load balancer's, is there."""
        ...

    def open_zone(self, identifier: str, name: str) -> None:
        """Be the authority of a hosted zone, which is empty."""
        ...

    def change_records(self, zone: str, records: Sequence[NameRecords]) -> None:
        """Have names of a hosted zone have these records, all at once."""
        ...

    def close_zone(self, identifier: str) -> None:
        """Be its authority no longer."""
        ...

    def report_check(self, identifier: str, *, healthy: bool | None) -> None:
        """Say what a health check found; None: there is no such check any more."""
        ...


@dataclass(frozen=True, slots=True)
class Checker:
    """One of Route 53's health checkers: where it stands in AWS's words, and its address."""

    name: str
    region: str
    address: str


class HealthCheckers(Protocol):
    """Route 53's health checkers: machines on the internet that look at endpoints."""

    def watch(self, probe: Probe, regions: Sequence[str], /) -> tuple[Checker, ...]:
        """Have the checkers of these regions, and no others, look at an endpoint from now on; return who looks.

        Raises `DrdrillError`, and changes nothing, when there is no machine for one of them.
        """
        ...

    def forget(self, identifier: str, /) -> None:
        """Look at an endpoint no longer; harmless when nobody does."""
        ...


class KeyNotUsableError(Exception):
    """A key of KMS does not exist in a region, or cannot be used there now."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(f"The KMS key {key} does not exist, or is not enabled.")


class Keys(Protocol):
    """The keys of one region's KMS."""

    def find(self, key: str, /) -> str:
        """Return the ARN of a key that is named by ARN, id or alias; raises `KeyNotUsableError`."""
        ...


class SecurityGroups(Protocol):
    """The security groups of one region, as EC2 describes them at the moment."""

    def find_missing(self, identifiers: Sequence[str], /) -> tuple[str, ...]:
        """Return those ids of which there is no group."""
        ...
