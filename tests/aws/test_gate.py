"""The gate: what it lets in, what it refuses in each protocol, and that nothing but AWS's words come out."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from drdrill.aws.dialect import Dialect, say_error
from drdrill.aws.errors import AwsError
from tests.aws.sdk import REGION, SmallService, Wire

if TYPE_CHECKING:
    from drdrill.aws.protocol import Parameters

FORM = {"CONTENT_TYPE": "application/x-www-form-urlencoded", "REQUEST_METHOD": "POST", "PATH_INFO": "/"}
SCOPE = (
    "AWS4-HMAC-SHA256 Credential=nobody/20261101/eu-west-1/rds/aws4_request, SignedHeaders=host, Signature=0"
)

UPLOAD = {"Bucket": "b.with.dots", "Key": "k/k", "PartNumber": 1, "UploadId": "u", "Body": b"x"}
# Services of each protocol: service, operation of the client, its parameters, the name that is refused.
EVERY_PROTOCOL = [
    ("rds", "describe_db_clusters", {}, "rds:DescribeDBClusters"),  # query
    ("sts", "get_caller_identity", {}, "sts:GetCallerIdentity"),  # query
    ("ec2", "describe_instances", {}, "ec2:DescribeInstances"),  # ec2
    ("s3", "list_objects_v2", {"Bucket": "b"}, "s3:ListObjectsV2"),  # rest-xml
    ("s3", "put_object", {"Bucket": "b", "Key": "k", "Body": b"Action=x"}, "s3:PutObject"),  # rest-xml
    ("s3", "upload_part", UPLOAD, "s3:UploadPart"),  # rest-xml
    ("s3control", "list_access_points", {"AccountId": "123456789012"}, "s3:ListAccessPoints"),  # rest-xml
    ("route53", "list_hosted_zones", {}, "route53:ListHostedZones"),  # rest-xml
    ("dynamodb", "list_tables", {}, "dynamodb:ListTables"),  # json
    ("sqs", "list_queues", {}, "sqs:ListQueues"),  # json
    ("ssm", "get_parameter", {"Name": "n"}, "ssm:GetParameter"),  # json
    ("eks", "list_clusters", {}, "eks:ListClusters"),  # rest-json
    ("lambda", "list_functions", {}, "lambda:ListFunctions"),  # rest-json
    (
        "cloudwatchomni",
        "get_intelligence_configuration",
        {},
        "cloudwatch:GetIntelligenceConfiguration",
    ),  # cbor
]


def _refused(client: Any, operation: str, parameters: dict[str, Any]) -> ClientError:
    with pytest.raises(ClientError) as caught:
        getattr(client, operation)(**parameters)
    return caught.value


@pytest.mark.parametrize(("service", "operation", "parameters", "named"), EVERY_PROTOCOL)
def test_a_service_that_is_not_there(
    service: str, operation: str, parameters: dict[str, Any], named: str
) -> None:
    """In every protocol a missing service is `NotImplemented`, by name, and the SDK does not try again."""
    wire = Wire()
    error = _refused(wire.client(service), operation, parameters)
    assert error.response["Error"]["Code"] == "NotImplemented"
    assert named in error.response["Error"]["Message"]
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert len(wire.sent) == 1


def test_all_protocols_are_tried() -> None:
    """The list above has a service of each protocol that botocore would speak to it."""
    spoken = {Wire().client(service).meta.service_model.resolved_protocol for service, *_ in EVERY_PROTOCOL}
    assert spoken == {"query", "ec2", "rest-xml", "json", "rest-json", "smithy-rpc-v2-cbor"}


def test_a_bucket_in_the_host_s_name() -> None:
    """A bucket that stands in the host's name is part of the path: it is no operation on all buckets."""
    scope = SCOPE.replace("/rds/", "/s3/")
    called = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "HTTP_AUTHORIZATION": scope}
    named = [
        (f"{host}:443", Wire().call({**called, "HTTP_HOST": f"{host}:443"})[2])
        for host in (
            "b.s3.eu-west-1.amazonaws.com",
            "b.c.s3.amazonaws.com",
            "b.s3.dualstack.eu-west-1.amazonaws.com",
        )
    ]
    assert all(b"s3:ListObjects" in body for _, body in named), named
    *_, body = Wire().call({**called, "HTTP_HOST": "s3.eu-west-1.amazonaws.com"})
    assert b"s3:ListBuckets" in body


def test_what_no_model_knows_is_named_by_its_path() -> None:
    """A request that fits no operation of AWS is named by service, method and path."""
    called = {"REQUEST_METHOD": "PATCH", "PATH_INFO": "/clusters", "HTTP_AUTHORIZATION": SCOPE}
    *_, body = Wire().call({**called, "HTTP_AUTHORIZATION": SCOPE.replace("/rds/", "/eks/")})
    assert b"eks PATCH /clusters in eu-west-1" in body


def test_an_unsigned_call_to_a_missing_service_is_named() -> None:
    """Where nobody signs, the host's name says the service, and the SDK understands the refusal."""
    client = Wire().client("s3", config=Config(signature_version=UNSIGNED))
    error = _refused(client, "list_objects_v2", {"Bucket": "b"})
    assert error.response["Error"]["Code"] == "NotImplemented"
    assert "s3:ListObjectsV2 in eu-west-1" in error.response["Error"]["Message"]


def test_a_large_body_is_read_to_its_end() -> None:
    """All of a body is read before it is refused, or the SDK would see a broken connection and try again."""
    scope = SCOPE.replace("/rds/", "/s3/")
    called = {"REQUEST_METHOD": "PUT", "PATH_INFO": "/b/k", "HTTP_AUTHORIZATION": scope}
    for length, extra in (("3000000", {}), ("", {"wsgi.input_terminated": True})):
        stream = io.BytesIO(b"x" * 3_000_000)
        status, *_ = Wire().call({**called, "CONTENT_LENGTH": length, **extra}, stream=stream)
        assert (status.split()[0], stream.read()) == ("501", b"")


def test_parameters_in_the_query_of_a_get() -> None:
    """The Query protocol's parameters may stand in the URL, as in a pre-signed one."""
    heard: list[Parameters] = []

    def hear(asked: Parameters) -> dict[str, Any]:
        heard.append(asked)
        return {"Events": []}

    service = SmallService({"DescribeEvents": hear})
    query = "Action=DescribeEvents&Duration=5&StartTime=2026-11-25T22%3A00&Version=2014-10-31"
    called = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "QUERY_STRING": query, "HTTP_AUTHORIZATION": SCOPE}
    status, *_ = Wire({(REGION, "rds"): service}).call(called)
    assert status.startswith("200")
    assert heard == [{"Duration": 5, "StartTime": datetime(2026, 11, 25, 22, tzinfo=UTC)}]


def test_a_refusal_of_head_has_no_body() -> None:
    """The answer to a HEAD request has no body: it would be read as the beginning of the next answer."""
    wire = Wire()
    error = _refused(wire.client("s3"), "head_bucket", {"Bucket": "b"})
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    status, _, body = wire.call({"REQUEST_METHOD": "HEAD", "PATH_INFO": "/b", "HTTP_AUTHORIZATION": SCOPE})
    assert (status.split()[0], body) == ("501", b"")


def test_an_operation_that_is_not_there() -> None:
    """An operation that a service of the mirror lacks is refused by name."""
    wire = Wire({(REGION, "rds"): SmallService({})})
    error = _refused(wire.client("rds"), "describe_db_clusters", {})
    assert error.response["Error"]["Code"] == "NotImplemented"
    assert "rds:DescribeDBClusters" in error.response["Error"]["Message"]


def test_a_service_is_of_one_region() -> None:
    """A call is answered by its own region, and refused where that region has no such service."""
    wire = Wire({(REGION, "rds"): SmallService({"DescribeDBInstances": lambda _: {"DBInstances": []}})})
    assert wire.client("rds").describe_db_instances()["DBInstances"] == []
    error = _refused(wire.client("rds", "eu-central-1"), "describe_db_instances", {})
    assert error.response["Error"]["Message"].startswith("rds:DescribeDBInstances in eu-central-1 is not")


def test_an_unsigned_call_is_refused() -> None:
    """A call without a signature gets AWS's own words, and reaches no service."""
    status, headers, body = Wire().call(FORM, b"Action=DescribeDBInstances&Version=2014-10-31")
    assert status.startswith("403")
    assert headers["Content-Type"] == "text/xml"
    assert b"<Code>MissingAuthenticationToken</Code>" in body


def test_a_presigned_call_is_known_by_its_query() -> None:
    """Region and service of a pre-signed URL come from its query."""
    query = "X-Amz-Credential=nobody%2F20261101%2Feu-west-1%2Fsts%2Faws4_request&Action=GetCallerIdentity"
    status, _, body = Wire().call({"REQUEST_METHOD": "GET", "PATH_INFO": "/", "QUERY_STRING": query})
    assert status.startswith("501")
    assert b"sts" in body


@pytest.mark.parametrize(
    ("form", "code"),
    [
        (b"Action=DescribeNothing", "InvalidAction"),
        (b"", "InvalidAction"),
        (b"Action=RebootDBInstance", "MissingParameter"),
        (b"Action=RebootDBInstance&DBInstanceIdentifier=x&ForceFailover=perhaps", "InvalidParameterValue"),
        (b"Action=DescribeEvents&Duration=long", "InvalidParameterValue"),
        (b"Action=DescribeEvents&StartTime=yesterday", "InvalidParameterValue"),
    ],
)
def test_wrong_parameters(form: bytes, code: str) -> None:
    """What AWS refuses at its door is refused in its words, before any operation runs."""
    service = SmallService({"RebootDBInstance": _crash, "DescribeEvents": _crash})
    wire = Wire({(REGION, "rds"): service})
    status, _, body = wire.call({**FORM, "HTTP_AUTHORIZATION": SCOPE}, form)
    assert status.startswith("400")
    assert f"<Code>{code}</Code>".encode() in body
    assert wire.failures == []


def _crash(_: Parameters) -> dict[str, Any]:
    raise ZeroDivisionError("of all things")


def test_a_crash_is_an_internal_failure() -> None:
    """An operation that crashes is told as AWS tells it, with status 500, and reported to us."""
    wire = Wire({(REGION, "rds"): SmallService({"DescribeDBInstances": _crash})})
    status, _, body = wire.call({**FORM, "HTTP_AUTHORIZATION": SCOPE}, b"Action=DescribeDBInstances")
    assert status.startswith("500")
    assert b"<Code>InternalFailure</Code>" in body
    assert b"<Type>Receiver</Type>" in body
    assert wire.failures == ["rds.eu-west-1: ZeroDivisionError: of all things"]


def test_an_answer_outside_the_model_is_an_internal_failure() -> None:
    """An answer with a member that AWS does not have is our mistake, and never reaches the caller."""
    wire = Wire({(REGION, "rds"): SmallService({"DescribeDBInstances": lambda _: {"Instances": []}})})
    status, *_ = wire.call({**FORM, "HTTP_AUTHORIZATION": SCOPE}, b"Action=DescribeDBInstances")
    assert status.startswith("500")
    assert "no members ['Instances']" in wire.failures[0]


def test_an_error_s_words_come_through() -> None:
    """The caller's SDK raises AWS's own class, with the words as they were, markup and all."""

    def refuse(_: Parameters) -> dict[str, Any]:
        raise AwsError("DBInstanceNotFound", "no <b>&x</b> here", status=404)

    client = Wire({(REGION, "rds"): SmallService({"DescribeDBInstances": refuse})}).client("rds")
    with pytest.raises(client.exceptions.DBInstanceNotFoundFault, match="no <b>&x</b> here"):
        client.describe_db_instances()


def test_a_call_that_went_to_another_region() -> None:
    """A call that was signed for one region and sent to another's name is refused, as AWS does."""
    environ = {**FORM, "HTTP_AUTHORIZATION": SCOPE, "HTTP_HOST": "rds.eu-central-1.amazonaws.com"}
    status, _, body = Wire().call(environ, b"Action=DescribeDBInstances")
    assert status.startswith("403")
    assert b"<Code>SignatureDoesNotMatch</Code>" in body


@pytest.mark.parametrize(
    ("dialect", "path"),
    [
        (Dialect.QUERY, "Error/Code"),
        (Dialect.EC2, "Errors/Error/Code"),
        (Dialect.REST_XML, "Code"),
        (Dialect.WRAPPED_XML, "Error/Code"),
    ],
)
def test_the_shape_of_an_error_in_xml(dialect: Dialect, path: str) -> None:
    """Errors stand where each XML protocol has them, for SDKs that are stricter than botocore."""
    _, document = say_error(dialect, AwsError("Throttling", "slow down"))
    assert ET.fromstring(document).findtext(path) == "Throttling"  # noqa: S314 (our own document)


def test_a_call_that_is_tried_again_is_noted() -> None:
    """An SDK that was not heard sends a call once more: the mirror's log says which one, and nothing of the first."""
    wire = Wire()
    for attempt in (1, 2):
        tried = {"HTTP_AMZ_SDK_REQUEST": f"attempt={attempt}; max=3", "HTTP_AMZ_SDK_INVOCATION_ID": "a-b-c"}
        wire.call({**FORM, **tried, "HTTP_AUTHORIZATION": SCOPE}, b"Action=Nothing")
    assert wire.failures == ["rds.eu-west-1: attempt 2 of call a-b-c: the one before was not heard"]
