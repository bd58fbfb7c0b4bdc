"""Delegated services: what reaches the upstream and how, what must not, and what a caller hears of its failures."""

from __future__ import annotations

import contextlib
import http.server
import threading
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from drdrill.aws.delegation import Delegation
from drdrill.aws.gate import Gate
from drdrill.aws.sts import StsService
from drdrill.core.errors import EnvironmentFailedError
from tests.aws.sdk import REGION, SmallService, Wire

if TYPE_CHECKING:
    from collections.abc import Iterator

OTHER = "eu-central-1"
ONCE = Config(retries={"total_max_attempts": 1})
PATH_STYLE = Config(s3={"addressing_style": "path"})
EMPTY = b"<ListBucketResult/>"


@dataclass
class Served:
    """An upstream on the loopback that notes what reaches it; buckets named `there-...` are in the other region."""

    status: int = 200
    kind: str = "text/plain"
    answer: bytes = EMPTY
    fails: str = ""
    heard: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0
    name: str = "the upstream"
    started: bool = True

    def connect(self) -> HTTPConnection:
        """Connect, or fail."""
        if self.fails:
            raise EnvironmentFailedError(self.fails)
        return HTTPConnection("127.0.0.1", self.port, timeout=10)

    @contextlib.contextmanager
    def serve(self) -> Iterator[Served]:
        """Listen."""
        upstream = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def _answer(self) -> None:
                body = b""
                if self.headers.get("Transfer-Encoding") == "chunked":
                    while size := int(self.rfile.readline(), 16):
                        body += self.rfile.read(size)
                        self.rfile.readline()
                    self.rfile.readline()
                else:
                    body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                looks = self.command == "HEAD" and self.path.count("/") == 1
                if not looks:
                    upstream.heard.append((self.command, self.path, dict(self.headers.items()), body))
                self.send_response(upstream.status)
                if looks and "nowhere" not in self.path:
                    self.send_header("x-amz-bucket-region", OTHER if "there-" in self.path else REGION)
                self.send_header("Content-Type", upstream.kind)
                self.send_header("Content-Length", "0" if looks else str(len(upstream.answer)))
                self.end_headers()
                self.wfile.write(b"" if looks or self.command == "HEAD" else upstream.answer)

            do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _answer  # noqa: N815 (the library's names)

            def log_message(self, *_: object) -> None:
                pass

        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            self.port = server.server_port
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
            try:
                yield self
            finally:
                server.shutdown()


@dataclass
class DelegatingWire(Wire):
    """Carries requests to a gate before an upstream."""

    upstream: Served = field(default_factory=Served)

    def gate(self) -> Gate:
        """Return it."""
        delegation = Delegation(self.upstream, (REGION, OTHER))
        return Gate(self.services, self.failures.append, delegation=delegation)


@pytest.fixture
def upstream() -> Iterator[Served]:
    """Return an upstream that answers."""
    with Served().serve() as served:
        yield served


@pytest.fixture
def wire(upstream: Served) -> Wire:
    """Return a gate before it."""
    return DelegatingWire({(REGION, "sts"): StsService("000000000000")}, upstream=upstream)


def _refused(client: Any, operation: str, **parameters: object) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        getattr(client, operation)(**parameters)
    return dict(caught.value.response)


def test_an_object_of_any_size_passes(wire: Wire, upstream: Served) -> None:
    """A body larger than what the gate keeps of requests arrives whole, with the key as it was encoded."""
    content = bytes(range(256)) * 10_000
    config = Config(request_checksum_calculation="when_required", s3={"addressing_style": "virtual"})
    wire.client("s3", config=config).put_object(Bucket="b.c", Key="a b/c+ü%2F", Body=content)
    ((method, target, headers, body),) = upstream.heard
    assert (method, target, body) == ("PUT", "/b.c/a%20b/c%2B%C3%BC%252F", content)
    assert headers["Host"] == f"s3.{REGION}.amazonaws.com"


def test_both_styles_of_addresses(wire: Wire, upstream: Served) -> None:
    """A bucket in the host's name and one in the path are the same to the upstream."""
    for config in (PATH_STYLE, Config(s3={"addressing_style": "virtual"})):
        wire.client("s3", config=config).list_objects_v2(Bucket="one", Prefix="a/b")
    assert {target for _, target, *_ in upstream.heard} == {"/one?list-type=2&prefix=a%2Fb&encoding-type=url"}


def test_an_unsigned_call_for_an_object(wire: Wire, upstream: Served) -> None:
    """S3 may be asked without a signature: whether that is allowed, the bucket says."""
    wire.client("s3", config=Config(signature_version=UNSIGNED)).get_object(Bucket="one", Key="k")
    assert [target for _, target, *_ in upstream.heard] == ["/one/k"]


def test_a_bucket_of_another_region(wire: Wire, upstream: Served) -> None:
    """A call that was sent to another region than the bucket's is redirected, and the SDK follows."""
    wire.client("s3", config=PATH_STYLE).list_objects_v2(Bucket="there-b")
    assert [url.partition("?")[0] for _, url in wire.sent] == [
        f"https://s3.{REGION}.amazonaws.com/there-b",
        f"https://s3.{OTHER}.amazonaws.com/there-b",
    ]
    assert len(upstream.heard) == 1
    scope = (
        f"AWS4-HMAC-SHA256 Credential=n/20261101/{REGION}/s3/aws4_request, SignedHeaders=host, Signature=0"
    )
    called = {
        "REQUEST_METHOD": "GET", "PATH_INFO": "/k", "HTTP_AUTHORIZATION": scope,
        "HTTP_HOST": "there-b.s3.amazonaws.com",
    }  # fmt: skip
    status, headers, body = wire.call(called)
    assert status.startswith("400")
    assert headers["x-amz-bucket-region"] == OTHER
    assert b"<Code>AuthorizationHeaderMalformed</Code>" in body
    assert f"<Region>{OTHER}</Region>".encode() in body


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("ssm", "send_command", {"DocumentName": "d"}),
        ("ec2", "run_instances", {"ImageId": "ami-1", "MinCount": 1, "MaxCount": 1}),
        ("s3", "get_bucket_analytics_configuration", {"Bucket": "b", "Id": "i"}),
        ("s3", "list_directory_buckets", {}),
        ("dynamodb", "create_global_table", {"GlobalTableName": "abc", "ReplicationGroup": []}),
        ("lambda", "list_functions", {}),
    ],
)
def test_what_an_upstream_would_pretend(
    wire: Wire, upstream: Served, service: str, operation: str, parameters: dict[str, Any]
) -> None:
    """What would have to happen to a machine, and what the upstream answers wrongly, is refused and not handed on."""
    error = _refused(wire.client(service), operation, **parameters)
    assert error["Error"]["Code"] == "NotImplemented"
    assert (upstream.heard, len(wire.sent)) == ([], 1)


def test_what_the_upstream_does_not_implement(wire: Wire, upstream: Served) -> None:
    """It is said by name, and the SDK does not try again."""
    upstream.status, upstream.answer = 501, b"what?"
    error = _refused(wire.client("kms"), "list_keys")
    assert error["Error"] == {
        "Code": "NotImplemented",
        "Message": f"kms:ListKeys in {REGION} is not implemented by the drdrill mirror. Nothing was done.",
    }
    assert len(wire.sent) == 1
    assert wire.failures == []


def test_an_error_of_the_upstream_itself(wire: Wire, upstream: Served) -> None:
    """An answer with a status that SDKs try again is told to the caller as it is, and stands in the log."""
    upstream.status, upstream.kind, upstream.answer = 503, "application/x-amz-json-1.1", b'{"__type": "Busy"}'
    assert _refused(wire.client("kms", config=ONCE), "list_keys")["Error"]["Code"] == "Busy"
    assert wire.failures == [f"kms.{REGION}: the upstream answered with status 503"]


def test_an_upstream_that_crashes(wire: Wire, upstream: Served) -> None:
    """A page or a plain text of a server that failed is AWS's InternalFailure to the caller."""
    upstream.status, upstream.answer = 500, b"KeyError: 'x'"
    error = _refused(wire.client("kms", config=ONCE), "list_keys")
    assert error["Error"]["Code"] == "InternalFailure"
    said = f"failed at kms:ListKeys in {REGION}: KeyError: 'x'"
    assert error["Error"]["Message"].endswith(said)
    (failure,) = wire.failures  # an SDK tries again, and what was done is there twice: the log says why
    assert failure.startswith(f"kms.{REGION}: answered with status 500: ")
    assert failure.endswith(said)


def test_an_upstream_that_is_gone(wire: Wire, upstream: Served) -> None:
    """Where nobody answers, the caller hears AWS's ServiceUnavailable with what is wrong."""
    upstream.fails = "moto ended"
    error = _refused(wire.client("sqs", config=ONCE), "list_queues")
    assert (error["Error"]["Code"], error["Error"]["Message"]) == ("ServiceUnavailable", "moto ended")
    upstream.fails, upstream.port = "", 1
    assert _refused(wire.client("sqs", config=ONCE), "list_queues")["Error"]["Code"] == "ServiceUnavailable"


def test_regions(wire: Wire, upstream: Served) -> None:
    """Only the mirror's regions are there, and what is global in the first one."""
    error = _refused(wire.client("sqs", "ap-south-1"), "list_queues")
    assert error["Error"]["Message"].startswith("sqs:ListQueues in ap-south-1 is not implemented")
    assert upstream.heard == []
    upstream.answer = b"<ListUsersResponse><ListUsersResult/></ListUsersResponse>"
    wire.client("iam").list_users()
    assert len(upstream.heard) == 1


def test_services_of_a_region() -> None:
    """What is one for all regions is a service of the first one, and of no other."""
    delegation = Delegation(Served(), (REGION, OTHER))
    here, first = delegation.services_in(REGION), delegation.services_in("us-east-1")
    assert ("secretsmanager" in here, "iam" in here) == (True, False)
    assert ("secretsmanager" in first, "iam" in first) == (False, True)
    assert delegation.services_in("eu-north-1") == frozenset()


def test_ours_come_first(wire: Wire, upstream: Served) -> None:
    """What a service of ours implements, it answers, but for those who are somebody else by a role."""
    assert wire.client("sts").get_caller_identity()["Arn"].endswith(":user/mirror")
    assert upstream.heard == []
    upstream.answer = (
        b"<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>a-role</Arn></GetCallerIdentityResult>"
        b"</GetCallerIdentityResponse>"
    )
    called = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "HTTP_AUTHORIZATION": f"AWS4-HMAC-SHA256 Credential=ASIA12345/20261101/{REGION}/sts/aws4_request",
    }
    *_, body = wire.call(called, b"Action=GetCallerIdentity&Version=2011-06-15")
    assert body == upstream.answer


def test_nobody_unsigned(wire: Wire, upstream: Served) -> None:
    """A delegated service other than S3 wants a signature, too."""
    status, *_ = wire.call(
        {"REQUEST_METHOD": "POST", "PATH_INFO": "/", "HTTP_HOST": f"sqs.{REGION}.amazonaws.com"}
    )
    assert (status.split()[0], upstream.heard) == ("403", [])


def test_a_service_that_has_no_upstream() -> None:
    """Without delegation everything is as before: refused by name."""
    wire = Wire({(REGION, "rds"): SmallService({})})
    assert _refused(wire.client("sqs"), "list_queues")["Error"]["Code"] == "NotImplemented"
