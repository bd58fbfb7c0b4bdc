"""Sampling of replication: into whose file, in which words, and for how long."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from drdrill.dataplane.postgresql_replication import ReplicationReading, StandbyReading
from drdrill.mirror.sampling import Sampling, hold_output

if TYPE_CHECKING:
    from pathlib import Path

ARN = "arn:aws:rds:eu-west-1:000000000000:db:payments"
READING = ReplicationReading(100, (StandbyReading("payments-2", "sync", 90),))


def test_samples_of_a_held_file(tmp_path: Path) -> None:
    """What was read of a sampled instance, or that it did not answer, is a line of the file; others' is not."""
    output = tmp_path / "samples.jsonl"
    sampling, held = Sampling(), hold_output(output)
    try:
        sampling.start(ARN, output)
        sampling.take(ARN, "payments-1", 1, READING, None)
        sampling.take(ARN, "payments-1", 2, None, "no answer")
        sampling.take(ARN.replace("eu-west-1", "eu-central-1"), "payments-1", 3, READING, None)
        sampling.stop()
        sampling.take(ARN, "payments-1", 4, READING, None)
    finally:
        os.close(held)
    first, second = map(json.loads, output.read_text(encoding="utf-8").splitlines())
    assert first == {
        "at_ns": 1, "primary": "payments-1", "lsn": 100, "error": None,
        "standbys": [{"host": "payments-2", "sync_state": "sync", "flush_lsn": 90}],
    }  # fmt: skip
    assert (second["at_ns"], second["lsn"], second["error"]) == (2, None, "no answer")


def test_a_drill_that_is_gone_gets_no_more(tmp_path: Path) -> None:
    """Once nobody holds the file, however that came, nothing is appended any more, also not when it is held again."""
    output = tmp_path / "samples.jsonl"
    sampling, held = Sampling(), hold_output(output)
    sampling.start(ARN, output)
    os.close(held)
    sampling.take(ARN, "payments-1", 1, READING, None)
    held = hold_output(output)
    try:
        sampling.take(ARN, "payments-1", 2, READING, None)
    finally:
        os.close(held)
    assert output.read_bytes() == b""
