"""The ledger: what was written comes back, whole records only, also of a client that still writes."""

from __future__ import annotations

import os
import tempfile
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drdrill.core.errors import DamagedRecordError
from drdrill.record.ledger import (
    ATTEMPT,
    OUTCOME,
    Client,
    ClientKind,
    LedgerWriter,
    Outcome,
    make_id,
    outcome_code,
    outcomes_of,
    read_ledger,
    sequence_of,
    servers_of,
)

CLIENT = Client("prober-3", 3, ClientKind.PROBER, 3, 1_000, 40, 1.0, honours_ttl=True)
SERVER = 0x0A140005  # 10.20.0.5


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """Return the folder of a ledger with three attempts, of which the last has no outcome."""
    writer = LedgerWriter(tmp_path, CLIENT)
    for number in range(3):
        writer.attempt(make_id(3, number), -(2**40) - number, 1_000 + number)
    writer.outcome(make_id(3, 0), 2_000, outcome_code(Outcome.ACKNOWLEDGED, SERVER))
    writer.outcome(make_id(3, 1), 2_001, outcome_code(Outcome.NOT_SENT))
    writer.close()
    return tmp_path


def test_round_trip(written: Path) -> None:
    """Client, attempts and outcomes come back as they were written."""
    (ledger,) = read_ledger(written)
    assert ledger.client == CLIENT
    assert sequence_of(ledger.attempts["id"]).tolist() == [0, 1, 2]
    assert ledger.attempts["amount"].tolist() == [-(2**40) - number for number in range(3)]
    assert ledger.attempts["at_ns"].tolist() == [1_000, 1_001, 1_002]
    assert outcomes_of(ledger.outcomes["code"]).tolist() == [Outcome.ACKNOWLEDGED, Outcome.NOT_SENT]
    assert servers_of(ledger.outcomes["code"]).tolist() == [SERVER, 0]


@pytest.mark.parametrize("length", range(1, ATTEMPT.size))
def test_a_torn_record_is_left_out(written: Path, length: int) -> None:
    """A record that a dying client left half written does not count, and harms no other."""
    for suffix in (".attempts", ".outcomes"):
        with (written / f"prober-3{suffix}").open("ab") as stream:
            stream.write(b"\xff" * length)
    (ledger,) = read_ledger(written)
    assert (len(ledger.attempts), len(ledger.outcomes)) == (3, 2)


def test_a_ledger_is_never_overwritten(written: Path) -> None:
    """A second client of the same name is refused, so that no evidence is lost."""
    with pytest.raises(FileExistsError):
        LedgerWriter(written, CLIENT)


def test_every_outcome_of_a_live_client_has_its_attempt(tmp_path: Path) -> None:
    """However often a ledger is read while its client writes, no outcome is without its attempt."""
    writer, stopped = LedgerWriter(tmp_path, CLIENT), threading.Event()

    def write() -> None:
        number = 0
        while not stopped.is_set():
            writer.attempt(make_id(3, number), 1, number)
            writer.outcome(make_id(3, number), number, outcome_code(Outcome.ACKNOWLEDGED, 1))
            number += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for _ in range(200):
            (ledger,) = read_ledger(tmp_path)
            assert np.isin(ledger.outcomes["id"], ledger.attempts["id"]).all()
    finally:
        stopped.set()
        thread.join()
        writer.close()


def test_outcomes_are_read_before_attempts(written: Path) -> None:
    """An answer that comes between the two readings is of the next reading: its attempt is not missed.

    The outcomes are a pipe that writes the pair only when somebody opens it, as a client would at that moment.
    """
    outcomes = written / "prober-3.outcomes"
    outcomes.unlink()
    os.mkfifo(outcomes)

    def write() -> None:
        with outcomes.open("wb") as stream, (written / "prober-3.attempts").open("ab") as attempts:
            attempts.write(ATTEMPT.pack(make_id(3, 9), 1, 1))
            attempts.flush()
            stream.write(OUTCOME.pack(make_id(3, 9), 2, outcome_code(Outcome.ACKNOWLEDGED, 1)))

    thread = threading.Thread(target=write)
    thread.start()
    (ledger,) = read_ledger(written)
    thread.join()
    assert np.isin(ledger.outcomes["id"], ledger.attempts["id"]).all()
    assert len(ledger.outcomes) == 1


@pytest.mark.parametrize("text", ["{", "[]", '{"name": "x"}', '{"kind": "somebody"}'])
def test_a_client_that_cannot_be_read(written: Path, text: str) -> None:
    """A description that is not one of a client is damage, named with its file."""
    (written / "prober-3.json").write_text(text, encoding="utf-8")
    with pytest.raises(DamagedRecordError, match=r"prober-3\.json"):
        read_ledger(written)


def test_a_missing_half(written: Path) -> None:
    """A ledger without its attempts is damage, never an empty one."""
    (written / "prober-3.attempts").unlink()
    with pytest.raises(DamagedRecordError, match=r"prober-3\.attempts"):
        read_ledger(written)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 40), st.integers(0, ATTEMPT.size - 1), st.integers(0, OUTCOME.size - 1))
def test_files_are_read_as_their_bytes_say(records: int, torn_attempt: int, torn_outcome: int) -> None:
    """Mapped records are those of the files' whole records, however many there are and whatever is torn."""
    generator = np.random.default_rng(records)
    with tempfile.TemporaryDirectory() as folder:
        LedgerWriter(Path(folder), CLIENT).close()
        attempts = generator.bytes(records * ATTEMPT.size + torn_attempt)
        outcomes = generator.bytes(records * OUTCOME.size + torn_outcome)
        (Path(folder) / "prober-3.attempts").write_bytes(attempts)
        (Path(folder) / "prober-3.outcomes").write_bytes(outcomes)
        (ledger,) = read_ledger(Path(folder))
        assert ledger.attempts.tolist() == list(ATTEMPT.iter_unpack(attempts[: records * ATTEMPT.size]))
        assert ledger.outcomes.tolist() == list(OUTCOME.iter_unpack(outcomes[: records * OUTCOME.size]))


def test_what_is_appended_later_is_of_the_next_reading(written: Path) -> None:
    """A reading stays what it was, although the files are looked at again while their client writes on."""
    (ledger,) = read_ledger(written)
    for suffix in (".attempts", ".outcomes"):
        with (written / f"prober-3{suffix}").open("ab") as stream:
            stream.write(ATTEMPT.pack(make_id(3, 7), 1, 1))
    assert (len(ledger.attempts), len(ledger.outcomes)) == (3, 2)


def test_records_outlive_the_reading(written: Path) -> None:
    """An array that somebody holds stays valid when the ledger is gone and the file is unlinked."""
    (ledger,) = read_ledger(written)
    attempts = ledger.attempts
    (written / "prober-3.attempts").unlink()
    del ledger
    assert attempts["at_ns"].tolist() == [1_000, 1_001, 1_002]


def test_records_cannot_be_changed(written: Path) -> None:
    """Evidence is mapped for reading only."""
    (ledger,) = read_ledger(written)
    with pytest.raises(ValueError, match="read-only"):
        ledger.attempts["amount"] = 0


@pytest.mark.parametrize("left", [0, 1])
def test_a_file_that_became_shorter(written: Path, left: int) -> None:
    """Evidence that vanishes between two looks is damage, named with its file."""
    (ledger,) = read_ledger(written)
    os.truncate(written / "prober-3.attempts", left * ATTEMPT.size)
    with pytest.raises(DamagedRecordError, match=r"prober-3\.attempts"):
        _ = ledger.attempts
