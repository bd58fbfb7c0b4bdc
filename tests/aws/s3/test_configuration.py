"""Replication configurations that S3 refuses, each with S3's own error; and what is kept of those that it takes."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.aws.s3.world import FIRST, ROLE, SECOND, World, new_bucket, put_rules, rule

TAG = {"Tag": {"Key": "a", "Value": "b"}}


class Place:
    """A source and destinations without rules."""

    def __init__(self) -> None:
        world = World()
        self.here = world.client(FIRST)
        self.source, self.plain = new_bucket(self.here, FIRST), new_bucket(self.here, FIRST, versioned=False)
        self.destination = new_bucket(world.client(SECOND), SECOND)

    def refuse(self, *rules: dict[str, Any], bucket: str = "", role: str = ROLE) -> tuple[str, str]:
        """Return code and message of the error that rules are refused with."""
        with pytest.raises(ClientError) as refused:
            self.here.put_bucket_replication(
                Bucket=bucket or self.source, ReplicationConfiguration={"Role": role, "Rules": list(rules)}
            )
        error = refused.value.response["Error"]
        return error["Code"], error["Message"]


@pytest.fixture(scope="module")
def place() -> Place:
    """Return buckets for all tests: none of them gets rules."""
    return Place()


def _into(bucket: str, **others: Any) -> dict[str, Any]:
    return {"Destination": {"Bucket": f"arn:aws:s3:::{bucket}", **others}}


def _earlier(bucket: str, prefix: str, **others: Any) -> dict[str, Any]:
    return {"Status": "Enabled", "Prefix": prefix, **_into(bucket), **others}


def test_buckets(place: Place) -> None:
    """Both buckets keep versions, the destination exists, and is another one."""
    versions = "Versioning must be 'Enabled' on the bucket to apply a replication configuration"
    assert place.refuse(rule(place.destination), bucket=place.plain) == ("InvalidRequest", versions)
    for name, words in (
        ("bucket-nowhere", "Destination bucket must exist."),
        (place.plain, "Destination bucket must have versioning enabled."),
        (place.source, "Destination bucket cannot be the same as the source bucket."),
    ):
        assert place.refuse(rule(name)) == ("InvalidRequest", words)
    assert place.refuse(rule(place.destination), bucket="bucket-nowhere")[0] == "NoSuchBucket"


def test_words(place: Place) -> None:
    """A role and a destination are names of such things, and a status is one of two."""
    assert place.refuse(rule(place.destination), role="somebody")[0] == "InvalidArgument"
    assert place.refuse(rule(place.destination, Destination={"Bucket": "name"}))[0] == "InvalidArgument"
    assert place.refuse(rule(place.destination, Status="On"))[0] == "MalformedXML"
    assert place.refuse(rule(place.destination, ID="a" * 256))[0] == "InvalidArgument"


@pytest.mark.parametrize("missing", ["Priority", "DeleteMarkerReplication"])
def test_what_a_filter_needs(place: Place, missing: str) -> None:
    """A rule with a filter says its priority, and what becomes of delete markers."""
    incomplete = {name: value for name, value in rule(place.destination).items() if name != missing}
    code, message = place.refuse(incomplete)
    assert code == "InvalidRequest"
    assert message.startswith(f"{missing} must be specified for this version")


def test_rules_that_do_not_go_together(place: Place) -> None:
    """Ids and priorities are unique, versions of the schema do not mix, and without filters prefixes do not overlap."""
    to = place.destination
    assert place.refuse(rule(to), rule(to, Priority=2))[0] == "InvalidArgument"
    assert "Priority must be unique" in place.refuse(rule(to), rule(to, ID="other"))[1]
    assert place.refuse(rule(to), _earlier(to, "a"))[0] == "InvalidRequest"
    assert "overlapping prefixes 'a' and 'ab'" in place.refuse(_earlier(to, "ab"), _earlier(to, "a"))[1]


def test_markers_and_tags(place: Place) -> None:
    """Delete markers have no tags, so a rule for tags cannot take them."""
    code, message = place.refuse(rule(place.destination, Filter=TAG))
    assert code == "InvalidRequest"
    assert message.startswith("Delete marker replication is not supported if any Tag filter is specified.")


def test_what_needs_what(place: Place) -> None:
    """Replication time control needs metrics, and objects under KMS keys need a key for their replicas."""
    time = {"ReplicationTime": {"Status": "Enabled", "Time": {"Minutes": 15}}}
    assert place.refuse(rule(place.destination, **_into(place.destination, **time)))[0] == "InvalidRequest"
    criteria = {"SseKmsEncryptedObjects": {"Status": "Enabled"}}
    assert place.refuse(rule(place.destination, SourceSelectionCriteria=criteria))[0] == "InvalidRequest"


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("ExistingObjectReplication", {"Status": "Enabled"}),
        ("SourceSelectionCriteria", {"ReplicaModifications": {"Status": "Enabled"}}),
    ],
)
def test_what_is_not_implemented(place: Place, member: str, value: dict[str, Any]) -> None:
    """What the mirror cannot do is refused by name, and nothing comes into force."""
    code, message = place.refuse(rule(place.destination, **{member: value}))
    assert code == "NotImplemented"
    assert (member if "Status" in value else "ReplicaModifications") in message
    with pytest.raises(ClientError, match="ReplicationConfigurationNotFoundError"):
        place.here.get_bucket_replication(Bucket=place.source)


def test_what_is_kept() -> None:
    """A configuration is described as it was put, with an id for each rule that had none."""
    place = Place()
    put_rules(
        place.here,
        place.source,
        rule(
            place.destination,
            DeleteMarkerReplication={"Status": "Disabled"},
            Filter={"And": {"Prefix": "a", "Tags": [TAG["Tag"]]}},
        ),
        rule(place.destination, ID="", Priority=2, Status="Disabled"),
    )
    kept = place.here.get_bucket_replication(Bucket=place.source)["ReplicationConfiguration"]
    first, second = kept["Rules"]
    assert first["Filter"]["And"] == {"Prefix": "a", "Tags": [TAG["Tag"]]}
    assert second["ID"]
    assert (kept["Role"], second["Priority"], second["Status"]) == (ROLE, 2, "Disabled")


def test_versioning_stays_on() -> None:
    """Versioning of a source cannot be suspended while it has rules, and can be afterwards."""
    place = Place()
    put_rules(place.here, place.source, rule(place.destination))
    suspend = {"Bucket": place.source, "VersioningConfiguration": {"Status": "Suspended"}}
    with pytest.raises(ClientError, match="InvalidBucketState"):
        place.here.put_bucket_versioning(**suspend)
    place.here.delete_bucket_replication(Bucket=place.source)
    place.here.put_bucket_versioning(**suspend)
