"""The record of active faults survives a crash, and is trusted only as far as it can be read."""

from __future__ import annotations

import json
from dataclasses import replace
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from drdrill.core.errors import DamagedRecordError, RefusedError
from drdrill.environment.port import Injection
from drdrill.faults.active import ActiveFaults, RecordedState
from tests.faults.fakes import HOST, REQUEST

if TYPE_CHECKING:
    from pathlib import Path

INJECTION = Injection("host_power_loss", HOST, 10, 20, {"handle": {"token": 7}})


@pytest.fixture
def record(tmp_path: Path) -> ActiveFaults:
    """Return an empty record."""
    return ActiveFaults(tmp_path)


def test_empty(record: ActiveFaults) -> None:
    """Without a file there is no fault."""
    assert record.read() == ()
    assert record.salvage() == ((), "")


def test_begin_is_on_the_disk(record: ActiveFaults) -> None:
    """A fault stands in the file as `injecting` when `begin` returns."""
    record.begin(REQUEST, at_ns=5)
    (fault,) = json.loads(record.path.read_text(encoding="utf-8"))["faults"]
    assert fault["state"] == "injecting"
    assert fault["request"]["store"] == REQUEST.store


def test_update_round_trip(record: ActiveFaults) -> None:
    """What was written comes back as it was, the details for the healer unredacted."""
    entry = record.begin(REQUEST, at_ns=5)
    written = record.update(entry, RecordedState.ACTIVE, injection=INJECTION)
    assert ActiveFaults(record.directory).read() == (written,)
    assert written.injection == INJECTION


def test_forget(record: ActiveFaults) -> None:
    """The last fault that is forgotten takes the file with it."""
    entry = record.begin(REQUEST, at_ns=5)
    record.forget(entry)
    assert not record.path.exists()


@pytest.mark.parametrize("state", list(RecordedState))
def test_second_on_same_target(record: ActiveFaults, state: RecordedState) -> None:
    """A target with a fault in any state takes no second one, and the way out is named."""
    record.update(record.begin(REQUEST, at_ns=5), state)
    with pytest.raises(RefusedError, match=r"accounts already has one .*drdrill env heal"):
        record.begin(replace(REQUEST, kind="hang"), at_ns=6)


def test_another_target(record: ActiveFaults) -> None:
    """Another target may have a fault at the same time."""
    record.begin(REQUEST, at_ns=5)
    record.begin(replace(REQUEST, store="letters"), at_ns=6)
    assert [entry.target for entry in record.read()] == ["accounts", "letters"]


def test_a_place_and_its_control_planes(record: ActiveFaults) -> None:
    """A region whose control planes are lost may lose its power, too; its control planes are lost once."""
    planes = replace(REQUEST, kind="region_control_plane_loss", store="eu-west-1")
    record.begin(planes, at_ns=1)
    record.begin(replace(planes, kind="region_power_loss"), at_ns=2)
    assert [entry.target for entry in record.read()] == ["the control planes of eu-west-1", "eu-west-1"]
    with pytest.raises(RefusedError, match="already has one"):
        record.begin(planes, at_ns=3)


def test_many_writers(record: ActiveFaults) -> None:
    """Writers at the same time lose none of each other's faults."""
    requests = [replace(REQUEST, store=f"store-{number}") for number in range(8)]
    threads = [
        Thread(target=ActiveFaults(record.directory).begin, args=(request,), kwargs={"at_ns": 1})
        for request in requests
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {entry.target for entry in record.read()} == {request.store for request in requests}


def test_unconfirmed_injection(record: ActiveFaults) -> None:
    """A fault whose injection was never reported is healed by its request, and says so."""
    injection = record.begin(REQUEST, at_ns=5).presumed_injection()
    assert injection.resource == "accounts-db"
    assert injection.details == {"unconfirmed": True, "store": "accounts", "role": "primary"}


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": 2, "faults": []}', '{"version": 1}'])
def test_damaged_file(record: ActiveFaults, content: str) -> None:
    """A damaged file is an error that names it, refuses new faults, and is moved aside for healing."""
    record.path.write_text(content, encoding="utf-8")
    with pytest.raises(DamagedRecordError, match=r"active-faults\.json"):
        record.read()
    with pytest.raises(DamagedRecordError, match="env heal"):
        record.begin(REQUEST, at_ns=5)
    entries, damage = record.salvage()
    assert entries == ()
    assert "active-faults.damaged-1.json" in damage
    assert (record.directory / "active-faults.damaged-1.json").read_text(encoding="utf-8") == content
    assert record.read() == ()


def test_damaged_entry(record: ActiveFaults) -> None:
    """One damaged entry does not take the others with it."""
    good = record.begin(REQUEST, at_ns=5)
    content = json.loads(record.path.read_text(encoding="utf-8"))
    content["faults"].insert(0, {"state": "active"})
    record.path.write_text(json.dumps(content), encoding="utf-8")
    entries, damage = record.salvage()
    assert entries == (good,)
    assert "faults[0] is not a fault" in damage
    assert record.read() == (good,)


def test_second_damage_keeps_the_first(record: ActiveFaults) -> None:
    """A file that was moved aside is never overwritten."""
    for content in ("one", "two"):
        record.path.write_text(content, encoding="utf-8")
        record.salvage()
    assert (record.directory / "active-faults.damaged-1.json").read_text(encoding="utf-8") == "one"
    assert (record.directory / "active-faults.damaged-2.json").read_text(encoding="utf-8") == "two"
