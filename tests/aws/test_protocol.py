"""The Query protocol, against botocore's own serialiser and parser."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import pytest
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from drdrill.aws.errors import AwsError
from drdrill.aws.protocol import load_model, parse_request, serialise_response

AT = datetime(2026, 11, 25, 21, 38, 5, 123000, tzinfo=UTC)
REQUESTS = [
    (
        "CreateDBInstance",
        {
            "DBInstanceIdentifier": "second",
            "DBInstanceClass": "db.r6g.large",
            "Engine": "postgres",
            "AllocatedStorage": 100,
            "MasterUserPassword": "with & and = and %, ü",
            "MultiAZ": True,
            "PubliclyAccessible": False,
            "Tags": [{"Key": "one", "Value": "1"}, {"Key": "empty", "Value": ""}, {"Key": "two"}],
            "VpcSecurityGroupIds": [f"sg-{number}" for number in range(12)],
            "ProcessorFeatures": [{"Name": "coreCount", "Value": "2"}],
        },
    ),
    (
        "DescribeDBInstances",
        {
            "DBInstanceIdentifier": "second",
            "MaxRecords": 20,
            "Filters": [
                {"Name": "engine", "Values": ["a", "b"]},
                {"Name": "db-instance-id", "Values": ["c"]},
            ],
        },
    ),
    ("DescribeDBInstances", {}),
    (
        "DescribeEvents",
        {
            "SourceIdentifier": "second",
            "SourceType": "db-instance",
            "StartTime": AT.replace(microsecond=0),
            "Duration": 60,
            "EventCategories": ["failover", "creation"],
        },
    ),
    ("DescribeEvents", {"EventCategories": []}),
]
INSTANCE = {
    "DBInstanceIdentifier": "second",
    "AllocatedStorage": 100,
    "MultiAZ": True,
    "DeletionProtection": False,
    "InstanceCreateTime": AT,
    "Endpoint": {"Address": "second.x.eu-west-1.rds.amazonaws.com", "Port": 5432},
    "TagList": [{"Key": "one", "Value": '<1> & "2"'}, {"Key": "two", "Value": ""}],
    "ReadReplicaDBInstanceIdentifiers": [],
}  # fmt: skip
EVENT = {
    "SourceIdentifier": "second",
    "SourceType": "db-instance",
    "Message": "Multi-AZ instance failover completed.",
    "EventCategories": ["failover", "notification"],
    "Date": AT,
}
ANSWERS = [
    ("CreateDBInstance", {"DBInstance": INSTANCE}),
    ("DescribeDBInstances", {"DBInstances": [INSTANCE, {**INSTANCE, "DBInstanceIdentifier": "third"}]}),
    ("DescribeDBInstances", {"DBInstances": []}),
    ("DescribeEvents", {"Events": [EVENT, {**EVENT, "EventCategories": []}]}),
]


@pytest.mark.parametrize(("operation", "parameters"), REQUESTS)
def test_requests_round_trip(operation: str, parameters: dict[str, Any]) -> None:
    """What botocore writes into a request is what is read out of it."""
    model = load_model("rds").operation_model(operation)
    body = create_serializer("query").serialize_to_request(parameters, model)["body"]
    assert parse_request("rds", urlencode(body).encode()) == (operation, parameters)


@pytest.mark.parametrize(("operation", "result"), ANSWERS)
def test_answers_round_trip(operation: str, result: dict[str, Any]) -> None:
    """What is written into an answer is what botocore reads out of it."""
    document = serialise_response("rds", operation, result)
    shape = load_model("rds").operation_model(operation).output_shape
    parsed = create_parser("query").parse({"body": document, "headers": {}, "status_code": 200}, shape)
    assert parsed.pop("ResponseMetadata")["RequestId"]
    assert parsed == result


def test_unknown_members_are_ours_to_mend() -> None:
    """An answer with a member that AWS does not have is a TypeError that names it, at any depth."""
    with pytest.raises(TypeError, match=r"DBInstance has no members \['Colour'\]"):
        serialise_response("rds", "CreateDBInstance", {"DBInstance": {"Colour": "red"}})


@pytest.mark.parametrize("name", ["", "createdbinstance", "DropEverything"])
def test_unknown_actions(name: str) -> None:
    """An action that AWS does not have is refused, whatever its case."""
    with pytest.raises(AwsError, match=f"The action {name} is not valid") as caught:
        parse_request("rds", f"Action={name}".encode())
    assert caught.value.code == "InvalidAction"


def test_the_first_missing_parameter_is_named() -> None:
    """A required parameter that is missing is named."""
    with pytest.raises(AwsError, match="parameter DBInstanceIdentifier") as caught:
        parse_request("rds", b"Action=CreateDBInstance&Engine=postgres")
    assert caught.value.code == "MissingParameter"


@pytest.mark.parametrize(
    "text", ["1e999", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00%2B12:00", "some day"]
)
def test_times_that_no_calendar_has(text: str) -> None:
    """A time that is none, or none in UTC, is refused by name."""
    with pytest.raises(AwsError, match="StartTime") as caught:
        parse_request("rds", f"Action=DescribeEvents&StartTime={text}".encode())
    assert caught.value.code == "InvalidParameterValue"


def test_characters_that_no_answer_can_hold() -> None:
    """What XML cannot say is refused at the door: an SDK could not read any answer that repeats it."""
    with pytest.raises(AwsError, match="DBInstanceIdentifier has the character") as caught:
        parse_request("rds", b"Action=DescribeDBInstances&DBInstanceIdentifier=a%0B")
    assert caught.value.code == "InvalidParameterValue"
    document = serialise_response("rds", "DescribeEvents", {"Events": [{"Message": "a\x00b"}]})
    assert "a\N{REPLACEMENT CHARACTER}b" in document.decode()


def test_lists_have_the_model_s_element_names() -> None:
    """The items of a list have the names that AWS's model gives them, for SDKs that are stricter than botocore."""
    document = ET.fromstring(  # noqa: S314 (our own document)
        serialise_response("rds", "DescribeDBInstances", {"DBInstances": [INSTANCE]})
    )
    namespace = f"{{{load_model('rds').metadata['xmlNamespace']}}}"
    steps = ("DescribeDBInstancesResult", "DBInstances", "DBInstance", "TagList", "Tag", "Key")
    assert document.findtext("/".join(namespace + step for step in steps)) == "one"
