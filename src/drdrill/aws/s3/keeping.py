"""What is kept of replication: the rules of all buckets, and the status of what was replicated.

Implements `drdrill.aws.keeping.Keeper`. The objects themselves are the upstream's to keep.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.aws.s3.model import KeptReplication
    from drdrill.aws.s3.replicator import Replicator


class ReplicationKeeper:
    """Keeps what a replicator knows."""

    name = "replication"
    after = ("delegated",)

    def __init__(self, replicator: Replicator) -> None:
        self._replicator = replicator

    def keep(self, _: Path, /) -> KeptReplication:
        """Return what there is to know; raises `NotKeptError` while something is pending."""
        return self._replicator.keep()

    def restore(self, kept: KeptReplication, _: Path, /) -> None:
        """Go on from there: what is written from now on is replicated by the same rules."""
        self._replicator.restore(kept)
