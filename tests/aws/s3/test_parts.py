"""Objects of several parts, as odd as S3 allows them: replicated as objects of the same parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drdrill.aws.errors import AwsError
from drdrill.aws.s3 import VERSION_HEADER
from drdrill.aws.s3.objects import UpstreamFailedError, UpstreamSilentError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drdrill.aws.upstream import Call
    from tests.aws.s3.world import Pair

PART = 5 << 20  # the least of a part that is not the last one
HEAD, TAIL = b"a" * PART, b"end"


def upload(
    pair: Pair, parts: Mapping[int, bytes], listed: tuple[int, ...] = (), *, key: str = "parts"
) -> str:
    """Make an object of parts by their numbers, of those that are listed (none: all), and return its ETag."""
    named = {"Bucket": pair.source, "Key": key}
    named["UploadId"] = pair.here.create_multipart_upload(**named)["UploadId"]
    etags = {
        number: pair.here.upload_part(**named, PartNumber=number, Body=body)["ETag"]
        for number, body in parts.items()
    }
    listing = [{"ETag": etags[number], "PartNumber": number} for number in listed or parts]
    return str(pair.here.complete_multipart_upload(**named, MultipartUpload={"Parts": listing})["ETag"])


@pytest.mark.parametrize(
    ("parts", "listed"),
    [
        pytest.param({1: HEAD, 2: b""}, (), id="an empty last part"),
        pytest.param({1: b""}, (), id="one empty part"),
        pytest.param({1: HEAD, 2: TAIL, 3: b"left out"}, (1, 2), id="a last part that is left out"),
        pytest.param({1: HEAD, 3: TAIL}, (), id="numbers with a gap"),
        pytest.param({7: TAIL}, (), id="one number that is not the first"),
        pytest.param({1: HEAD, 2: HEAD + b"left out", 3: TAIL}, (1, 3), id="a part between that is left out"),
    ],
)
def test_odd_parts(pair: Pair, parts: dict[int, bytes], listed: tuple[int, ...]) -> None:
    """An object is replicated with its ETag, whatever parts it was made of, and no upload is left behind.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
    """
    etag = upload(pair, parts, listed)
    assert pair.world.replicate() == 1
    assert pair.status("parts") == "COMPLETED"
    replica = pair.there.get_object(Bucket=pair.destination, Key="parts")
    assert replica["ETag"] == etag
    assert replica["Body"].read() == b"".join(parts[number] for number in listed or parts)
    assert uploads(pair) == []


def uploads(pair: Pair) -> list[str]:
    """Return the keys of uploads to the destination that were neither completed nor aborted."""
    listed = pair.there.list_multipart_uploads(Bucket=pair.destination)
    return [one["Key"] for one in listed.get("Uploads", [])]


@pytest.mark.parametrize(("status", "becomes"), [(404, "COMPLETED"), (416, "FAILED"), (403, "FAILED")])
def test_a_part_that_cannot_be_read(pair: Pair, status: int, becomes: str) -> None:
    """A version that is gone when its parts are read is not waited for; one that is there and cannot be read FAILED."""
    upload(pair, {1: HEAD, 2: TAIL})
    pair.world.upstream.fails = lambda call: status if call.header("range") else 0
    pair.world.replicate()
    assert pair.status("parts") == becomes
    assert pair.replicas() == set()
    assert uploads(pair) == []


@pytest.mark.parametrize("wanted", ["partNumber=2", "uploadId=", "x-drdrill"])
@pytest.mark.parametrize("silent", [False, True])
def test_an_upload_that_breaks_off(pair: Pair, wanted: str, silent: bool) -> None:
    """An upload that breaks off, at whichever call, is aborted, and the next attempt makes the object whole."""
    etag = upload(pair, {1: HEAD, 2: TAIL})
    (change,) = pair.world.replicator.take_arrived()
    upstream = pair.world.upstream

    def fail(call: Call) -> int:
        met = call.method in ("PUT", "POST") and "uploadId=" in call.query
        if wanted == "x-drdrill":
            met = met and call.header(VERSION_HEADER) != ""
        elif wanted not in call.query:
            met = False
        if met and silent:
            raise AwsError("ServiceUnavailable", "silence", status=503)
        return 500 if met else 0

    upstream.fails = fail
    with pytest.raises(UpstreamSilentError if silent else UpstreamFailedError):
        pair.world.replicator.carry(change)
    assert uploads(pair) == []
    assert pair.status("parts") == "PENDING"
    upstream.fails = lambda _: 0
    pair.world.replicator.carry(change)
    assert pair.there.head_object(Bucket=pair.destination, Key="parts")["ETag"] == etag


def test_a_destination_that_takes_no_part(pair: Pair) -> None:
    """An upload of which one part is refused is aborted, and the object FAILED."""
    upload(pair, {1: HEAD, 2: TAIL})
    pair.world.upstream.fails = lambda call: 403 if "partNumber=2&uploadId" in call.query else 0
    pair.world.replicate()
    assert pair.status("parts") == "FAILED"
    assert uploads(pair) == []


def test_an_upstream_that_reads_no_part(pair: Pair) -> None:
    """Where the upstream does not say how long parts are, the replica is one piece, with the same content."""
    upload(pair, {1: HEAD, 2: TAIL})
    pair.world.upstream.fails = lambda call: (
        400 if call.method == "HEAD" and "partNumber" in call.query else 0
    )
    pair.world.replicate()
    assert pair.status("parts") == "COMPLETED"
    read = pair.there.get_object(Bucket=pair.destination, Key="parts")
    assert read["Body"].read() == HEAD + TAIL
