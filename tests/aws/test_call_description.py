"""What a record says of a call: where to and which thing, in every protocol, and nothing that could be a secret."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from drdrill.aws.call_description import CallDescription, describe_call, read_outcome
from drdrill.aws.dialect import Dialect, say_error
from drdrill.aws.errors import AwsError
from tests.aws.sdk import REGION, Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ZONE = "Z0123456789"
ALIAS = {"HostedZoneId": "Z9", "DNSName": "lb.example.com", "EvaluateTargetHealth": False}
RECORD = {"Name": "api.example.com", "Type": "A", "AliasTarget": ALIAS}
SCOPE = (
    "AWS4-HMAC-SHA256 Credential=nobody/20261101/eu-west-1/{}/aws4_request, SignedHeaders=host, Signature=0"
)


class _ListeningWire(Wire):
    """A wire at whose end calls are described before the gate refuses them."""

    heard: CallDescription

    def gate(self) -> Callable[[dict[str, Any], Any], Iterable[bytes]]:
        """Return what requests meet."""
        gate = super().gate()

        def listen(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            self.heard = describe_call(environ)
            answer: Iterable[bytes] = gate(environ, start_response)
            return answer

        return listen


CALLS = [
    (
        "rds", "promote_read_replica", {"DBInstanceIdentifier": "orders-copy", "BackupRetentionPeriod": 7},
        ("rds", "PromoteReadReplica", {"DBInstanceIdentifier": "orders-copy"}),
    ),
    (
        "rds", "modify_db_instance", {"DBInstanceIdentifier": "orders", "MasterUserPassword": "hunter2hunter2"},
        ("rds", "ModifyDBInstance", {"DBInstanceIdentifier": "orders"}),
    ),
    (
        "eks", "update_nodegroup_config",
        {"clusterName": "shop", "nodegroupName": "workers", "scalingConfig": {"desiredSize": 3}},
        ("eks", "UpdateNodegroupConfig", {"name": "shop", "nodegroupName": "workers"}),
    ),
    (
        "elbv2", "describe_target_groups", {"Names": ["orders"]},
        ("elasticloadbalancing", "DescribeTargetGroups", {"Names.member.1": "orders"}),
    ),
    (
        "route53", "change_resource_record_sets",
        {"HostedZoneId": ZONE, "ChangeBatch": {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": RECORD}] * 2}},
        ("route53", "ChangeResourceRecordSets", {"Id": ZONE, "Name": "api.example.com"}),
    ),
    (
        "s3", "put_object", {"Bucket": "status", "Key": "a/index.html", "Body": b"DBInstanceIdentifier=secret"},
        ("s3", "PutObject", {"Bucket": "status", "Key": "a/index.html"}),
    ),
    (
        "secretsmanager", "put_secret_value", {"SecretId": "orders", "SecretString": "hunter2"},
        ("secretsmanager", "PutSecretValue", {"SecretId": "orders"}),
    ),
    (
        "ssm", "put_parameter", {"Name": "/orders/key", "Value": "hunter2", "Type": "SecureString"},
        ("ssm", "PutParameter", {"Name": "/orders/key"}),
    ),
    ("cloudwatch", "describe_alarms", {}, ("monitoring", "DescribeAlarms", {})),
]  # fmt: skip


@pytest.mark.parametrize(("client", "operation", "parameters", "expected"), CALLS)
def test_a_call_is_described(
    client: str, operation: str, parameters: dict[str, Any], expected: tuple[str, str, dict[str, str]]
) -> None:
    """Service, operation and the thing that it is about; the gate reads the same request as if nobody had looked."""
    wire = _ListeningWire()
    with pytest.raises(ClientError) as refused:
        getattr(wire.client(client), operation)(**parameters)
    heard = wire.heard
    assert heard.region in {REGION, "us-east-1"}
    assert (heard.service, heard.operation, heard.target) == expected
    assert refused.value.response["Error"]["Code"] == "NotImplemented"
    assert heard.operation in refused.value.response["Error"]["Message"]
    assert "hunter2" not in repr(heard)


def _environ(service: str, body: bytes, **more: object) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "POST", "PATH_INFO": "/", "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body),
        "HTTP_AUTHORIZATION": SCOPE.format(service), **more,
    }  # fmt: skip


def test_names_are_not_kept_at_any_length() -> None:
    """What somebody sends as a name is cut, and stands where it was for whoever answers."""
    form = b"Action=PromoteReadReplica&DBInstanceIdentifier=" + b"a" * 5000
    environ = _environ("rds", form, CONTENT_TYPE="application/x-www-form-urlencoded")
    assert describe_call(environ).target == {"DBInstanceIdentifier": "a" * 200}
    assert environ["wsgi.input"].read() == form


def test_what_is_no_request_is_described_as_far_as_it_goes() -> None:
    """A document that is none, or names of things that are no texts, give a call without a thing."""
    target = {"HTTP_X_AMZ_TARGET": "DynamoDB_20120810.GetItem"}
    for body in (b"{", b"[1]", json.dumps({"Key": {"id": {"S": "secret"}}, "Name": 3}).encode()):
        heard = describe_call(_environ("dynamodb", body, **target))
        assert (heard.service, heard.operation, heard.target) == ("dynamodb", "GetItem", {})
    broken = describe_call(
        _environ("route53", b"<!DOCTYPE x>", PATH_INFO=f"/2013-04-01/hostedzone/{ZONE}/rrset/")
    )
    assert broken.target == {"Id": ZONE}


@pytest.mark.parametrize("dialect", [one for one in Dialect if one is not Dialect.CBOR])
def test_an_error_s_code_is_read(dialect: Dialect) -> None:
    """AWS's code is found as each protocol says it."""
    headers, document = say_error(dialect, AwsError("DBInstanceNotFound", "There is no <b>.", status=404))
    assert read_outcome("rds", "404 Error", headers, document) == ("DBInstanceNotFound", "")


def test_only_route_53_is_quoted() -> None:
    """Its words name public names alone; of an answer without a document the status is what is known."""
    headers, document = say_error(
        Dialect.WRAPPED_XML, AwsError("InvalidChangeBatch", "an alias <x> & more", status=400)
    )
    assert read_outcome("route53", "400 Error", headers, document) == (
        "InvalidChangeBatch",
        "an alias <x> & more",
    )
    assert read_outcome("s3", "404 Not Found", [], b"") == ("404", "")
    assert read_outcome("s3", "304 Not Modified", [], b"") == ("ok", "")
    elsewhere = b"<Error><Code>PermanentRedirect</Code></Error>"
    assert read_outcome("s3", "301 Moved", [], elsewhere) == ("PermanentRedirect", "")
    assert read_outcome("s3", "200 OK", [], b"<Code>Nothing</Code>") == ("ok", "")
