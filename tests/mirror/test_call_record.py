"""The record of calls of a real mirror: what operators call, what fails, what a dark region never answers."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from drdrill.mirror.embedded import Embedded
from drdrill.mirror.sampling import hold_output
from drdrill.plan import load_plan
from tests.mirror.standing import INSTANCE, WITHIN, Standing, copy_repository

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

pytestmark = pytest.mark.drill
HERE, THERE = "eu-west-1", "eu-central-1"
_CALL_THE_DEAD = """
import sys
import boto3
from botocore.config import Config
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError
attempts = {'total_max_attempts': 2}
config = Config(connect_timeout=2, read_timeout=2, retries=attempts)
client = boto3.client(sys.argv[1], sys.argv[2], config=config)
try:
    getattr(client, sys.argv[3])()
except (ConnectTimeoutError, ReadTimeoutError):
    print('nobody answers')
"""


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    """Bring a mirror up for this module and take it down, whatever happens."""
    root = copy_repository(tmp_path_factory.mktemp("repository"))
    with Embedded(root, load_plan(root / "scenarios" / "plan.yaml")) as environment:
        yield Standing(environment)


def _read(path: Path, kind: str) -> list[dict[str, Any]]:
    lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line["kind"] == kind]


def _called(lines: Sequence[dict[str, Any]]) -> list[tuple[str, str, str, str]]:
    return [(one["region"], one["service"], one["operation"], one["outcome"]) for one in lines]


def _connect(mirror: Standing, address: str, port: int) -> None:
    """Try to connect from the operators' host, for 1.5 s, whatever comes of it."""
    program = f"import socket; socket.create_connection(('{address}', {port}), 1.5)"
    command = ["sh", "-c", f'{sys.executable} -c "$1" || true', "sh", program]
    mirror.environment.run_for_operator(command, within=WITHIN)


def test_what_operators_call(mirror: Standing, tmp_path: Path) -> None:
    """Calls with their outcome, a database that was connected to, which databases there are; until it is stopped."""
    record = tmp_path / "calls.jsonl"
    mirror.environment.start_call_record(record)
    mirror.ask_aws("describe_db_instances", DBInstanceIdentifier=INSTANCE)
    hostile = '<script>"'
    mirror.ask_aws("promote_read_replica", region=THERE, DBInstanceIdentifier=hostile)
    mirror.query("select 1")
    mirror.environment.stop_call_record()
    mirror.ask_aws("describe_db_instances")
    calls = _read(record, "call")
    assert _called(calls) == [
        (HERE, "rds", "DescribeDBInstances", "ok"),
        (THERE, "rds", "PromoteReadReplica", "DBInstanceNotFound"),
    ]
    assert calls[1]["target"] == {"DBInstanceIdentifier": hostile}
    (connection,) = _read(record, "connection")
    assert (connection["service"], connection["region"], connection["outcome"]) == (
        "postgresql",
        HERE,
        "answered",
    )
    looks = _read(record, "databases")
    assert [one["moment"] for one in looks] == ["begin", "end"]
    assert [one["identifier"] for one in looks[0]["instances"]] == [INSTANCE]


def test_a_dark_region(mirror: Standing, tmp_path: Path) -> None:
    """Each attempt is one, however often the kernel repeats it, with its service and for how long it was waited for."""
    record = tmp_path / "calls.jsonl"
    control = mirror.environment.world.control
    address = mirror.store().members[0].address
    control.ask("inject_place", kind="region_power_loss", resource=HERE)
    try:
        mirror.environment.start_call_record(record)
        for service, operation in (("rds", "describe_db_instances"), ("s3", "list_buckets")):
            command = [sys.executable, "-c", _CALL_THE_DEAD, service, HERE, operation]
            said = mirror.environment.run_for_operator(command, within=WITHIN)
            assert said.strip() == "nobody answers"
        _connect(mirror, address, 5432)
        mirror.environment.stop_call_record()
    finally:
        control.ask("heal_place", kind="region_power_loss", resource=HERE)
    lines = _read(record, "connection")
    assert [(one["region"], one["service"], one["outcome"]) for one in lines] == [
        (HERE, service, "unanswered") for service in ("rds", "rds", "s3", "s3", "postgresql")
    ]
    assert all(one["tries"] > 1 for one in lines)
    assert all(one["seconds"] >= 2 for one in lines[:4])  # the time-out that the program has
    assert 1.5 <= lines[4]["seconds"] < 8
    assert _read(record, "call") == []


def test_a_silent_control_plane(mirror: Standing, tmp_path: Path) -> None:
    """Each call that it took is told as not answered, until its caller gave up, though the API is back in the end."""
    record = tmp_path / "calls.jsonl"
    control = mirror.environment.world.control
    control.ask("break_control_plane", service="rds", region=HERE, how="silent")
    try:
        mirror.environment.start_call_record(record)
        command = [sys.executable, "-c", _CALL_THE_DEAD, "rds", HERE, "describe_db_instances"]
        said = mirror.environment.run_for_operator(command, within=WITHIN)
        assert said.strip() == "nobody answers"
    finally:
        control.ask("restore_control_plane", service="rds", region=HERE)
    mirror.environment.stop_call_record()
    calls = _read(record, "call")
    assert _called(calls) == [(HERE, "rds", "DescribeDBInstances", "unanswered")] * 2
    assert all(2 <= one["seconds"] < 4 for one in calls)
    assert _read(record, "connection") == []


def test_a_machine_that_refuses(mirror: Standing, tmp_path: Path) -> None:
    """Who says no is told apart from who says nothing; a port without a name is told by its number."""
    record = tmp_path / "calls.jsonl"
    (primary, *_) = mirror.store().members
    mirror.environment.start_call_record(record)
    _connect(mirror, primary.address, 1)
    mirror.environment.stop_call_record()
    (line,) = _read(record, "connection")
    assert (line["service"], line["name"], line["outcome"]) == ("port 1", primary.host, "refused")
    assert line["seconds"] < 1


def test_a_drill_that_is_gone(mirror: Standing, tmp_path: Path) -> None:
    """Its record ends with it, nobody's call fails for that, and the next drill has its own."""
    gone, record = tmp_path / "gone.jsonl", tmp_path / "calls.jsonl"
    held = hold_output(gone)
    mirror.environment.world.control.ask("start_call_record", output=str(gone))
    os.close(held)
    mirror.ask_aws("describe_db_instances")
    mirror.environment.start_call_record(record)
    mirror.ask_aws("describe_db_instances")
    mirror.environment.stop_call_record()
    assert _read(gone, "call") == []
    assert len(_read(record, "call")) == 1
