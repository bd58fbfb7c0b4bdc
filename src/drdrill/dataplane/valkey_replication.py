"""What a Valkey server says of its role and its replication, read from `INFO`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class ReplicaReading:
    """A replica as its primary sees it: how far it has acknowledged, and how long ago it said so."""

    address: str
    offset: int
    acknowledged_seconds_ago: int


@dataclass(frozen=True, slots=True)
class ValkeyReading:
    """One answer of a server. Offsets are bytes of the replication stream; `link_up` is a replica's."""

    primary: bool
    offset: int
    following: str | None
    link_up: bool
    replicas: tuple[ReplicaReading, ...]
    connections: int
    used_bytes: int

    def follows(self, address: str) -> bool:
        """Tell whether it is a replica of that primary, has all that was copied, and goes on."""
        return self.following == address and self.link_up


def parse_reading(said: str) -> ValkeyReading:
    """Return what the text of `INFO` means; raises ValueError or KeyError for a text that is none."""
    facts = dict(line.split(":", 1) for line in said.splitlines() if ":" in line)
    primary = facts["role"] == "master"
    return ValkeyReading(
        primary=primary,
        offset=int(facts["master_repl_offset"] if primary else facts["slave_repl_offset"]),
        following=None if primary else facts["master_host"],
        # While it loads a copy the link is down by Valkey's own words.
        link_up=not primary and facts["master_link_status"] == "up",
        replicas=tuple(
            _parse_replica(value)
            for name, value in facts.items()
            if name.startswith("slave") and name[5:].isdigit()
        ),
        connections=int(facts.get("connected_clients", 0)),
        used_bytes=int(facts.get("used_memory", 0)),
    )


def _parse_replica(value: str) -> ReplicaReading:
    facts: Mapping[str, str] = dict(pair.split("=", 1) for pair in value.split(","))
    return ReplicaReading(facts["ip"], int(facts["offset"]), int(facts["lag"]))
