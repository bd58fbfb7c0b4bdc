"""Where nobody is to fail over: staying is MET, and a needless failover, a break and what nobody saw are told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from drdrill.core.errors import InconclusiveError, ObjectiveMissedError
from drdrill.core.verdict import Verdict
from drdrill.drill.judging import require_objective, require_stayed, require_valid
from drdrill.measure.verdict import ObjectiveKind
from tests.measure.regional import commanded
from tests.measure.stayed import HEALING, SAID, break_service, go_on, last_look, make_stayed
from tests.measure.story import MS, SECOND, codes

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.measure.regional import RegionalStory
    from tests.measure.story import Story

SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "verdict.schema.json"


@pytest.fixture
def stayed(tmp_path: Path) -> RegionalStory:
    """Return a drill in which nobody failed over, and nobody was to."""
    return make_stayed(tmp_path)


def _told(story: RegionalStory, code: str) -> tuple[Verdict, str]:
    reasons = story.measure().reasons
    return next((one.verdict, one.text) for one in reasons if one.code == code)


def test_who_stays_is_met(stayed: RegionalStory) -> None:
    """Users served on, a detection that said no and a system as it was: nothing is projected, and that is said."""
    measured = stayed.measure()
    assert (measured.verdict, measured.reasons) == (Verdict.MET, ())
    require_valid(measured)
    require_stayed(measured)
    document = json.loads(json.dumps(measured.to_json()))
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    assert [error.message for error in Draft202012Validator(schema).iter_errors(document)] == []
    assert document["decision"] == {
        "expected": "stay", "taken": "stay", "detection": "detection", "said": SAID,
        "went_on": [], "changed": [], "breaks": {},
    }  # fmt: skip
    times = [one for one in document["objectives"] if one["kind"] == "rto"]
    assert [one["subject"] for one in times] == ["orders", "customers", "letters"]
    for one in document["objectives"]:
        assert (one["measured"]["value_seconds"], one["measured"]["verdict"]) == (0, "MET")
        assert (one["projected"]["value_seconds"], one["projected"]["verdict"]) == (None, None)
        assert one["projected"]["basis"].startswith("nobody fails over, so nothing is ")
    for kind in (ObjectiveKind.RTO, ObjectiveKind.RPO):
        assert require_objective(measured, kind)


@pytest.mark.parametrize("status", [1, 2, 137])
def test_a_detection_that_broke_is_no_decision(stayed: RegionalStory, status: int) -> None:
    """Only the status by which the runbook says no is an answer: a traceback, a usage error or a kill is none."""
    assert stayed.steps is not None
    next(data for _, kind, data in stayed.steps if kind == "step.acted")["status"] = status
    verdict, text = _told(stayed, "decision_not_known")
    assert (verdict, "came to say no" in text) == (Verdict.INCONCLUSIVE, True)


def test_a_recovery_region_that_nobody_saw(stayed: RegionalStory) -> None:
    """Where its clusters did not answer in the end, nobody knows whether they carry more than they did."""
    last_look(stayed)["regions"]["eu-central-1"].update(answers=False, nodes={}, ready={}, wanted={})
    verdict, text = _told(stayed, "decision_not_known")
    assert (verdict, "clusters of eu-central-1" in text) == (Verdict.INCONCLUSIVE, True)


def test_a_runbook_that_goes_on_fails_over_needlessly(stayed: RegionalStory) -> None:
    """A step beyond detection and declaration is a failover, whatever it changed; it is named."""
    go_on(stayed)
    verdict, text = _told(stayed, "failed_over_needlessly")
    assert (verdict, "the runbook went on to `promotion`" in text) == (Verdict.MISSED, True)
    with pytest.raises(ObjectiveMissedError, match="nobody was to fail over"):
        require_stayed(stayed.measure_again())


def _lead_elsewhere(seen: dict[str, Any]) -> None:
    seen["addresses"] = {"10.0.0.9": True, "10.4.0.9": True}


def _promote(seen: dict[str, Any]) -> None:
    seen["primaries"] = {"orders": ["eu-central-1a", "eu-west-1a"]}


def _add_nodes(seen: dict[str, Any]) -> None:
    seen["regions"]["eu-central-1"]["nodes"] = {"eu-central-1a": 3}


def _want_pods(seen: dict[str, Any]) -> None:
    seen["regions"]["eu-central-1"]["wanted"] = {"shop/orders": 3}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_lead_elsewhere, "api.shop.example leads to 10.4.0.9 in the end, and did not before"),
        (_promote, "orders has a primary in eu-central-1 in the end, and had none there before"),
        (_add_nodes, "eu-central-1 has 3 nodes in the end, and had 1"),
        (_want_pods, "eu-central-1 is to carry other pods in the end: orders 3 in the place of 1"),
    ],
)
def test_what_is_seen_is_believed(
    stayed: RegionalStory, change: Callable[[dict[str, Any]], None], said: str
) -> None:
    """A failover that no runbook tells of shows in names, primaries and the pilot light."""
    change(last_look(stayed))
    verdict, text = _told(stayed, "failed_over_needlessly")
    assert (verdict, said in text) == (Verdict.MISSED, True), text


def test_a_failover_within_the_region_is_none(stayed: RegionalStory) -> None:
    """A standby of the same region that took over is no failover to another one."""
    last_look(stayed)["primaries"] = {"orders": ["eu-west-1b"]}
    assert stayed.measure().verdict is Verdict.MET


@pytest.mark.parametrize(("client", "service"), [("prober-0", "orders"), ("probe-letters-0", "letters")])
def test_a_break_is_a_miss(stayed: RegionalStory, client: str, service: str) -> None:
    """Users of any judged service who were not served through the whole fault make staying worthless."""
    break_service(stayed, client)
    verdict, text = _told(stayed, "break_in_service")
    assert (verdict, text.startswith(f"{service} was to be served without a break")) == (Verdict.MISSED, True)
    measured = stayed.measure_again()
    assert "impact_shown" not in codes(measured)
    with pytest.raises(ObjectiveMissedError, match="was to be served"):
        require_stayed(measured)


def test_a_detection_that_did_not_say_no(stayed: RegionalStory) -> None:
    """One that was ended by its time has decided nothing: who is right by accident is not known to be right."""
    assert stayed.steps is not None
    stayed.steps = [one for one in stayed.steps if one[1] != "step.acted"]
    verdict, text = _told(stayed, "decision_not_known")
    assert (verdict, "no step of the runbook that detects" in text) == (Verdict.INCONCLUSIVE, True)
    with pytest.raises(InconclusiveError, match="not known"):
        require_stayed(stayed.measure_again())


def test_a_system_that_nobody_saw(stayed: RegionalStory) -> None:
    """Without a look at where primaries are nobody knows that none was promoted."""
    last_look(stayed)["primaries"] = {}
    assert _told(stayed, "decision_not_known")[0] is Verdict.INCONCLUSIVE


def test_a_command_in_the_runbooks_place(stayed: RegionalStory) -> None:
    """Of somebody else's failover only what it changed is known, and that decides."""
    commanded(stayed, status=1)
    assert "decision_not_known" not in codes(stayed.measure())
    _promote(last_look(stayed))
    assert "failed_over_needlessly" in codes(stayed.measure_again())


def test_a_prober_that_was_late_in_the_fault(stayed: RegionalStory) -> None:
    """A time in which nobody asked may hide a break: until the healing, each prober has to keep its schedule."""
    for write in stayed.writes["prober-0"]:
        if HEALING - 2 * SECOND <= write.sent_ns < HEALING - SECOND:
            write.sent_ns += 800 * MS
            write.answered_ns += 800 * MS
    assert "prober_late" in codes(stayed.measure(), Verdict.INCONCLUSIVE)


def test_clients_who_left_before_it_was_healed(stayed: RegionalStory) -> None:
    """Who asked no more while the fault lasted cannot tell that users were served through it."""
    for writes in stayed.writes.values():
        writes[:] = [one for one in writes if one.sent_ns < HEALING - SECOND]
    assert "load_not_running" in codes(stayed.measure(), Verdict.INVALID)


def test_a_fault_that_nobody_saw_proves_nothing(stayed: RegionalStory) -> None:
    """Where nothing was broken, staying is no decision."""
    stayed.data_of("fault.observed")["effective"] = False
    assert stayed.measure().verdict is Verdict.INVALID


def test_other_scenarios_decide_nothing(story: Story) -> None:
    """Drills in which somebody has to recover stay what they were."""
    measured = story.measure()
    assert (measured.decision, measured.to_json()["decision"]) == (None, None)
    with pytest.raises(InconclusiveError, match="does not say"):
        require_stayed(measured)
