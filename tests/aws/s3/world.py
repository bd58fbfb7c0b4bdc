"""Two regions of buckets in a moto of this process, a clock that the test moves, and links that the test shapes."""

from __future__ import annotations

import io
import itertools
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import boto3
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from moto.moto_server.werkzeug_app import DomainDispatcherApplication

from drdrill.aws.cloudwatch import MetricStore
from drdrill.aws.dialect import Dialect, say_error
from drdrill.aws.errors import AwsError, NotImplementedInMirrorError
from drdrill.aws.naming import name_operation
from drdrill.aws.request_body import Body
from drdrill.aws.s3 import Carrier, Objects, ReplicatingDoor, ReplicationMetrics, Replicator
from drdrill.aws.upstream import Call, Reply
from drdrill.dataplane.link import LinkCondition
from drdrill.mirror.replica_versions import teach_replica_versions
from drdrill.mirror.upstream.moto_process import NotImplementedSaid, create_app
from tests.aws.cloud import MovingClock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FIRST, SECOND = "eu-west-1", "eu-central-1"
ROLE = "arn:aws:iam::000000000000:role/replication"
_MOTO = NotImplementedSaid(teach_replica_versions(DomainDispatcherApplication(create_app)))
_SESSION = boto3.Session("nobody", "nobody")  # one, which reads its models once
_numbers = itertools.count(1)


@dataclass
class Links:
    """Links as the test wants them."""

    conditions: dict[tuple[str, str], LinkCondition] = field(default_factory=dict)
    dark: set[str] = field(default_factory=set)

    def condition(self, source: str, destination: str, /) -> LinkCondition:
        """Return how a link is."""
        return self.conditions.get((source, destination), LinkCondition())

    def is_dark(self, region: str, /) -> bool:
        """Tell whether a region is lost."""
        return region in self.dark


@dataclass
class Upstream:
    """moto, asked in this process; `silent`: it answers nothing; `calls`: what it was asked.

    `fails`: says with which status a call is answered in place of moto's answer, 0: as moto does.
    """

    silent: bool = False
    fails: Callable[[Call], int] = lambda _: 0
    calls: list[str] = field(default_factory=list)

    def send(self, call: Call, body: Body) -> Reply:
        """Hand a call to moto, as `Delegation.forward` does."""
        if self.silent:
            body.drain()
            raise AwsError("ServiceUnavailable", "silence", status=503)
        if instead := self.fails(call):
            body.drain()
            return Reply(instead, (), ())
        self.calls.append(f"{call.method} {call.target}")
        content = b"".join(body.chunks())
        environ: dict[str, Any] = {
            "REQUEST_METHOD": call.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(call.path, encoding="latin-1"),
            "QUERY_STRING": call.query,
            "RAW_URI": call.target,
            "SERVER_NAME": call.host,
            "SERVER_PORT": "443",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": call.host,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "https",
            "wsgi.input": io.BytesIO(content),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in call.headers:
            key = name.upper().replace("-", "_")
            if key not in ("TRANSFER_ENCODING", "EXPECT"):  # of the connection that there is none of
                environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
        environ["CONTENT_LENGTH"] = str(len(content))
        said: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], _: object = None) -> Any:
            said.append((status, headers))

        document = b"".join(_MOTO(environ, start_response))
        status, headers = said[-1]
        if status.startswith("501"):
            raise NotImplementedInMirrorError(call.target)
        if status.startswith("5"):
            raise AwsError("InternalFailure", document.decode(), status=500)
        return Reply(int(status.split()[0]), tuple(headers), (document,))


class World:
    """The pieces, put together as a mirror does it; nothing moves before `replicate`."""

    def __init__(self) -> None:
        self.clock = MovingClock(ns=1)
        self.links = Links()
        self.upstream = Upstream()
        self.metrics = {region: MetricStore(self.clock) for region in (FIRST, SECOND)}
        self.objects = Objects(self.upstream.send)
        self.replicator = Replicator(
            Carrier(self.objects), self.links, self.clock, ReplicationMetrics(self.metrics)
        )
        self.door = ReplicatingDoor(self.upstream.send, self.objects, self.replicator)

    def client(self, region: str) -> Any:
        """Return an SDK's client of S3 whose calls pass the door."""
        config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1})
        client = _SESSION.client("s3", region_name=region, config=config)
        client.meta.events.register("before-send.s3", self._send)
        return client

    def replicate(self, seconds: float = 0.0) -> int:
        """Let time pass, carry what has arrived then, and return how much that was."""
        self.clock.sleep(seconds)
        arrived = self.replicator.take_arrived()
        for change in arrived:
            self.replicator.carry(change)
        return len(arrived)

    def _send(self, request: Any, **_: object) -> AWSResponse:
        url = urlsplit(request.url)
        content = request.body or b""
        content = content.read() if hasattr(content, "read") else content
        content = content.encode() if isinstance(content, str) else content
        headers = tuple(
            (name, value.decode() if isinstance(value, bytes) else str(value))
            for name, value in request.headers.items()
        )
        found = re.search(r"Credential=[^/]+/\d+/([a-z0-9-]+)/", dict(headers).get("Authorization", ""))
        region = found[1] if found else FIRST
        environ: Mapping[str, Any] = {
            "REQUEST_METHOD": request.method,
            "PATH_INFO": unquote(url.path, encoding="latin-1"),
            "QUERY_STRING": url.query,
            "HTTP_HOST": url.netloc,
            **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers},
        }
        operation = name_operation(environ, "s3", b"").partition(":")[2]
        target = f"{url.path}?{url.query}" if url.query else url.path
        call = Call(region, "s3", operation, request.method, url.netloc, target, headers)
        try:
            body = Body({"wsgi.input": io.BytesIO(content), "CONTENT_LENGTH": len(content)})
            reply = self.door.answer(call, body)
        except AwsError as error:
            said, document = say_error(Dialect.REST_XML, error)
            reply = Reply(error.status, tuple(said), (document,))
        return AWSResponse(request.url, reply.status, dict(reply.headers), _Raw(b"".join(reply.chunks)))


class _Raw(io.BytesIO):
    """A body as the SDK reads it."""

    def stream(self, **_: object) -> list[bytes]:
        """Return everything."""
        return [self.read()]


def new_bucket(client: Any, region: str, *, versioned: bool = True) -> str:
    """Make a bucket of a new name in a region."""
    name = f"bucket-{next(_numbers)}"
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})
    if versioned:
        client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


def rule(destination: str, **others: Any) -> dict[str, Any]:
    """Return a rule that takes everything; any member may be given or changed."""
    return {
        "ID": "everything",
        "Priority": 1,
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "DeleteMarkerReplication": {"Status": "Enabled"},
        "Destination": {"Bucket": f"arn:aws:s3:::{destination}"},
        **others,
    }


def put_rules(client: Any, bucket: str, *rules: dict[str, Any]) -> None:
    """Put a bucket's rules in force."""
    client.put_bucket_replication(
        Bucket=bucket, ReplicationConfiguration={"Role": ROLE, "Rules": list(rules)}
    )


class Pair:
    """A source bucket and its destination in the other region, each with a client."""

    def __init__(self, world: World, **others: Any) -> None:
        self.world = world
        self.here, self.there = world.client(FIRST), world.client(SECOND)
        self.source, self.destination = new_bucket(self.here, FIRST), new_bucket(self.there, SECOND)
        put_rules(self.here, self.source, rule(self.destination, **others))

    def put(self, key: str, body: bytes = b"data", **others: Any) -> str:
        """Write an object into the source, and return its version."""
        answer = self.here.put_object(Bucket=self.source, Key=key, Body=body, **others)
        return str(answer["VersionId"])

    def status(self, key: str, *, of_replica: bool = False, **others: Any) -> str | None:
        """Return the replication status of an object."""
        client, bucket = (self.there, self.destination) if of_replica else (self.here, self.source)
        answer = client.head_object(Bucket=bucket, Key=key, **others)
        found: str | None = answer.get("ReplicationStatus")
        return found

    def replicas(self) -> set[str]:
        """Return the keys that the destination lists."""
        listed = self.there.list_objects_v2(Bucket=self.destination)
        return {one["Key"] for one in listed.get("Contents", [])}
