"""moto's process: what its callers can have it do, and what the mirror alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from drdrill.aws.delegation import Delegation
from drdrill.aws.ec2 import make_zones
from drdrill.aws.gate import Gate
from drdrill.mirror.directory import MirrorDirectory
from drdrill.mirror.upstream.moto import MotoUpstream
from drdrill.mirror.upstream.moto_keeping import KEEP, MIRROR_HEADER, RESTORE, DelegatedKeeper
from tests.aws.sdk import REGION, Wire

if TYPE_CHECKING:
    from collections.abc import Iterator

_SCOPE = f"AWS4-HMAC-SHA256 Credential=n/20261101/{REGION}/sqs/aws4_request, SignedHeaders=host, Signature=0"


class _DelegatingWire(Wire):
    def __init__(self, upstream: MotoUpstream) -> None:
        super().__init__()
        self._gate = Gate({}, self.failures.append, delegation=Delegation(upstream, (REGION,)))

    def gate(self) -> Gate:
        """Return the gate before moto."""
        return self._gate


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MotoUpstream]:
    """Return a moto in a process of its own."""
    directory = MirrorDirectory(tmp_path_factory.mktemp("upstream"))
    directory.logs.mkdir()
    upstream = MotoUpstream(directory, "000000000000", make_zones(REGION, {f"{REGION}a": "10.20.0.0/24"}))
    yield upstream
    upstream.stop()


@pytest.fixture
def wire(upstream: MotoUpstream) -> Wire:
    """Return what carries calls through a gate to moto."""
    return _DelegatingWire(upstream)


@pytest.mark.parametrize("act", [KEEP, RESTORE])
@pytest.mark.parametrize("said", ["", "a guess", "\xfc"])
def test_callers_do_not_reach_the_mirrors_door(wire: Wire, tmp_path: Path, act: str, said: str) -> None:
    """Nobody else has moto write what it knows, or read a file, under whichever host and headers."""
    path = tmp_path / "state"
    called = {
        "REQUEST_METHOD": "POST", "PATH_INFO": f"/{act}", "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "HTTP_AUTHORIZATION": _SCOPE, "HTTP_HOST": "mirror.invalid", "QUERY_STRING": "Action=ListQueues",
        f"HTTP_{MIRROR_HEADER.upper().replace('-', '_')}": said,
    }  # fmt: skip
    status, _, document = wire.call(called, str(path).encode())
    assert not status.startswith("204")
    assert b"FileNotFoundError" not in document
    assert not path.exists()


def test_the_mirror_does(wire: Wire, upstream: MotoUpstream, tmp_path: Path) -> None:
    """The mirror has moto write what it knows, and read it again."""
    sqs = wire.client("sqs")
    queue = sqs.create_queue(QueueName="kept")["QueueUrl"]
    keeper = DelegatedKeeper(upstream)
    assert keeper.keep(tmp_path)
    sqs.delete_queue(QueueUrl=queue)
    assert "QueueUrls" not in sqs.list_queues()
    keeper.restore(kept=True, folder=tmp_path)
    assert sqs.list_queues()["QueueUrls"] == [queue]
    sqs.delete_queue(QueueUrl=queue)


def test_the_secret_is_nowhere_to_be_read(upstream: MotoUpstream, tmp_path: Path) -> None:
    """What moto's process knows the mirror by stands neither in its arguments nor in its environment."""
    DelegatedKeeper(upstream).keep(tmp_path)
    upstream.connect().close()
    process = upstream._process
    assert process is not None
    assert upstream.secret not in json.dumps(process.args)
    assert upstream.secret not in Path(f"/proc/{process.pid}/environ").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", ["/moto-api/reset", "/latest/meta-data/iam", "/latest/api/token"])
def test_motos_own_api(wire: Wire, path: str) -> None:
    """No path leads to what is moto's own: whoever resets it has all services forget everything."""
    s3 = wire.client("s3")
    s3.create_bucket(Bucket="stays", CreateBucketConfiguration={"LocationConstraint": REGION})
    called = {
        "REQUEST_METHOD": "POST", "PATH_INFO": path, "HTTP_HOST": f"s3.{REGION}.amazonaws.com",
        "HTTP_AUTHORIZATION": _SCOPE.replace("sqs", "s3"),
    }  # fmt: skip
    status, _, document = wire.call(called)
    assert status.startswith("501"), document
    assert [one["Name"] for one in s3.list_buckets()["Buckets"]] == ["stays"]
    s3.delete_bucket(Bucket="stays")
