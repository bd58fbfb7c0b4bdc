"""A record of calls that could not be kept says so when it is stopped."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, cast

import pytest

from drdrill.core.errors import EnvironmentFailedError
from drdrill.mirror.call_log import CallLog
from drdrill.mirror.call_record import CallRecord
from drdrill.mirror.sampling import hold_output
from tests.faults.fakes import ManualClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class _Operator:
    """The operators' host, on a network where no connection can be watched."""

    name, address, init_pid = "operator", "198.18.0.10", None

    def hosts(self) -> tuple[_Operator, ...]:
        return (self,)

    def find_host(self, name: str) -> _Operator:
        assert name == self.name
        return self


@pytest.fixture
def record() -> Iterator[CallRecord]:
    """Return a record of calls in a mirror without databases, which is ended whatever happens."""
    clock = ManualClock()
    log = CallLog(lambda *_: [], clock)
    yield CallRecord(log, cast("Any", _Operator()), {}, {}, clock)
    log.stop()


def test_a_record_that_ended_early(record: CallRecord, tmp_path: Path) -> None:
    """Stopping it fails with the reason, once; the next one is kept as if there had been none."""
    held = hold_output(tmp_path / "calls.jsonl")
    record.start(str(tmp_path / "calls.jsonl"))
    os.close(held)
    with pytest.raises(EnvironmentFailedError, match="ended before the failover did: the drill that asked"):
        record.stop()
    assert record.stop() == {}
    held = hold_output(tmp_path / "next.jsonl")
    record.start(str(tmp_path / "next.jsonl"))
    assert record.stop() == {}
    os.close(held)
    lines = [json.loads(line) for line in (tmp_path / "next.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [one["moment"] for one in lines if one["kind"] == "databases"] == ["begin", "end"]
