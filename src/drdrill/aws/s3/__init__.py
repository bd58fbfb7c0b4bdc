"""S3's replication: buckets stand in an upstream; what their rules take is carried to their destinations here.

::

    client ─▶ ReplicatingDoor ─▶ upstream (moto, LocalStack)
                   │ what was written, and which rules take it
                   ▼
             Replicator: Crossing (the link between two regions) ─▶ Carrier: reads the source, writes the replica
"""

from drdrill.aws.s3.carrier import Carrier
from drdrill.aws.s3.door import ReplicatingDoor
from drdrill.aws.s3.keeping import ReplicationKeeper
from drdrill.aws.s3.model import Backlog
from drdrill.aws.s3.movers import Movers
from drdrill.aws.s3.objects import VERSION_HEADER, Objects
from drdrill.aws.s3.ports import Links
from drdrill.aws.s3.replication_metrics import ReplicationMetrics
from drdrill.aws.s3.replicator import Replicator

__all__ = [
    "VERSION_HEADER",
    "Backlog",
    "Carrier",
    "Links",
    "Movers",
    "Objects",
    "ReplicatingDoor",
    "ReplicationKeeper",
    "ReplicationMetrics",
    "Replicator",
]
