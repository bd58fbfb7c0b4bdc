"""What the contract's tests see of S3: clients in two regions, buckets that are replicated, and the link between them.

Only this file knows that the environment is an embedded mirror.
"""

from __future__ import annotations

import contextlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from drdrill.core.waiting import wait_until
from tests.contract.rds.conftest import client, environment, plan, repository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from drdrill.mirror.embedded import Embedded
    from drdrill.plan.model import Plan

__all__ = ["client", "environment", "plan", "repository"]

ROLE = "arn:aws:iam::000000000000:role/replication"
WITHIN = timedelta(seconds=30)  # measured 0.1 to 1 s
EVERY = timedelta(milliseconds=50)


def await_true(observe: Callable[[], bool], what: str) -> None:
    """Wait until something is so."""
    wait_until(observe, what=what, within=WITHIN, every=EVERY)


class Between:
    """The two regions, and what is between them."""

    def __init__(self, environment: Embedded, first: str, second: str) -> None:
        self.first, self.second = first, second
        self._control = environment.world.control

    @contextlib.contextmanager
    def shaped(self, *, delay_seconds: float = 0.0, cut: bool = False) -> Iterator[None]:
        """Shape the link from the first region to the second one while the block runs."""
        ask = self._control.ask
        ask("shape_link", source=self.first, destination=self.second, delay_seconds=delay_seconds, cut=cut)
        try:
            yield
        finally:
            ask("restore_link", source=self.first, destination=self.second)

    @contextlib.contextmanager
    def dark(self, region: str) -> Iterator[None]:
        """Have a region's APIs be silent while the block runs."""
        self._control.ask("silence_apis", region=region)
        try:
            yield
        finally:
            self._control.ask("restore_apis", region=region)

    def backlog(self, bucket: str) -> dict[str, Any]:
        """Return what the only destination of a bucket lacks."""
        (backlog,) = self._control.ask("object_backlog", bucket=bucket)["backlogs"]
        return dict(backlog)


@dataclass(frozen=True, slots=True)
class Pair:
    """A bucket, and its destination in the other region, each with a client."""

    here: Any
    there: Any
    source: str
    destination: str

    def put(self, key: str, body: bytes = b"data", **others: Any) -> str:
        """Write an object into the source, and return its version."""
        return str(self.here.put_object(Bucket=self.source, Key=key, Body=body, **others)["VersionId"])

    def read_status(self, key: str) -> str | None:
        """Return the replication status of an object in the source."""
        found: str | None = self.here.head_object(Bucket=self.source, Key=key).get("ReplicationStatus")
        return found

    def await_status(self, key: str, wanted: str) -> None:
        """Wait until an object in the source has a replication status."""
        await_true(lambda: self.read_status(key) == wanted, f"{key} as {wanted}")

    def find_replica(self, key: str) -> dict[str, Any] | None:
        """Return an object of the destination, without its body; None: it is not there."""
        try:
            return dict(self.there.head_object(Bucket=self.destination, Key=key))
        except ClientError as error:
            if error.response["Error"]["Code"] != "404":
                raise
            return None


class NewPair:
    """Makes pairs of buckets."""

    def __init__(self, here: Any, there: Any, between: Between) -> None:
        self.here, self.there, self._between = here, there, between

    def __call__(self, **others: Any) -> Pair:
        """Make a bucket whose one rule takes everything to a new one; any member of the rule may be changed."""
        pair = self.without_rules()
        rule = {
            "ID": "everything",
            "Priority": 1,
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "DeleteMarkerReplication": {"Status": "Enabled"},
            "Destination": {"Bucket": f"arn:aws:s3:::{pair.destination}", **others.pop("into", {})},
            **others,
        }
        self.here.put_bucket_replication(
            Bucket=pair.source, ReplicationConfiguration={"Role": ROLE, "Rules": [rule]}
        )
        return pair

    def without_rules(self) -> Pair:
        """Make two buckets that keep versions and have nothing to do with each other."""
        names = [f"contract-{secrets.token_hex(4)}-{place}" for place in ("source", "replica")]
        ends = zip((self.here, self.there), names, (self._between.first, self._between.second), strict=True)
        for s3, name, region in ends:
            s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        return Pair(self.here, self.there, *names)


@pytest.fixture(scope="module")
def between(environment: Embedded, plan: Plan) -> Between:
    """Return what is between the regions of the plan."""
    return Between(environment, plan.regions.primary.name, plan.regions.recovery.name)


@pytest.fixture(scope="module")
def new_pair(client: Callable[..., Any], between: Between) -> NewPair:
    """Return what makes pairs of buckets."""
    return NewPair(client(between.first, "s3"), client(between.second, "s3"), between)
