"""What the door notes of calls that succeeded, where the upstream can be asked nothing more after them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from drdrill.aws.s3 import Objects, ReplicatingDoor
from tests.aws.s3.world import SECOND, Pair, World, new_bucket

if TYPE_CHECKING:
    from drdrill.aws.request_body import Body
    from drdrill.aws.upstream import Call, Reply

PART = b"a" * (5 << 20)
TAGGED = {"And": {"Prefix": "", "Tags": [{"Key": "keep", "Value": "yes"}]}}
NO_MARKERS = {"Status": "Disabled"}


def fail_to_look(call: Call) -> int:
    """Fail at every question after an object."""
    asks = call.method == "HEAD" or (call.method == "GET" and "tagging=" in call.query)
    return 500 if asks and call.path.count("/") > 1 else 0


def _put(pair: Pair, **others: Any) -> None:
    pair.put("new", b"12345", **others)


def _copy(pair: Pair, **others: Any) -> None:
    source = {"Bucket": pair.source, "Key": "old"}
    pair.here.copy_object(
        Bucket=pair.source, Key="new", CopySource=source, TaggingDirective="REPLACE", **others
    )


def _upload(pair: Pair, **others: Any) -> None:
    named = {"Bucket": pair.source, "Key": "new"}
    named["UploadId"] = pair.here.create_multipart_upload(**named, **others)["UploadId"]
    etag = pair.here.upload_part(**named, PartNumber=1, Body=PART)["ETag"]
    pair.here.complete_multipart_upload(**named, MultipartUpload={"Parts": [{"ETag": etag, "PartNumber": 1}]})


@pytest.mark.parametrize("write", [_put, _copy, _upload])
def test_a_write_that_cannot_be_looked_at(pair: Pair, write: Any) -> None:
    """A write that succeeded succeeds, and is replicated, also where the upstream fails right after it."""
    pair.put("old")
    pair.world.replicate()
    pair.world.upstream.fails = fail_to_look
    write(pair)
    pair.world.upstream.fails = lambda _: 0
    assert pair.status("new") == "PENDING"
    assert pair.world.replicate() == 1
    assert pair.replicas() == {"old", "new"}


def test_how_much_is_pending(pair: Pair) -> None:
    """The bytes of an object that is pending are its own, however it is sent."""
    pair.put("one", b"12345")
    (backlog,) = pair.world.replicator.backlogs()
    assert backlog.pending_bytes == 5
    pair.here.copy_object(Bucket=pair.source, Key="two", CopySource={"Bucket": pair.source, "Key": "one"})
    (backlog,) = pair.world.replicator.backlogs()
    assert backlog.pending_bytes == 10


@pytest.mark.parametrize("write", [_put, _copy, _upload])
@pytest.mark.parametrize("kept", ["yes", "no"])
def test_tags_that_have_a_say(world: World, write: Any, kept: str) -> None:
    """A rule with tags takes what is written with them, in every way of writing."""
    pair = Pair(world, Filter=TAGGED, DeleteMarkerReplication=NO_MARKERS)
    pair.put("old")
    write(pair, Tagging=f"keep={kept}&other=")
    assert world.replicate() == (kept == "yes")


@pytest.mark.parametrize(("write", "becomes"), [(_put, "PENDING"), (_copy, "FAILED"), (_upload, "FAILED")])
def test_tags_that_nobody_knows(world: World, write: Any, becomes: str) -> None:
    """Where tags have a say and cannot be read an object FAILED, and is counted: it is not left out unseen."""
    pair = Pair(world, Filter=TAGGED, DeleteMarkerReplication=NO_MARKERS)
    pair.put("old")
    world.upstream.fails = fail_to_look
    write(pair, Tagging="keep=yes")
    world.upstream.fails = lambda _: 0
    assert pair.status("new") == becomes
    (backlog,) = world.replicator.backlogs()
    assert backlog.failed == (becomes == "FAILED")


def test_markers_that_cannot_be_looked_at(pair: Pair) -> None:
    """Delete markers of many objects are noted by the answer."""
    pair.put("one")
    pair.world.replicate()
    pair.world.upstream.fails = fail_to_look
    pair.here.delete_objects(Bucket=pair.source, Delete={"Objects": [{"Key": "one"}]})
    pair.world.upstream.fails = lambda _: 0
    assert pair.world.replicate() == 1
    assert pair.replicas() == set()


def test_markers_of_a_quiet_answer(pair: Pair) -> None:
    """Where the answer was to be quiet they are looked for, and the call may be repeated where that fails."""

    def send(call: Call, body: Body) -> Reply:
        reply = pair.world.upstream.send(call, body)  # moto is never quiet
        return replace(reply, chunks=(b"<DeleteResult/>",)) if call.operation == "DeleteObjects" else reply

    pair.put("one")
    pair.world.replicate()
    pair.world.door = ReplicatingDoor(send, pair.world.objects, pair.world.replicator)
    pair.world.upstream.fails = fail_to_look
    deletion = {"Objects": [{"Key": "one"}], "Quiet": True}
    with pytest.raises(ClientError, match="ServiceUnavailable"):
        pair.here.delete_objects(Bucket=pair.source, Delete=deletion)
    pair.world.upstream.fails = lambda _: 0
    pair.here.delete_objects(Bucket=pair.source, Delete=deletion)
    assert pair.world.replicate() == 1
    assert pair.replicas() == set()


def test_deleted_versions_among_many(pair: Pair) -> None:
    """Of one call for many objects only the markers are replicated, not that versions were deleted."""
    version = pair.put("one")
    pair.put("two")
    pair.world.replicate()
    objects = [{"Key": "one", "VersionId": version}, {"Key": "two"}]
    pair.here.delete_objects(Bucket=pair.source, Delete={"Objects": objects})
    assert pair.world.replicate() == 1
    assert pair.replicas() == {"one"}


def test_tags_of_a_version_that_cannot_be_looked_at(pair: Pair) -> None:
    """New tags of a version that is named are noted; where nobody can tell whose they are, the call may be repeated."""
    version = pair.put("one")
    pair.world.replicate()
    tags = [{"Key": "a", "Value": "b"}]
    named = {"Bucket": pair.source, "Key": "one", "Tagging": {"TagSet": tags}}
    pair.world.upstream.fails = fail_to_look
    with pytest.raises(ClientError, match="ServiceUnavailable"):
        pair.here.put_object_tagging(**named)
    pair.here.put_object_tagging(**named, VersionId=version)
    pair.world.upstream.fails = lambda _: 0
    assert pair.world.replicate() == 1
    assert pair.there.get_object_tagging(Bucket=pair.destination, Key="one")["TagSet"] == tags


def test_a_bucket_that_is_made_later(world: World) -> None:
    """That a bucket does not exist, or keeps no versions, is not remembered."""
    there = world.client(SECOND)
    name = new_bucket(there, SECOND, versioned=False)
    assert not world.objects.is_versioned(name)
    other = World()  # another door to the same buckets, which tells the first one nothing
    other.client(SECOND).put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    assert world.objects.is_versioned(name)


def test_a_look_that_races_with_a_change(world: World) -> None:
    """What was read before a bucket's versioning was changed is not remembered after it."""
    name = new_bucket(world.client(SECOND), SECOND)
    reads = []

    def send(call: Call, body: Body) -> Reply:
        reply = world.upstream.send(call, body)
        if "versioning" in call.query:
            reads.append(call)
            if len(reads) == 1:
                objects.forget(name)  # the change comes while the answer is on its way
        return reply

    objects = Objects(send)
    for _ in range(3):
        assert objects.is_versioned(name)
    assert len(reads) == 2
