"""What a failover called and what it never did: from its record, and from what was seen besides."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from drdrill.measure import measure
from drdrill.measure.call_document import render_calls
from drdrill.measure.call_record import FILE, RECORDED, UNRECORDED, read_calls
from drdrill.measure.capacity import Capacity, SystemSeen
from drdrill.measure.facts import Fault
from drdrill.measure.notices import Notices, Told
from drdrill.measure.omissions import find_calls
from drdrill.measure.system import SystemRecord
from drdrill.plan import load_plan
from drdrill.record.directory import DrillDirectory
from tests.measure.called import HERE, THERE, call, connection, databases, put_record, tell
from tests.measure.regional import commanded
from tests.measure.story import FAULT, SECOND, codes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drdrill.measure.call_record import CallRecord
    from drdrill.plan.model import Plan
    from tests.measure.called import Line
    from tests.measure.regional import RegionalStory

LOST = Fault("region_power_loss", HERE, FAULT, FAULT + SECOND)
PROMOTE, SCALE = "rds:PromoteReadReplica", "eks:UpdateNodegroupConfig"
NAME, NOTICE = "route53:ChangeResourceRecordSets", "s3:PutObject"
BEGIN, END = databases("begin", 1, "payments", "users"), databases("end", 50, None, None)
ALL_DONE = (
    BEGIN,
    call(PROMOTE, 2, DBInstanceIdentifier="copy-0"),
    call(PROMOTE, 3, DBInstanceIdentifier=f"arn:aws:rds:{THERE}:000000000000:db:copy-1"),
    call(SCALE, 4, clusterName="c", nodegroupName="n"),
    call(NAME, 5, region="us-east-1", Id="Z1", Name="api.example."),
    call(NOTICE, 6, Bucket="status", Key="index.html"),
    END,
)


@pytest.fixture
def directory(tmp_path: Path) -> DrillDirectory:
    """Return a drill's directory with nothing in it."""
    made = DrillDirectory(tmp_path / "drill")
    made.create()
    return made


@pytest.fixture
def plan() -> Plan:
    """Return the reference company's plan, which has two stores with a copy."""
    return load_plan(Path(__file__).resolve().parents[2] / "scenarios" / "plan.yaml")


def _read(
    directory: DrillDirectory, lines: Sequence[Line], *, tail: str = "", told: bool = True
) -> CallRecord:
    record = read_calls(put_record(directory, lines, tail=tail, told=told), LOST)
    assert record is not None
    return record


def _seen(nodes: int, address: str, *, primary: int = 3) -> SystemSeen:
    regions = {
        name: Capacity(answers=True, nodes=count, pods={}, wanted={})
        for name, count in ((HERE, primary), (THERE, nodes))
    }
    return SystemSeen(regions, "api.example", {address: True})


def _system(*, nodes: int = 1, address: str = "10.0.0.1", told: bool = False) -> SystemRecord:
    notices = Notices((Told(FAULT, "page.html"),) if told else (), FAULT if told else None, SECOND)
    return SystemRecord(
        THERE, _seen(1, "10.0.0.1"), _seen(nodes, address, primary=0), notices, (), (), stayed=True
    )


def _find(
    record: CallRecord, plan: Plan, system: SystemRecord | None = None, *, fails_over: bool = True
) -> dict[str, str]:
    found = list(find_calls(record, plan, system, fails_over=fails_over))
    texts = {one.code: one.text.replace("\N{NO-BREAK SPACE}", " ") for one in found}
    assert len(texts) == len(found)
    return texts


def test_a_drill_of_earlier_has_none(directory: DrillDirectory) -> None:
    """Where nobody recorded calls nothing is said of them."""
    tell(directory, "drill.ended")
    assert read_calls(directory, LOST) is None
    assert render_calls(None) is None


def test_calls_are_grouped(directory: DrillDirectory) -> None:
    """By region, service and operation, with their number, their failures by code, and what they were about."""
    record = _read(
        directory,
        [
            call(PROMOTE, 9, outcome="Throttling", DBInstanceIdentifier="b"),
            call(PROMOTE, 8, outcome="Throttling", DBInstanceIdentifier="a"),
            call(PROMOTE, 10, DBInstanceIdentifier="a"),
            call(PROMOTE, 11, region=HERE, DBInstanceIdentifier="a"),
            END,
        ],
    )
    document = render_calls(record)
    assert document is not None
    assert document["calls"][0] == {
        "caller": "operators", "region": THERE, "service": "rds", "operation": "PromoteReadReplica", "count": 3,
        "failed": {"Throttling": 2}, "first_seconds": 8.0, "targets": ["b", "a"], "more_targets": 0,
        "waited_seconds": 0.0,
    }  # fmt: skip
    assert [one["region"] for one in document["calls"]] == [THERE, HERE]
    assert document["complete"]


def test_many_things_are_counted(directory: DrillDirectory) -> None:
    """Of what calls were about the first ones are named, and the others are counted."""
    document = render_calls(_read(directory, [call(NOTICE, 1, Bucket="b", Key=f"{n}") for n in range(20)]))
    assert document is not None
    (group,) = document["calls"]
    assert (group["targets"][-1], len(group["targets"]), group["more_targets"]) == ("b/7", 8, 12)


def test_what_waits_side_by_side_costs_its_time_once(directory: DrillDirectory, plan: Plan) -> None:
    """Two attempts of 10 s, of which one begins 5 s later, are 15 s in which the failover waited."""
    record = _read(
        directory,
        [
            connection("rds", 10, seconds=10),
            connection("rds", 15, seconds=10),
            connection("kubernetes", 50, name="eks-shop", seconds=2.5),
            connection("postgresql", 51, region=THERE, name="copy-0-1", outcome="answered", seconds=0),
        ],
    )
    document = render_calls(record)
    assert document is not None
    assert [(one["service"], one["count"], one["waited_seconds"]) for one in document["connections"]] == [
        ("rds", 2, 15.0), ("kubernetes", 1, 2.5), ("postgresql", 1, 0.0),
    ]  # fmt: skip
    told = _find(record, plan)["called_in_vain"]
    assert told == (
        "The failover called what does not answer in eu-west-1: rds 2 times; kubernetes eks-shop once. "
        "It waited 17.50 s for that."
    )


def test_calls_that_nobody_answered(directory: DrillDirectory, plan: Plan) -> None:
    """An API that took a call and said nothing was called in vain, beside what could not be connected to."""
    silent = partial(call, outcome="unanswered", seconds=10)
    lines = [
        BEGIN,
        connection("rds", 5, seconds=10),
        silent("rds:DescribeDBInstances", 10, region=HERE),
        silent(PROMOTE, 12, DBInstanceIdentifier="copy-0"),
        silent(NAME, 13, region="us-east-1"),
        silent(SCALE, 14),
        {**BEGIN, "moment": "end"},
    ]
    record = _read(directory, lines)
    document = render_calls(record)
    assert document is not None
    assert [(one["failed"], one["waited_seconds"]) for one in document["calls"]] == [
        ({"unanswered": 1}, 10.0)
    ] * 4
    found = [
        one.text.replace("\N{NO-BREAK SPACE}", " ") for one in find_calls(record, plan, None, fails_over=True)
    ]
    assert (
        "The failover called what does not answer in eu-west-1: rds once; rds DescribeDBInstances once. "
        "It waited 15 s for that."
    ) in found
    assert (
        "The failover called what does not answer in eu-central-1: rds PromoteReadReplica once; "
        "eks UpdateNodegroupConfig once. It waited 12 s for that."
    ) in found
    assert not [one for one in found if "refused" in one]
    assert any("promoting copy-0 failed with no answer" in one for one in found)
    assert "Capacity was asked for in eu-central-1, and every call for it failed: no answer." in found


def test_who_stays_omits_nothing(directory: DrillDirectory, plan: Plan) -> None:
    """Where nobody is to fail over, what was asked in vain is told, and of what was not done nothing is."""
    lines = [BEGIN, connection("rds", 5), call(NAME, 6, region="us-east-1", outcome="Throttling"), END]
    stayed = _find(_read(directory, lines), plan, _system(), fails_over=False)
    assert set(stayed) == {"called_in_vain", "name_refused"}
    torn = _find(_read(directory, lines[:-1]), plan, fails_over=False)
    assert "its last calls are not known" in torn["calls_not_known"]
    assert set(torn) == {"called_in_vain", "name_refused", "calls_not_known"}


def test_a_record_without_its_end(directory: DrillDirectory, plan: Plan) -> None:
    """What nobody wrote to its end is not complete, even where the journal refers to it."""
    record = _read(directory, ALL_DONE[:-1])
    assert not record.complete
    assert set(_find(record, plan)) == {"calls_not_known"}


def test_a_failover_that_did_all_of_it(directory: DrillDirectory, plan: Plan) -> None:
    """Nothing is said, whether anybody looked at the system or not."""
    record = _read(directory, ALL_DONE)
    assert _find(record, plan) == _find(record, plan, _system(told=True)) == {}


def test_a_failover_that_did_nothing(directory: DrillDirectory, plan: Plan) -> None:
    """All that it never did is told, with what was seen."""
    record = _read(directory, [BEGIN, {**BEGIN, "moment": "end"}])
    assert _find(record, plan, _system()) == {
        "copy_not_promoted": "Of the plan's stores with a copy in eu-central-1, 0 of 2 were promoted: that of "
        "payments-database was not (copy-0: nobody asked for it); that of users-database was not (copy-1: nobody "
        "asked for it).",
        "capacity_not_asked": "Capacity was never asked for in eu-central-1. It has 1 node in the end; eu-west-1 had 3 "
        "before the fault.",
        "name_not_changed": "No name was changed: Route 53 made no change for the failover, and api.example leads "
        "where it led before the fault.",
        "users_never_told": "Users were never told: the status page did not change after the fault, and no call wrote "
        "or sent anything.",
    }
    unseen = _find(record, plan)
    assert set(unseen) == {"copy_not_promoted", "capacity_not_asked", "name_not_changed", "users_never_told"}
    assert "nobody saw" in unseen["name_not_changed"]


def test_what_came_about_by_other_means_is_done(directory: DrillDirectory, plan: Plan) -> None:
    """Without a call: copies that are none any more, nodes that came, a name that leads elsewhere, users who know."""
    record = _read(directory, [BEGIN, END])
    assert _find(record, plan, _system(nodes=3, address="10.4.0.1", told=True)) == {}


def test_one_copy_was_forgotten(directory: DrillDirectory, plan: Plan) -> None:
    """It is named with its store, and with why promoting it was refused; a copy of no store of the plan counts not."""
    lines = [
        databases("begin", 1, "payments", "users", "elsewhere", None),
        *ALL_DONE[1:2],
        call(PROMOTE, 3, outcome="InvalidDBInstanceState", DBInstanceIdentifier="copy-1"),
        *ALL_DONE[3:6],
        databases("end", 50, None, "users", "elsewhere", None),
    ]
    assert _find(_read(directory, lines), plan) == {
        "copy_not_promoted": "Of the plan's stores with a copy in eu-central-1, 1 of 2 was promoted: that of "
        "users-database was not (copy-1: promoting copy-1 failed with InvalidDBInstanceState)."
    }


def test_capacity_in_the_wrong_region(directory: DrillDirectory, plan: Plan) -> None:
    """Asked for where the disaster is, it is not asked for; refused where it is needed, the codes are told."""
    others = [one for one in ALL_DONE if one.get("operation") != "UpdateNodegroupConfig"]
    wrong = _find(_read(directory, [*others, call(SCALE, 4, region=HERE)]), plan, _system(told=True))
    assert wrong["capacity_not_asked"].startswith(
        "Capacity was never asked for in eu-central-1, only in eu-west-1. "
    )
    refused = [*others, call(SCALE, 4, outcome="ResourceInUseException")]
    told = _find(_read(directory, refused), plan)["capacity_not_asked"]
    assert (
        told
        == "Capacity was asked for in eu-central-1, and every call for it failed: ResourceInUseException."
    )


def test_an_alias_in_the_wrong_zone(directory: DrillDirectory, plan: Plan) -> None:
    """What Route 53 refused is told in its own words."""
    said = "Tried to create an alias that targets a., type A in zone Z9, but the alias target name does not lie within"
    refused = call(NAME, 4, region="us-east-1", outcome="InvalidChangeBatch", said=said)
    told = _find(_read(directory, [*ALL_DONE, refused]), plan)
    assert told == {
        "name_refused": f"Route 53 refused 1 of the 2 changes that the failover asked for: InvalidChangeBatch: {said}."
    }


def test_notices_that_nobody_saw(directory: DrillDirectory, plan: Plan) -> None:
    """A page that was written and did not change for users is told with what was written."""
    told = _find(_read(directory, ALL_DONE), plan, _system())
    assert told == {
        "users_never_told": "Users were never told: the status page did not change after the fault, although the "
        "failover called PutObject status/index.html."
    }


def test_a_torn_last_line(directory: DrillDirectory, plan: Plan) -> None:
    """What was being written when all ended is left out; without an end of the record no omission is claimed."""
    tell(directory, "failover_command.started", command="./failover.sh")
    record = _read(directory, [BEGIN, call(PROMOTE, 2)], tail='{"kind": "call", "at_', told=False)
    assert (len(record.calls), record.complete) == (1, False)
    told = _find(record, plan)
    assert set(told) == {"calls_not_known"}
    assert "not kept to its end" in told["calls_not_known"]


def test_a_record_that_is_gone(directory: DrillDirectory, plan: Plan) -> None:
    """Missing, altered, not made at all, or no record: each is said, and nothing is claimed of what was not done."""
    put_record(directory, ALL_DONE)
    path = directory.evidence / FILE
    path.write_text(path.read_text(encoding="utf-8").replace("copy-0", "copy-9"), encoding="utf-8")
    altered = read_calls(directory, LOST)
    path.unlink()
    missing = read_calls(directory, LOST)
    tell(directory, UNRECORDED, reason="the mirror has ended.")
    unmade = read_calls(directory, LOST)
    path.write_text('{"kind": "call"}\n', encoding="utf-8")
    tell(directory, RECORDED, **directory.describe_evidence(path, source="a test"))
    strange = read_calls(directory, LOST)
    reasons = []
    for record in (altered, missing, unmade, strange):
        assert record is not None
        (text,) = _find(record, plan).values()
        reasons.append(text)
    assert "is not what was written when the failover ended" in reasons[0]
    assert "the journal refers to calls.jsonl, and it is not there" in reasons[1]
    assert reasons[2] == "What the failover called is not known: the mirror has ended."
    assert "is not as drdrill stores it" in reasons[3]


def test_connections_that_could_not_be_watched(directory: DrillDirectory, plan: Plan) -> None:
    """It is said: that nothing is known to have been called in vain is no proof then."""
    line = {"kind": "unwatched", "at_ns": FAULT, "reason": "Operation not permitted"}
    told = _find(_read(directory, [line, *ALL_DONE]), plan)
    assert set(told) == {"calls_not_known"}
    assert "Operation not permitted" in told["calls_not_known"]


def test_calls_move_no_verdict(regional: RegionalStory) -> None:
    """A failover that called nothing leaves verdict and reasons as they are, and says what it lacked."""
    commanded(regional)
    directory = regional.store()
    before = measure(directory)
    after = measure(put_record(directory, [databases("begin", 1), databases("end", 9)]))
    assert (after.verdict, codes(after)) == (before.verdict, codes(before))
    assert {one.code for one in after.findings} - {one.code for one in before.findings} == {
        "capacity_not_asked", "name_not_changed", "users_never_told",
    }  # fmt: skip
    assert after.to_json()["calls"]["calls"] == []
    assert replace(after, calls=None).to_json() != after.to_json()
