"""Tags that change after an object was replicated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drdrill.aws.s3.objects import UpstreamFailedError

if TYPE_CHECKING:
    from tests.aws.s3.world import Pair

OLD, NEW = [{"Key": "team", "Value": "books"}], [{"Key": "team", "Value": "films"}]


def read_tags(pair: Pair, version: str) -> list[dict[str, str]]:
    """Return the tags of a replica."""
    answer = pair.there.get_object_tagging(Bucket=pair.destination, Key="one", VersionId=version)
    found: list[dict[str, str]] = answer["TagSet"]
    return found


@pytest.fixture
def version(pair: Pair) -> str:
    """Return the version of an object that was replicated with its tags."""
    version = pair.put("one", Tagging="team=books")
    pair.world.replicate()
    assert read_tags(pair, version) == OLD
    return version


def test_tags_that_are_taken_away(pair: Pair, version: str) -> None:
    """A replica has no tags any more when its source has none.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-what-is-isnot-replicated.html
    """
    pair.here.delete_object_tagging(Bucket=pair.source, Key="one")
    pair.world.replicate()
    assert read_tags(pair, version) == []
    assert pair.status("one") == "COMPLETED"


def test_tags_of_a_version_that_is_gone(pair: Pair, version: str) -> None:
    """A version that is deleted for good before its new tags could be read leaves its replica as it was."""
    pair.here.put_object_tagging(Bucket=pair.source, Key="one", Tagging={"TagSet": NEW})
    pair.here.delete_object(Bucket=pair.source, Key="one", VersionId=version)
    assert pair.world.replicate() == 1
    assert read_tags(pair, version) == OLD
    assert pair.world.replicator.idle


def test_tags_that_cannot_be_read(pair: Pair, version: str) -> None:
    """Tags that the source does not let be read are not taken for none."""
    pair.here.put_object_tagging(Bucket=pair.source, Key="one", Tagging={"TagSet": NEW})
    (change,) = pair.world.replicator.take_arrived()
    pair.world.upstream.fails = lambda call: 403 if call.method == "GET" and "tagging=" in call.query else 0
    with pytest.raises(UpstreamFailedError, match="answered 403"):
        pair.world.replicator.carry(change)
    pair.world.upstream.fails = lambda _: 0
    assert read_tags(pair, version) == OLD


@pytest.mark.parametrize("tags", [[], NEW])
def test_tags_of_a_replica_that_is_gone(pair: Pair, version: str, tags: list[dict[str, str]]) -> None:
    """A replica that was deleted gets no tags, and nothing waits for it."""
    pair.there.delete_object(Bucket=pair.destination, Key="one", VersionId=version)
    if tags:
        pair.here.put_object_tagging(Bucket=pair.source, Key="one", Tagging={"TagSet": tags})
    else:
        pair.here.delete_object_tagging(Bucket=pair.source, Key="one")
    pair.world.replicate()
    assert pair.status("one") == "COMPLETED"
    assert pair.world.replicator.idle


def test_an_object_that_goes_while_it_is_read(pair: Pair) -> None:
    """An object whose version goes between its data and its tags is not replicated without them."""
    pair.put("one", Tagging="team=books")
    pair.world.upstream.fails = lambda call: 404 if call.method == "GET" and "tagging=" in call.query else 0
    pair.world.replicate()
    assert pair.replicas() == set()
    assert pair.world.replicator.idle
