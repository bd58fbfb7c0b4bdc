"""Replication through the SDK over a moto in this process, on a clock that the test moves."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from drdrill.aws.keeping import NotKeptError
from drdrill.aws.s3 import ReplicationKeeper
from drdrill.aws.s3.objects import UpstreamSilentError
from drdrill.dataplane.link import LinkCondition
from tests.aws.s3.world import FIRST, SECOND, Pair, World, new_bucket, put_rules, rule

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PART = 5 << 20


def test_an_object_is_pending_until_it_is_there(pair: Pair) -> None:
    """An object is PENDING after its write, and COMPLETED once its replica, a REPLICA, can be read."""
    version = pair.put("one", b"first")
    assert pair.status("one") == "PENDING"
    assert pair.replicas() == set()
    assert pair.world.replicate() == 1
    assert pair.status("one") == "COMPLETED"
    assert pair.status("one", of_replica=True) == "REPLICA"
    read = pair.there.get_object(Bucket=pair.destination, Key="one")
    assert read["Body"].read() == b"first"
    assert read["VersionId"] == version


def test_what_belongs_to_an_object_comes_with_it(pair: Pair) -> None:
    """Metadata, tags, type, encoding, redirect and checksum of a replica are its source's."""
    pair.put(
        "one",
        ContentType="application/pdf",
        ContentEncoding="gzip",
        CacheControl="no-store",
        Metadata={"invoice": "42"},
        Tagging="team=books&kind=a%20b",
        ChecksumAlgorithm="SHA256",
    )
    pair.world.replicate()
    read = [
        client.head_object(Bucket=bucket, Key="one", ChecksumMode="ENABLED")
        for client, bucket in ((pair.here, pair.source), (pair.there, pair.destination))
    ]
    for member in ("ContentType", "ContentEncoding", "CacheControl", "Metadata", "ETag", "ChecksumSHA256"):
        assert read[0][member] == read[1][member]
    tags = pair.there.get_object_tagging(Bucket=pair.destination, Key="one")["TagSet"]
    assert {one["Key"]: one["Value"] for one in tags} == {"team": "books", "kind": "a b"}


def test_objects_from_before_the_rules_stay(world: World) -> None:
    """Objects that were there before a bucket had rules are not replicated, and have no status."""
    here = world.client(FIRST)
    source, destination = new_bucket(here, FIRST), new_bucket(world.client(SECOND), SECOND)
    here.put_object(Bucket=source, Key="old", Body=b"x")
    put_rules(here, source, rule(destination))
    assert world.replicate() == 0
    assert "ReplicationStatus" not in here.head_object(Bucket=source, Key="old")


def test_replicas_are_not_replicated_on(world: World) -> None:
    """An object that came as a replica is not carried to its own bucket's destination."""
    pair = Pair(world)
    third = new_bucket(pair.here, FIRST)
    put_rules(pair.there, pair.destination, rule(third))
    pair.put("one")
    assert world.replicate() == 1
    assert world.replicate() == 0
    assert pair.here.list_objects_v2(Bucket=third)["KeyCount"] == 0


def test_every_way_of_writing(pair: Pair) -> None:
    """Copies and objects of several parts are replicated as written ones are; parts stay parts, so ETags are equal."""
    pair.put("one", b"first")
    pair.here.copy_object(Bucket=pair.source, Key="copy", CopySource={"Bucket": pair.source, "Key": "one"})
    upload = pair.here.create_multipart_upload(Bucket=pair.source, Key="parts", Metadata={"a": "b"})[
        "UploadId"
    ]
    named = {"Bucket": pair.source, "Key": "parts", "UploadId": upload}
    parts = []
    for number, body in enumerate((b"a" * PART, b"end"), start=1):
        etag = pair.here.upload_part(**named, PartNumber=number, Body=body)["ETag"]
        parts.append({"ETag": etag, "PartNumber": number})
    made = pair.here.complete_multipart_upload(**named, MultipartUpload={"Parts": parts})
    assert pair.status("parts") == "PENDING"
    assert pair.world.replicate() == 3
    assert pair.replicas() == {"one", "copy", "parts"}
    read = pair.there.get_object(Bucket=pair.destination, Key="parts")
    assert (read["ETag"], read["VersionId"]) == (made["ETag"], made["VersionId"])
    assert read["Metadata"] == {"a": "b"}
    assert read["Body"].read() == b"a" * PART + b"end"


def test_versions_keep_their_order(pair: Pair) -> None:
    """All versions of an object come, in the order of their writes, and the last one written is the last one there."""
    versions = [pair.put("one", body) for body in (b"1", b"2", b"3")]
    pair.world.replicate()
    listed = pair.there.list_object_versions(Bucket=pair.destination)["Versions"]
    assert [one["VersionId"] for one in listed] == versions[::-1]


def test_delete_markers(pair: Pair) -> None:
    """A delete marker is replicated where the rule says so, with its version id; the versions below it stay."""
    pair.put("one")
    pair.world.replicate()
    marker = pair.here.delete_object(Bucket=pair.source, Key="one")["VersionId"]
    assert pair.replicas() == {"one"}
    pair.world.replicate()
    assert pair.replicas() == set()
    listed = pair.there.list_object_versions(Bucket=pair.destination)
    assert [one["VersionId"] for one in listed["DeleteMarkers"]] == [marker]
    assert len(listed["Versions"]) == 1


@pytest.mark.parametrize("quiet", [False, True])
def test_many_delete_markers(pair: Pair, quiet: bool) -> None:
    """Delete markers of one call for many objects are replicated, also when its answer is to be quiet."""
    for key in ("one", "two", "three"):
        pair.put(key)
    pair.world.replicate()
    delete = {"Objects": [{"Key": "one"}, {"Key": "two"}], "Quiet": quiet}
    pair.here.delete_objects(Bucket=pair.source, Delete=delete)
    assert pair.world.replicate() == 2
    assert pair.replicas() == {"three"}


def test_delete_markers_that_stay(world: World) -> None:
    """Where the rule leaves delete markers out, and for every deletion of a version, replicas stay."""
    pair = Pair(world, DeleteMarkerReplication={"Status": "Disabled"})
    version = pair.put("one")
    world.replicate()
    pair.here.delete_object(Bucket=pair.source, Key="one")
    pair.here.delete_object(Bucket=pair.source, Key="one", VersionId=version)
    assert world.replicate() == 0
    assert pair.replicas() == {"one"}


def test_a_version_that_is_gone(pair: Pair) -> None:
    """A version that is deleted for good before it could be read never comes, and nothing waits for it."""
    version = pair.put("one")
    pair.here.delete_object(Bucket=pair.source, Key="one", VersionId=version)
    assert pair.world.replicate() == 1
    assert pair.replicas() == set()
    assert pair.world.replicator.idle


def test_prefix_and_tags(world: World) -> None:
    """A rule takes what has its prefix and all its tags at the time of the write, and nothing else."""
    wanted = {"And": {"Prefix": "books/", "Tags": [{"Key": "keep", "Value": "yes"}]}}
    pair = Pair(world, Filter=wanted, DeleteMarkerReplication={"Status": "Disabled"})
    pair.put("books/a", Tagging="keep=yes&other=1")
    pair.put("books/b", Tagging="keep=no")
    pair.put("films/c", Tagging="keep=yes")
    assert world.replicate() == 1
    assert pair.replicas() == {"books/a"}
    assert pair.status("books/b") is None


def test_the_highest_priority_counts(world: World) -> None:
    """Of two rules with one destination the one with the higher number counts; a disabled one takes nothing."""
    pair = Pair(world)
    put_rules(
        pair.here,
        pair.source,
        rule(pair.destination, ID="low", Priority=1, Destination=_into(pair.destination, "STANDARD_IA")),
        rule(pair.destination, ID="high", Priority=2, Destination=_into(pair.destination, "ONEZONE_IA")),
        rule(
            pair.destination,
            ID="off",
            Priority=3,
            Status="Disabled",
            Destination=_into(pair.destination, "GLACIER"),
        ),
    )
    pair.put("one")
    assert world.replicate() == 1
    read = pair.there.head_object(Bucket=pair.destination, Key="one")
    assert read["StorageClass"] == "ONEZONE_IA"


def _into(bucket: str, storage_class: str) -> dict[str, str]:
    return {"Bucket": f"arn:aws:s3:::{bucket}", "StorageClass": storage_class}


def test_two_destinations(world: World) -> None:
    """An object is COMPLETED when its replicas are in all destinations."""
    pair = Pair(world)
    other = new_bucket(pair.there, SECOND)
    put_rules(pair.here, pair.source, rule(pair.destination), rule(other, ID="other", Priority=2))
    pair.put("one")
    first, second = world.replicator.take_arrived()
    world.replicator.carry(first)
    assert pair.status("one") == "PENDING"
    world.replicator.carry(second)
    assert pair.status("one") == "COMPLETED"


def test_tags_follow(pair: Pair) -> None:
    """Tags that an object gets after it was replicated come to its replica."""
    pair.put("one")
    pair.world.replicate()
    tags = [{"Key": "a", "Value": "b"}]
    pair.here.put_object_tagging(Bucket=pair.source, Key="one", Tagging={"TagSet": tags})
    assert pair.status("one") == "PENDING"
    pair.world.replicate()
    assert pair.there.get_object_tagging(Bucket=pair.destination, Key="one")["TagSet"] == tags
    assert pair.status("one") == "COMPLETED"


def test_a_marker_without_an_object(world: World) -> None:
    """The delete marker of an object that was never replicated comes all the same."""
    pair = Pair(world, Filter={"Prefix": "b"})
    pair.put("a")
    put_rules(pair.here, pair.source, rule(pair.destination))
    marker = pair.here.delete_object(Bucket=pair.source, Key="a")["VersionId"]
    world.replicate()
    listed = pair.there.list_object_versions(Bucket=pair.destination)
    assert [one["VersionId"] for one in listed["DeleteMarkers"]] == [marker]
    assert "Versions" not in listed
    assert world.replicator.idle


def test_a_dark_region_by_another_name(pair: Pair) -> None:
    """Also a name without a region leads nowhere while the bucket's region is dark."""
    pair.world.links.dark.add(FIRST)
    with pytest.raises(ClientError, match="ServiceUnavailable"):
        pair.put("one")


def test_objects_under_keys(world: World) -> None:
    """Objects under a KMS key are left out, unless the rule says which key their replicas get."""
    pair = Pair(world)
    pair.put("one", ServerSideEncryption="aws:kms", SSEKMSKeyId="here")
    assert world.replicate() == 0
    destination = {
        "Bucket": f"arn:aws:s3:::{pair.destination}",
        "EncryptionConfiguration": {"ReplicaKmsKeyID": "there"},
    }
    criteria = {"SseKmsEncryptedObjects": {"Status": "Enabled"}}
    put_rules(
        pair.here,
        pair.source,
        rule(pair.destination, Destination=destination, SourceSelectionCriteria=criteria),
    )
    pair.put("two", ServerSideEncryption="aws:kms", SSEKMSKeyId="here")
    assert world.replicate() == 1
    assert pair.there.head_object(Bucket=pair.destination, Key="two")["SSEKMSKeyId"] == "there"


def test_a_delay(pair: Pair) -> None:
    """Over a link with a delay an object is pending for as long, and the time that it took is measured."""
    pair.world.links.conditions[FIRST, SECOND] = LinkCondition(delay_seconds=2)
    pair.put("one", b"12345")
    assert pair.world.replicate(1.9) == 0
    (backlog,) = pair.world.replicator.backlogs()
    assert (backlog.pending, backlog.pending_bytes) == (1, 5)
    assert pair.world.replicate(0.2) == 1
    (backlog,) = pair.world.replicator.backlogs()
    assert (backlog.pending, backlog.oldest_ns, backlog.replicated) == (0, None, 1)
    assert backlog.last_seconds == pytest.approx(2.1)


def test_a_lost_source(pair: Pair) -> None:
    """What was under way when the source went dark is not there; it goes on when the source returns."""
    pair.world.links.conditions[FIRST, SECOND] = LinkCondition(delay_seconds=2)
    pair.put("one")
    pair.world.replicate(1)
    pair.put("two")
    pair.world.replicate(1.5)
    pair.world.links.dark.add(FIRST)
    assert pair.world.replicate(60) == 0
    assert pair.replicas() == {"one"}
    (backlog,) = pair.world.replicator.backlogs()
    assert backlog.pending == 1
    pair.world.links.dark.clear()
    assert pair.world.replicate(1) == 0
    assert pair.world.replicate(1.1) == 1
    assert pair.replicas() == {"one", "two"}


def test_an_object_that_has_arrived_when_the_link_is_cut(pair: Pair) -> None:
    """It is read from its source when it is written: that waits until the regions hear each other again."""
    pair.put("one")
    (arrived,) = pair.world.replicator.take_arrived()
    pair.world.links.conditions[FIRST, SECOND] = LinkCondition(cut=True)
    assert not pair.world.replicator.may_carry(arrived)
    pair.world.links.conditions.clear()
    assert pair.world.replicator.may_carry(arrived)


def _delete_destination(pair: Pair) -> None:
    pair.there.delete_bucket(Bucket=pair.destination)


def _suspend_destination(pair: Pair) -> None:
    pair.there.put_bucket_versioning(Bucket=pair.destination, VersioningConfiguration={"Status": "Suspended"})


@pytest.mark.parametrize("spoil", [_delete_destination, _suspend_destination])
def test_a_destination_that_cannot_take(pair: Pair, spoil: Callable[[Pair], None]) -> None:
    """An object whose destination is gone, or keeps no versions any more, FAILED and is not tried again."""
    spoil(pair)
    pair.put("one")
    assert pair.world.replicate() == 1
    assert pair.status("one") == "FAILED"
    (backlog,) = pair.world.replicator.backlogs()
    assert (backlog.pending, backlog.failed) == (0, 1)


def test_rules_that_are_taken_away(pair: Pair) -> None:
    """A rule that is taken away takes nothing more."""
    pair.here.delete_bucket_replication(Bucket=pair.source)
    pair.put("one")
    assert pair.world.replicate() == 0
    with pytest.raises(ClientError, match="ReplicationConfigurationNotFoundError"):
        pair.here.get_bucket_replication(Bucket=pair.source)


def test_what_is_kept(pair: Pair, tmp_path: Path) -> None:
    """Another replicator goes on from what one knew: the same rules, the same statuses; not from what is pending."""
    pair.put("one")
    with pytest.raises(NotKeptError, match="1 changes of objects are not replicated yet"):
        ReplicationKeeper(pair.world.replicator).keep(tmp_path)
    pair.world.replicate()
    kept = pickle.loads(pickle.dumps(ReplicationKeeper(pair.world.replicator).keep(tmp_path)))  # noqa: S301
    other = World()
    ReplicationKeeper(other.replicator).restore(kept, tmp_path)
    here = other.client(FIRST)
    assert here.head_object(Bucket=pair.source, Key="one")["ReplicationStatus"] == "COMPLETED"
    assert here.get_bucket_replication(Bucket=pair.source) is not None
    here.put_object(Bucket=pair.source, Key="two", Body=b"x")
    assert other.replicate() == 1
    assert pair.replicas() == {"one", "two"}


def test_an_upstream_that_is_silent(pair: Pair) -> None:
    """Where the upstream does not answer nothing is known: an object stays PENDING, and is carried when it can be."""
    pair.put("one")
    (change,) = pair.world.replicator.take_arrived()
    pair.world.upstream.silent = True
    with pytest.raises(UpstreamSilentError):
        pair.world.replicator.carry(change)
    pair.world.upstream.silent = False
    assert pair.status("one") == "PENDING"
    pair.world.replicator.carry(change)
    assert pair.status("one") == "COMPLETED"
    assert pair.replicas() == {"one"}
