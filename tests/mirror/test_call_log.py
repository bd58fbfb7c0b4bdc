"""Calls are told while somebody listens: whose, how they ended, and never at the cost of a call."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from drdrill.aws.errors import AwsError
from drdrill.mirror.call_log import CallLog
from drdrill.mirror.control_planes import ControlPlanes
from tests.aws.sdk import REGION, SmallService, Wire
from tests.faults.fakes import ManualClock

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OPERATOR, POD = "198.18.0.10", "10.20.0.10"
ONCE = Config(retries={"total_max_attempts": 1})


class _LoggedWire(Wire):
    """A wire whose gate has control planes and a log before it; `told`: what the log tells."""

    def __init__(self) -> None:
        def promote(_: object) -> Mapping[str, Any]:
            self.clock.ns += 2_000_000_000
            raise AwsError("InvalidDBInstanceState", "It is promoted already.", status=400)

        def hold(_: object) -> Mapping[str, Any]:
            self.held.set()
            assert self.released.wait(10)
            return {"DBClusters": []}

        self.held, self.released, self.heard = threading.Event(), threading.Event(), threading.Event()
        service = SmallService(
            {
                "DescribeDBInstances": lambda _: {"DBInstances": []}, "PromoteReadReplica": promote,
                "DescribeDBClusters": hold,
            }
        )  # fmt: skip
        super().__init__({(REGION, "rds"): service})
        self.clock = ManualClock()
        self.planes = ControlPlanes(Wire.gate(self), lambda *_: True)
        self.log = CallLog(self.planes, self.clock)
        self.told: list[Mapping[str, object]] = []
        self.caller = OPERATOR
        self.connection: socket.socket | None = None

    def gate(self) -> Any:
        """Return what requests meet, which come from `caller`."""
        return lambda environ, start: self.log(
            {**environ, "REMOTE_ADDR": self.caller, "werkzeug.socket": self.connection}, start
        )

    def listen(self) -> None:
        """Have the log tell of operators."""
        self.log.start({OPERATOR: "operators"}, self._hear)

    def _hear(self, line: Mapping[str, object]) -> None:
        self.told.append(line)
        self.heard.set()

    def call_a_silent_one(self) -> threading.Thread:
        """Have somebody call what does not answer until it is released."""
        calling = threading.Thread(target=self.client("rds", config=ONCE).describe_db_clusters)
        calling.start()
        assert self.held.wait(10)
        return calling


@pytest.fixture
def wire() -> Iterator[_LoggedWire]:
    """Return an API with a log before it."""
    wire = _LoggedWire()
    yield wire
    wire.log.stop()


def test_only_who_is_listened_to_is_told(wire: _LoggedWire) -> None:
    """Not before, not afterwards, and not what others call."""
    client = wire.client("rds")
    client.describe_db_instances()
    wire.listen()
    client.describe_db_instances(DBInstanceIdentifier="orders")
    wire.caller = POD
    client.describe_db_instances()
    wire.caller = OPERATOR
    wire.log.stop()
    client.describe_db_instances()
    (line,) = wire.told
    assert line == {
        "kind": "call", "at_ns": line["at_ns"], "caller": "operators", "region": REGION, "service": "rds",
        "operation": "DescribeDBInstances", "outcome": "ok", "seconds": 0.0,
        "target": {"DBInstanceIdentifier": "orders"},
    }  # fmt: skip


def test_a_call_that_fails(wire: _LoggedWire) -> None:
    """It is told with AWS's code and how long it took, and its caller hears what it would have heard."""
    wire.listen()
    with pytest.raises(ClientError, match="It is promoted already"):
        wire.client("rds").promote_read_replica(DBInstanceIdentifier="orders-copy")
    (line,) = wire.told
    assert (line["outcome"], line["seconds"]) == ("InvalidDBInstanceState", 2.0)


def test_a_control_plane_that_is_away(wire: _LoggedWire) -> None:
    """What is refused before any service hears of it is told, too, by its operation."""
    wire.planes.break_control_plane("rds", REGION, "throttled")
    wire.listen()
    with pytest.raises(ClientError, match="Rate exceeded"):
        wire.client("rds", config=ONCE).promote_read_replica(DBInstanceIdentifier="orders-copy")
    (line,) = wire.told
    assert (line["operation"], line["outcome"]) == ("PromoteReadReplica", "Throttling")


def test_a_call_that_is_open_when_the_record_ends(wire: _LoggedWire) -> None:
    """It is told as not answered, with how long it was waited for, and what is answered later adds nothing."""
    wire.listen()
    calling = wire.call_a_silent_one()
    wire.clock.ns += 7_000_000_000
    wire.log.stop()
    wire.released.set()
    calling.join()
    (line,) = wire.told
    assert (line["operation"], line["outcome"], line["seconds"]) == ("DescribeDBClusters", "unanswered", 7.0)


def test_a_call_whose_caller_has_gone(wire: _LoggedWire) -> None:
    """Who closes the connection was not answered, whatever the API says afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        caller = socket.create_connection(server.getsockname())
        wire.connection, _ = server.accept()
    with wire.connection:
        wire.listen()
        calling = wire.call_a_silent_one()
        caller.close()
        assert wire.heard.wait(10)
        wire.released.set()
        calling.join()
    (line,) = wire.told
    assert line["outcome"] == "unanswered"


def test_a_caller_that_waits_is_answered(wire: _LoggedWire) -> None:
    """However often it is looked after."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        caller = socket.create_connection(server.getsockname())
        wire.connection, _ = server.accept()
    with wire.connection, caller:
        wire.listen()
        calling = wire.call_a_silent_one()
        assert not wire.heard.wait(0.6)
        wire.released.set()
        calling.join()
    (line,) = wire.told
    assert line["outcome"] == "ok"


def test_a_call_that_cannot_be_described_is_answered(
    wire: _LoggedWire, caplog: pytest.LogCaptureFixture
) -> None:
    """However strange it is: it is answered as if nobody listened, and the mirror's log says so."""
    wire.listen()
    deep = b"[" * 60_000
    scope = f"AWS4-HMAC-SHA256 Credential=nobody/20261101/{REGION}/ssm/aws4_request, Signature=0"
    status, *_ = wire.call(
        {
            "REQUEST_METHOD": "POST", "PATH_INFO": "/", "HTTP_AUTHORIZATION": scope,
            "HTTP_X_AMZ_TARGET": "AmazonSSM.GetParameter",
        },
        deep,
    )  # fmt: skip
    assert status.startswith("501")
    assert wire.told == []
    assert "could not be described: RecursionError" in caplog.text
