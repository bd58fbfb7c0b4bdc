"""What a recovery left of the whole system: capacity, the way of users, what they were told, what stores agree on."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from drdrill.core.errors import DamagedRecordError
from drdrill.core.verdict import Verdict
from drdrill.measure.capacity import Capacity, SystemSeen, check_capacity, check_way
from drdrill.measure.facts import Fault, read_facts
from drdrill.measure.notices import check_notices, find_notices, read_notices
from drdrill.measure.system import Agreement, SystemRecord, check_record, find_record, read_record
from drdrill.measure.system_document import render_system
from drdrill.plan import load_plan
from drdrill.record.directory import DrillDirectory
from drdrill.record.journal import read_journal
from tests.measure.story import SECOND

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drdrill.measure.outage import Outage
    from drdrill.measure.reason import Reason
    from drdrill.plan.model import Plan, Scenario

HOME, AWAY = "eu-west-1", "eu-central-1"
PODS = {"shop/orders": 3, "shop/mail": 2}
FULL = Capacity(answers=True, nodes=3, pods=PODS, wanted=PODS)
ONE = {"shop/orders": 1, "shop/mail": 1}
PILOT = Capacity(answers=True, nodes=1, pods=ONE, wanted=ONE)
GONE = Capacity(answers=False, nodes=0, pods={}, wanted={})
BEFORE = SystemSeen({HOME: FULL, AWAY: PILOT}, "api.shop.example", {"10.0.0.1": True})
AFTER = SystemSeen({HOME: GONE, AWAY: FULL}, "api.shop.example", {"10.4.0.1": True})


@pytest.fixture
def plan() -> Plan:
    """Return the reference company's plan."""
    return load_plan(Path(__file__).resolve().parents[2] / "scenarios" / "plan.yaml")


@pytest.fixture
def lost(plan: Plan) -> Scenario:
    """Return its scenario in which the primary region is lost."""
    return plan.scenarios["region_loses_power"]


def _seen(**changes: Capacity) -> SystemSeen:
    return SystemSeen(
        {**AFTER.regions, **{name.replace("_", "-"): one for name, one in changes.items()}}, "api", {}
    )


def _codes(reasons: Iterable[Reason]) -> list[tuple[Verdict, str]]:
    return [(one.verdict, one.code) for one in reasons]


def test_a_region_that_carries_what_the_other_did() -> None:
    """As many nodes and pods as the primary region had is enough; more is, too."""
    assert list(check_capacity(BEFORE, AFTER, HOME, AWAY)) == []
    more = Capacity(answers=True, nodes=9, pods={**PODS, "shop/new": 1}, wanted=PODS)
    assert list(check_capacity(BEFORE, _seen(eu_central_1=more), HOME, AWAY)) == []


def test_a_region_that_was_not_scaled_up() -> None:
    """Too few nodes, and too few pods, are misses that are named with their numbers."""
    half = Capacity(answers=True, nodes=2, pods={"shop/orders": 3, "shop/mail": 1}, wanted=PODS)
    nodes, pods = check_capacity(BEFORE, _seen(eu_central_1=half), HOME, AWAY)
    assert nodes.verdict is pods.verdict is Verdict.MISSED
    assert "eu-central-1 has 2 nodes in the end; eu-west-1 had 3" in nodes.text
    assert pods.text.endswith("mail 1 of 2.")
    assert "orders" not in pods.text


def test_a_deployment_that_is_not_there() -> None:
    """A service that was never deployed has none of its pods."""
    (pods,) = check_capacity(
        BEFORE, _seen(eu_central_1=Capacity(answers=True, nodes=3, pods={"shop/orders": 3}, wanted={})), HOME, AWAY
    )  # fmt: skip
    assert "mail 0 of 2" in pods.text


def test_a_region_that_nobody_can_ask() -> None:
    """A cluster that does not answer carries nothing; one that nobody looked at is not known."""
    assert _codes(check_capacity(BEFORE, _seen(eu_central_1=GONE), HOME, AWAY)) == [
        (Verdict.MISSED, "capacity_missing")
    ]
    unseen = SystemSeen(
        {**BEFORE.regions, HOME: GONE}, "api", {}
    )  # nothing, which anything would be enough for
    for before, after in ((None, AFTER), (BEFORE, None), (unseen, AFTER)):
        assert _codes(check_capacity(before, after, HOME, AWAY)) == [
            (Verdict.INCONCLUSIVE, "capacity_not_known")
        ]


def test_users_who_are_led_to_what_is_lost() -> None:
    """A name that leads where nobody answers, or nowhere, is a miss; without a look nothing is said."""
    assert list(check_way(BEFORE, AFTER, moved=True)) == []
    (dead,) = check_way(
        None, SystemSeen({}, "api.shop.example", {"10.0.0.1": False, "10.4.0.1": True}), moved=True
    )
    assert dead.code == "led_nowhere"
    assert "api.shop.example leads to 10.0.0.1 in the end" in dead.text
    nowhere = SystemSeen({}, "api.shop.example", {})
    assert _codes(check_way(BEFORE, nowhere, moved=False)) == [(Verdict.MISSED, "led_nowhere")]
    assert list(check_way(BEFORE, None, moved=True)) == []


def test_users_who_are_led_back_to_the_lost_region() -> None:
    """That the lost region answers again is no recovery where users were to be led elsewhere."""
    (old,) = check_way(BEFORE, BEFORE, moved=True)
    assert "leads to 10.0.0.1 in the end, as before the fault" in old.text
    assert list(check_way(BEFORE, BEFORE, moved=False)) == []


def _write_log(path: Path, *lines: tuple[float, int, str]) -> None:
    path.write_text(
        "".join(
            json.dumps(
                {"at_ns": int(at * SECOND), "status": status, "sha256": text, "file": f"v{number}.html"}
            )
            + "\n"
            for number, (at, status, text) in enumerate(lines)
        ),
        encoding="utf-8",
    )


def test_when_users_were_told(tmp_path: Path) -> None:
    """Counted are versions of the page after the fault; silence counts from the fault on."""
    log = tmp_path / "status-page.jsonl"
    _write_log(
        log, (5, 200, "a"), (20, 200, "b"), (25, 0, ""), (30, 200, "b"), (50, 200, "c"), (200, 200, "d")
    )
    notices = read_notices(log, 10 * SECOND, 100 * SECOND)
    assert notices is not None
    assert [one.file for one in notices.told] == ["v1.html", "v4.html"]
    assert notices.first_ns == 10 * SECOND
    assert notices.longest_silence_ns == 50 * SECOND
    assert list(check_notices(notices)) == []
    (found,) = find_notices(notices)
    assert "told 2 times, first 10 s after the fault; the longest silence was 50 s" in found.text


def test_users_who_were_never_told(tmp_path: Path) -> None:
    """A page that did not change told nobody anything; one that nobody read is not judged."""
    log = tmp_path / "status-page.jsonl"
    assert read_notices(log, 0, SECOND) is None
    _write_log(log, (5, 200, "a"), (20, 404, ""), (30, 200, "a"))
    notices = read_notices(log, 10 * SECOND, 100 * SECOND)
    assert notices is not None
    assert _codes(check_notices(notices)) == [(Verdict.MISSED, "users_not_told")]
    assert list(find_notices(notices)) == []
    log.write_text("{}\n", encoding="utf-8")
    with pytest.raises(DamagedRecordError, match="not as drdrill stores it"):
        read_notices(log, 0, SECOND)


def test_stores_that_disagree(plan: Plan, lost: Scenario) -> None:
    """Within a store, it is a miss; between copies that were lost at different moments, it is worth attention."""
    wrong = tuple(f"payment {number}" for number in range(7))
    agreements = (
        Agreement("every posting sums to zero", across=False, wrong=wrong, problem=""),
        Agreement("both know every payment", across=True, wrong=("payment 3",), problem=""),
        Agreement("no money waits", across=False, wrong=(), problem="no connection"),
        Agreement("all is well", across=True, wrong=(), problem=""),
    )
    record = SystemRecord(AWAY, BEFORE, AFTER, None, agreements, (), stayed=True)
    disagree, unknown = check_record(record, plan, lost, {})
    assert (disagree.verdict, unknown.verdict) == (Verdict.MISSED, Verdict.INCONCLUSIVE)
    assert "payment 4 and 2 more" in disagree.text
    unmeasured, found = find_record(record, plan, lost)
    assert (unmeasured.code, unmeasured.text.split(" the loss")[0]) == (
        "loss_not_measured",
        "Of users-database",
    )
    assert "both know every payment: payment 3" in found.text
    alone = lost.model_copy(update={"runbook": None})
    assert _codes(check_record(record, plan, alone, {})) == [
        (Verdict.MISSED, "stores_disagree"),
        (Verdict.MISSED, "stores_disagree"),
        (Verdict.INCONCLUSIVE, "agreement_not_known"),
    ]
    assert list(find_record(record, plan, alone)) == []


def test_what_nobody_asked_is_not_known(plan: Plan, lost: Scenario) -> None:
    """Where users left and nobody asked, or not for everything, nobody knows whether stores agree."""
    record = SystemRecord(AWAY, BEFORE, AFTER, None, (), None, stayed=True)
    assert _codes(check_record(record, plan, lost, {})) == [(Verdict.INCONCLUSIVE, "agreement_not_known")]
    (told,) = check_record(replace(record, unasked=("all is well",)), plan, lost, {})
    assert (told.code, told.text) == ("agreement_not_known", "Nobody asked whether all is well.")


def test_a_status_page_that_nobody_read(plan: Plan, lost: Scenario) -> None:
    """Where users were to read one, and no log says what they read, nobody knows whether they were told."""
    record = SystemRecord(AWAY, BEFORE, AFTER, None, (), (), stayed=True, unheard=True)
    assert _codes(check_record(record, plan, lost, {})) == [(Verdict.INCONCLUSIVE, "notices_not_read")]
    assert list(check_record(replace(record, unheard=False), plan, lost, {})) == []


def test_users_who_were_not_served_on(plan: Plan, lost: Scenario) -> None:
    """A wait for users beside what came back that was in vain is a miss, whatever the first recovery was."""
    record = SystemRecord(AWAY, BEFORE, AFTER, None, (), (), stayed=False)
    assert _codes(check_record(record, plan, lost, {})) == [(Verdict.MISSED, "not_served_on")]


@dataclass(frozen=True)
class _Cohort:
    late_ns: int


@dataclass(frozen=True)
class _Outage:
    """What users had, as far as a test needs it."""

    outage_ns: int | None
    fault_ns: int = 10 * SECOND
    cohorts: tuple[_Cohort, ...] = ()


@pytest.mark.parametrize(
    ("late_seconds", "verdict"),
    [((0.1, 1.0), Verdict.MISSED), ((0.1, 1.3), Verdict.INCONCLUSIVE), ((), Verdict.MISSED)],
)
def test_users_who_were_late_themselves(
    plan: Plan, lost: Scenario, late_seconds: tuple[float, ...], verdict: Verdict
) -> None:
    """Requests that left later than an answer may take are too slow by the drill's own doing, and prove no miss."""
    assert plan.availability_of(lost).latency_p99 == timedelta(seconds=1)
    record = SystemRecord(AWAY, BEFORE, AFTER, None, (), (), stayed=False)
    cohorts = tuple(_Cohort(round(one * SECOND)) for one in late_seconds)
    outages = cast("dict[str, Outage | None]", {lost.service: _Outage(None, cohorts=cohorts)})
    (told,) = check_record(record, plan, lost, outages)
    assert (told.verdict, told.code) == (verdict, "not_served_on")
    assert ("up to 1.3 s late themselves" in told.text) == (verdict is Verdict.INCONCLUSIVE)


def test_what_came_back_is_no_recovery(plan: Plan, lost: Scenario) -> None:
    """A service that was served only after somebody gave back what was lost was brought back by no runbook."""
    record = SystemRecord(AWAY, BEFORE, AFTER, None, (), (), stayed=True, return_ns=60 * SECOND)
    outages = cast(
        "dict[str, Outage | None]",
        {
            "early": _Outage(49 * SECOND),
            "late": _Outage(51 * SECOND),
            "never": _Outage(None),
            "unknown": None,
        },
    )
    (told,) = check_record(record, plan, lost, outages)
    assert (told.verdict, told.code) == (Verdict.MISSED, "served_by_what_came_back")
    assert told.text.startswith("late was served again only after")
    assert list(check_record(replace(record, return_ns=None), plan, lost, outages)) == []
    assert list(check_record(replace(record, returned_meanwhile=True), plan, lost, outages)) == []
    database = lost.model_copy(update={"runbook": None})
    assert list(check_record(replace(record, region=HOME, after=BEFORE), plan, database, outages)) == []


def test_the_first_that_came_back(tmp_path: Path) -> None:
    """What was broken beside the fault counts, too; what had been broken before it, and is mended early, does not."""
    directory = DrillDirectory(tmp_path / "drill")
    directory.create()
    journal = directory.journal("drill")

    def place(kind: str) -> dict[str, str]:
        return {"kind": kind, "resource": "there"}

    journal.append("fault.circumstance", **place("link_delay"))
    journal.append("fault.injected", **place("link_delay"), before_ns=0, after_ns=0, details={})
    now = read_journal(directory.journal_path)[-1].at_ns
    fault = Fault("region_power_loss", HOME, now, now + 1)
    journal.append("fault.injected", **asdict(fault), details={})
    journal.append("fault.injected", **place("zone_power_loss"), before_ns=now, after_ns=now, details={})
    for kind in ("link_delay", "zone_power_loss"):
        journal.append("fault.healing", **place(kind))
    journal.append("fault.healing", kind=fault.kind, resource=fault.resource)
    *_, first, last = (one.at_ns for one in read_journal(directory.journal_path))
    facts = read_facts(directory)
    assert (facts.return_ns, facts.healing_ns) == (first, last)


def test_it_is_read_from_the_journal(plan: Plan, lost: Scenario, tmp_path: Path) -> None:
    """Everything comes from the drill's directory; where only databases were up there is nothing to be read."""
    directory = DrillDirectory(tmp_path / "drill")
    directory.create()
    journal = directory.journal("drill")
    pods = {"shop/orders": 3}
    seen = {AWAY: {"answers": True, "nodes": {"a": 2, "b": 1}, "ready": pods, "wanted": pods}}
    for moment in ("before_fault", "after_recovery"):
        journal.append(
            "system.observed", moment=moment, regions=seen, name="api", addresses={"10.4.0.1": True}
        )
    journal.append("reconciliation.begun", names=["all is well", "all is even better"])
    journal.append("reconciliation.observed", name="all is well", across=False, wrong=["x"], problem="")
    journal.append("recovery.observed", recovered=True, outage_seconds=1.0)
    fault = Fault("region_power_loss", HOME, 0, 1)
    journal.append("fault.injected", **asdict(fault), details={})
    for resource in ("elsewhere", HOME):
        journal.append("fault.healing", kind="region_power_loss", resource=resource)
    record = read_record(directory, plan, lost, fault, read_facts(directory).return_ns)
    assert record is not None
    assert record.region == AWAY
    assert (
        record.before
        == record.after
        == SystemSeen(
            {AWAY: Capacity(answers=True, nodes=3, pods=pods, wanted=pods)}, "api", {"10.4.0.1": True}
        )
    )
    assert record.agreements == (Agreement("all is well", across=False, wrong=("x",), problem=""),)
    assert (record.unasked, record.stayed) == (("all is even better",), True)
    assert record.return_ns == read_journal(directory.journal_path)[-1].at_ns
    journal.append("system.unreadable", moment="after_recovery", reason="nobody answers")
    unread = read_record(directory, plan, lost, fault)
    assert unread is not None
    assert (unread.before, unread.after) == (record.before, None)
    document = render_system(record)
    assert document is not None
    assert document["after"]["regions"][AWAY] == {"answers": True, "nodes": 3, "pods": pods}
    assert document["notices"] is None
    assert not record.unheard
    journal.append("load.started", clients=[], processes=[], start_ns=1, status_page=True)
    journal.append("load.stopped", statuses={}, at_ns=2)
    unheard = read_record(directory, plan, lost, fault)
    assert unheard is not None
    assert unheard.unheard
    assert read_record(directory, plan, plan.scenarios["primary_host_loses_power"], None) is None
    assert render_system(None) is None
