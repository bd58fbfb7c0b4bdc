"""Replication of S3 between two regions, as AWS documents it; nothing but boto3 and AWS's command line."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from drdrill.core.errors import CommandFailedError
from tests.contract.s3.conftest import await_true
from tests.live.aws_cli import install_aws_cli

if TYPE_CHECKING:
    from collections.abc import Callable

    from drdrill.mirror.embedded import Embedded
    from tests.contract.s3.conftest import Between, NewPair

pytestmark = pytest.mark.drill
PART = 5 << 20
_CLI_WITHIN = timedelta(seconds=60)  # measured 1 s a command


def test_an_object_and_what_belongs_to_it(new_pair: NewPair) -> None:
    """An object is PENDING, then COMPLETED; its REPLICA has its data, version id, metadata, tags and checksum.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-what-is-isnot-replicated.html
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-status.html
    """
    pair = new_pair()
    version = pair.put(
        "a b/ä", b"data", Metadata={"number": "42"}, Tagging="team=books", ContentType="application/pdf",
        ChecksumAlgorithm="SHA256",
    )  # fmt: skip
    pair.await_status("a b/ä", "COMPLETED")
    replica = pair.there.get_object(Bucket=pair.destination, Key="a b/ä", ChecksumMode="ENABLED")
    source = pair.here.head_object(Bucket=pair.source, Key="a b/ä", ChecksumMode="ENABLED")
    assert replica["Body"].read() == b"data"
    assert (replica["ReplicationStatus"], replica["VersionId"]) == ("REPLICA", version)
    for member in ("Metadata", "ContentType", "ETag", "ChecksumSHA256"):
        assert replica[member] == source[member]
    tags = pair.there.get_object_tagging(Bucket=pair.destination, Key="a b/ä")["TagSet"]
    assert tags == [{"Key": "team", "Value": "books"}]


def test_an_object_of_parts(new_pair: NewPair) -> None:
    """An object of several parts is replicated as one of the same parts: its ETag is the same.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-what-is-isnot-replicated.html
    """
    pair = new_pair()
    upload = pair.here.create_multipart_upload(Bucket=pair.source, Key="parts")["UploadId"]
    named = {"Bucket": pair.source, "Key": "parts", "UploadId": upload}
    parts = []
    for number, body in enumerate((b"a" * PART, b"b" * PART, b"end"), start=1):
        etag = pair.here.upload_part(**named, PartNumber=number, Body=body)["ETag"]
        parts.append({"ETag": etag, "PartNumber": number})
    pair.here.complete_multipart_upload(**named, MultipartUpload={"Parts": parts})
    pair.await_status("parts", "COMPLETED")
    source = pair.here.head_object(Bucket=pair.source, Key="parts")
    replica = pair.find_replica("parts")
    assert replica is not None
    assert (replica["ETag"], replica["ContentLength"]) == (source["ETag"], 2 * PART + 3)


def test_deletions(new_pair: NewPair) -> None:
    """A delete marker is replicated where the rule says so; that a version was deleted never is.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/delete-marker-replication.html
    """
    pair = new_pair()
    version = pair.put("one")
    pair.await_status("one", "COMPLETED")
    marker = pair.here.delete_object(Bucket=pair.source, Key="one")["VersionId"]

    def read_markers() -> list[str]:
        listed = pair.there.list_object_versions(Bucket=pair.destination)
        return [one["VersionId"] for one in listed.get("DeleteMarkers", [])]

    await_true(lambda: read_markers() == [marker], "the replica's delete marker")
    pair.here.delete_object(Bucket=pair.source, Key="one", VersionId=version)
    pair.put("two")
    pair.await_status("two", "COMPLETED")
    listed = pair.there.list_object_versions(Bucket=pair.destination, Prefix="one")
    assert [one["VersionId"] for one in listed["Versions"]] == [version]


def test_what_was_there_before(new_pair: NewPair) -> None:
    """Objects from before a bucket had rules are not replicated, and have no status.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-what-is-isnot-replicated.html
    """
    pair = new_pair.without_rules()
    pair.put("old")
    rule = {"ID": "v1", "Status": "Enabled", "Prefix": "", "Destination": {"Bucket": _arn(pair.destination)}}
    configuration = {"Role": "arn:aws:iam::000000000000:role/replication", "Rules": [rule]}
    pair.here.put_bucket_replication(Bucket=pair.source, ReplicationConfiguration=configuration)
    pair.put("new")
    pair.await_status("new", "COMPLETED")
    assert pair.read_status("old") is None
    assert pair.find_replica("old") is None
    kept = pair.here.get_bucket_replication(Bucket=pair.source)["ReplicationConfiguration"]
    assert kept == configuration


def test_a_backlog(new_pair: NewPair, between: Between) -> None:
    """What is written while the link is cut is PENDING, and goes on in the order of its writes when it is not.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-status.html
    """
    pair = new_pair()
    with between.shaped(cut=True):
        versions = [pair.put("one", body) for body in (b"1", b"22", b"333")]
        assert pair.read_status("one") == "PENDING"
        backlog = between.backlog(pair.source)
        assert (backlog["pending"], backlog["pending_bytes"]) == (3, 6)
        assert backlog["oldest_seconds"] > 0
        assert pair.find_replica("one") is None
    pair.await_status("one", "COMPLETED")
    listed = pair.there.list_object_versions(Bucket=pair.destination)["Versions"]
    assert [one["VersionId"] for one in listed] == versions[::-1]
    backlog = between.backlog(pair.source)
    assert (backlog["pending"], backlog["oldest_ns"], backlog["replicated"]) == (0, None, 3)


def test_the_time_that_it_takes_is_measured(new_pair: NewPair, between: Between) -> None:
    """Over a link that delays for a second, an object is there a second later, and the metric says so.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-metrics.html
    """
    pair = new_pair(into={"Metrics": {"Status": "Enabled", "EventThreshold": {"Minutes": 15}}})
    with between.shaped(delay_seconds=1):
        pair.put("one")
        pair.await_status("one", "COMPLETED")
    assert between.backlog(pair.source)["last_seconds"] >= 1


def test_metrics(new_pair: NewPair, between: Between, client: Callable[..., Any]) -> None:
    """CloudWatch of the destination's region has what is pending of each rule with metrics, and for how long.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/repl-metrics.html
    """
    pair = new_pair(into={"Metrics": {"Status": "Enabled", "EventThreshold": {"Minutes": 15}}})
    cloudwatch = client(between.second, "cloudwatch")
    dimensions = [
        {"Name": "SourceBucket", "Value": pair.source},
        {"Name": "DestinationBucket", "Value": pair.destination},
        {"Name": "RuleId", "Value": "everything"},
    ]

    def read_most(name: str) -> float:
        now = datetime.now(UTC)
        points = cloudwatch.get_metric_statistics(
            Namespace="AWS/S3", MetricName=name, Dimensions=dimensions, Statistics=["Maximum"], Period=60,
            StartTime=now - timedelta(minutes=3), EndTime=now + timedelta(minutes=1),
        )["Datapoints"]  # fmt: skip
        return float(max((point["Maximum"] for point in points), default=0))

    with between.shaped(cut=True):
        pair.put("one", b"12345")
        await_true(lambda: read_most("BytesPendingReplication") == 5, "5 bytes pending")
        await_true(lambda: read_most("OperationsPendingReplication") == 1, "one operation pending")
        await_true(lambda: read_most("ReplicationLatency") > 1, "a latency of a second")
    pair.await_status("one", "COMPLETED")


def test_a_lost_source(new_pair: NewPair, between: Between, environment: Embedded) -> None:
    """While the source's region is dark its destination serves what came, and nothing more; what waited comes later.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication.html
    """
    pair = new_pair()
    aws = str(install_aws_cli() / "aws")
    impatient = [
        "env", "AWS_MAX_ATTEMPTS=1", aws, "s3api", "list-objects-v2", "--region", between.first,
        "--cli-connect-timeout", "1", "--cli-read-timeout", "1",
    ]  # fmt: skip
    pair.put("came")
    pair.await_status("came", "COMPLETED")
    with between.shaped(delay_seconds=1):
        pair.put("waits")
        with between.dark(between.first):
            # Longer than the link delays: what was under way would be there.
            await_true(lambda: between.backlog(pair.source)["oldest_seconds"] > 2, "two seconds")
            assert pair.find_replica("waits") is None
            read = pair.there.get_object(Bucket=pair.destination, Key="came")
            assert read["Body"].read() == b"data"
            with pytest.raises(CommandFailedError, match="timeout"):
                environment.run_for_operator([*impatient, "--bucket", pair.source], within=_CLI_WITHIN)
    pair.await_status("waits", "COMPLETED")
    assert pair.find_replica("waits") is not None


def _arn(bucket: str) -> str:
    return f"arn:aws:s3:::{bucket}"


def test_destinations_that_cannot_be(new_pair: NewPair) -> None:
    """A destination has to exist and to keep versions; versioning of a source stays on while it has rules.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketReplication.html
    """
    pair = new_pair()
    plain = new_pair.without_rules()
    plain.there.put_bucket_versioning(
        Bucket=plain.destination, VersioningConfiguration={"Status": "Suspended"}
    )
    for destination, words in (
        ("contract-nowhere-at-all", "Destination bucket must exist"),
        (plain.destination, "Destination bucket must have versioning enabled"),
    ):
        rule = {"Status": "Enabled", "Prefix": "", "Destination": {"Bucket": _arn(destination)}}
        with pytest.raises(ClientError, match=words) as refused:
            plain.here.put_bucket_replication(
                Bucket=plain.source,
                ReplicationConfiguration={"Role": "arn:aws:iam::000000000000:role/r", "Rules": [rule]},
            )
        assert refused.value.response["Error"]["Code"] == "InvalidRequest"
    with pytest.raises(ClientError, match="InvalidBucketState"):
        pair.here.put_bucket_versioning(Bucket=pair.source, VersioningConfiguration={"Status": "Suspended"})


def test_the_command_line(new_pair: NewPair, environment: Embedded) -> None:
    """AWS's own command line, unmodified: a copy into the source is there in the other region, as a replica.

    https://docs.aws.amazon.com/cli/latest/reference/s3/cp.html
    """
    pair = new_pair()
    aws = str(install_aws_cli() / "aws")
    regions = [pair.here.meta.region_name, pair.there.meta.region_name]
    script = f"printf 'by hand' | {aws} s3 cp - s3://{pair.source}/by/hand --region {regions[0]}"
    environment.run_for_operator(["sh", "-c", script], within=_CLI_WITHIN)
    pair.await_status("by/hand", "COMPLETED")
    command = [
        aws,
        "s3api",
        "head-object",
        "--bucket",
        pair.destination,
        "--key",
        "by/hand",
        "--region",
        regions[1],
    ]
    said = json.loads(environment.run_for_operator([*command, "--output", "json"], within=_CLI_WITHIN))
    assert said["ReplicationStatus"] == "REPLICA"
    told = environment.run_for_operator(
        [
            aws,
            "s3api",
            "get-bucket-replication",
            "--bucket",
            pair.source,
            "--region",
            regions[0],
            "--output",
            "json",
        ],
        within=_CLI_WITHIN,
    )
    assert json.loads(told)["ReplicationConfiguration"]["Rules"][0]["ID"] == "everything"
