"""Subnets and keys of a region that exist only here."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drdrill.aws.ports import KeyNotUsableError, Subnet, SubnetNotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence

VPC = "vpc-00000001"


@dataclass(frozen=True)
class FewSubnets:
    """One subnet in each zone, `subnet-00000001` and so on, and one, `subnet-000000ff`, of another VPC."""

    zones: tuple[str, ...] = ("a", "b", "c")

    def find(self, identifiers: Sequence[str], /) -> tuple[Subnet, ...]:
        """Return subnets."""
        known = {one.identifier: one for one in (*self.defaults(), self._other())}
        for identifier in identifiers:
            if identifier not in known:
                raise SubnetNotFoundError(identifier)
        return tuple(known[identifier] for identifier in identifiers)

    def defaults(self) -> tuple[Subnet, ...]:
        """Return all but the other VPC's."""
        return tuple(
            Subnet(f"subnet-{number:08x}", zone, VPC, f"10.20.{number}.0/24")
            for number, zone in enumerate(self.zones, start=1)
        )

    def _other(self) -> Subnet:
        return Subnet("subnet-000000ff", self.zones[0], "vpc-00000002", "10.99.0.0/24")


@dataclass(frozen=True)
class AllKeys:
    """Has every key but those in `missing`; an alias stands for a key of its own."""

    region: str = "eu-west-1"
    missing: frozenset[str] = frozenset()

    def find(self, key: str, /) -> str:
        """Return a key's ARN."""
        if key in self.missing:
            raise KeyNotUsableError(key)
        name = key.rpartition(":")[2].removeprefix("key/")
        if name.startswith("alias/"):
            name = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.region}/{name}"))
        return f"arn:aws:kms:{self.region}:000000000000:key/{name}"


class AllGroups:
    """Security groups that are all there but `sg-0`."""

    def find_missing(self, identifiers: Sequence[str], /) -> tuple[str, ...]:
        """Return those ids of which there is no group."""
        return tuple(one for one in identifiers if one == "sg-0")
