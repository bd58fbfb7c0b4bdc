"""What is known of replication: the status of a version, what a destination lacks, what is kept of it all."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drdrill.aws.s3.change import Version
    from drdrill.aws.s3.rules import Configuration, Rule


class Status(StrEnum):
    """The `x-amz-replication-status` of a version."""

    PENDING = "PENDING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    REPLICA = "REPLICA"


@dataclass(frozen=True, slots=True)
class Backlog:
    """What one rule's destination lacks of a bucket now. `oldest_ns`: when the first of it was acknowledged."""

    bucket: str
    region: str
    destination: str
    destination_region: str
    rule: str
    pending: int
    pending_bytes: int
    oldest_ns: int | None
    replicated: int
    failed: int
    last_seconds: float | None


@dataclass(frozen=True, slots=True)
class KeptReplication:
    """What is known where nothing is pending. `replicas`: a version's id at a destination, where it has one there."""

    configurations: tuple[Configuration, ...]
    status: Mapping[Version, Status]
    taken: Mapping[Version, tuple[Rule, ...]]
    replicas: Mapping[tuple[Version, str], str]
