"""What operators call is recorded while a failover runs, and no failover fails because it cannot be."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from drdrill.core.errors import EnvironmentFailedError
from drdrill.drill.call_record import recording_calls
from drdrill.record.journal import read_journal

if TYPE_CHECKING:
    from drdrill.record.directory import DrillDirectory
    from tests.drill.fakes import FakeEnvironment


def test_the_journal_refers_to_the_record(environment: FakeEnvironment, directory: DrillDirectory) -> None:
    """It is started before and stopped afterwards, also after a failure; the journal has its name and its hash."""

    def fail() -> None:
        with recording_calls(environment, directory, directory.journal("operator")):
            assert environment.records == ["started"]
            (directory.evidence / "calls.jsonl").write_text("{}\n", encoding="utf-8")
            raise EnvironmentFailedError("it was broken off")

    with pytest.raises(EnvironmentFailedError, match="it was broken off"):
        fail()
    assert environment.records == ["started", "stopped"]
    (event,) = read_journal(directory.journal_path)
    assert (event.kind, event.data["evidence"]) == ("calls.recorded", "evidence/calls.jsonl")
    assert event.data["sha256"] == hashlib.sha256(b"{}\n").hexdigest()


@pytest.mark.parametrize(
    "error", [EnvironmentFailedError("nobody listens"), OSError("nobody listens")], ids=["ours", "foreign"]
)
def test_without_a_record_the_failover_runs(
    environment: FakeEnvironment, directory: DrillDirectory, error: Exception
) -> None:
    """The journal says why there is none."""
    environment.unrecorded = error
    ran = False
    with recording_calls(environment, directory, directory.journal("operator")):
        ran = True
    assert (ran, environment.records) == (True, [])
    (event,) = read_journal(directory.journal_path)
    assert (event.kind, event.data) == ("calls.unrecorded", {"reason": "nobody listens"})


@pytest.mark.parametrize(
    "error",
    [EnvironmentFailedError("the disk is full"), OSError("the disk is full")],
    ids=["ours", "foreign"],
)
def test_a_record_that_was_not_kept(
    environment: FakeEnvironment, directory: DrillDirectory, error: Exception
) -> None:
    """The journal says why, and what the failover failed with is heard all the same."""
    environment.unstopped = error

    def fail() -> None:
        with recording_calls(environment, directory, directory.journal("operator")):
            raise EnvironmentFailedError("it was broken off")

    with pytest.raises(EnvironmentFailedError, match="it was broken off"):
        fail()
    (event,) = read_journal(directory.journal_path)
    assert (event.kind, event.data) == ("calls.unrecorded", {"reason": "the disk is full"})
