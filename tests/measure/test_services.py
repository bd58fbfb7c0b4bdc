"""Several services judged in one drill: each by those who ask it, against its own tier's RTO."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.core.verdict import Verdict
from drdrill.measure.waits import read_time_spent
from drdrill.plan import load_plan
from drdrill.record.ledger import ClientKind, Outcome
from tests.measure.regional import THERE
from tests.measure.story import END, FAULT, MS, RECOVERED, SECOND, codes, make_client

if TYPE_CHECKING:
    from drdrill.measure import Measurement
    from drdrill.measure.verdict import Objective
    from tests.measure.regional import RegionalStory


def objective_of(measured: Measurement, service: str) -> Objective:
    """Return the RTO of a service."""
    return next(one for one in measured.objectives if one.name == f"rto of {service}")


def stay_down(story: RegionalStory, name: str, until_ns: int) -> None:
    """Let a client get no answer until a moment."""
    for write in story.writes[name]:
        if FAULT <= write.sent_ns < until_ns:
            write.outcome, write.server, write.answered_ns = Outcome.UNKNOWN, 0, write.sent_ns + SECOND


def lose_last_second(story: RegionalStory) -> None:
    """Let every row be gone that was written within a second before the fault."""
    for writes in story.writes.values():
        for write in writes:
            if FAULT - SECOND <= write.sent_ns < FAULT:
                write.rows = 0


def test_a_region_drill_is_met(regional: RegionalStory) -> None:
    """All services are served again in time: each has an RTO of its own tier, and the scenario's own comes first."""
    measured = regional.measure()
    assert (measured.verdict, codes(measured)) == (Verdict.MET, set())
    names = [one.name for one in measured.objectives]
    assert names[:3] == ["rto of orders", "rto of customers", "rto of letters"]
    hour = 3600 * SECOND
    assert [one.objective_ns for one in measured.objectives[:3]] == [hour, hour, 4 * hour]


def test_another_service_over_its_objective_is_missed(regional: RegionalStory) -> None:
    """A service that stays down longer than its own RTO is a miss that names it; the others are met."""
    regional.plan["RTO"] = "5 s"
    stay_down(regional, "probe-customers-0", RECOVERED + 2 * SECOND)
    measured = regional.measure()
    assert measured.verdict is Verdict.MISSED
    missed = [one.text for one in measured.reasons if one.code == "rto_missed"]
    assert [text.split(":")[0] for text in missed] == ["rto of customers"]
    verdicts = {one.subject: one.measured_verdict for one in measured.objectives if one.kind == "rto"}
    assert verdicts == {"orders": Verdict.MET, "customers": Verdict.MISSED, "letters": Verdict.MET}


def test_a_slower_tier_has_more_time(regional: RegionalStory) -> None:
    """The same outage is no miss for a service whose tier allows it."""
    regional.plan["RTO"] = "5 s"
    stay_down(regional, "probe-letters-0", RECOVERED + 2 * SECOND)
    measured = regional.measure()
    assert objective_of(measured, "letters").measured.value_ns == 6 * SECOND
    assert objective_of(measured, "letters").measured_verdict is Verdict.MET


def test_the_main_outage_is_of_the_judged_service_alone(regional: RegionalStory) -> None:
    """How long another service stays down moves neither the judged one's figure nor its impact."""
    before = regional.measure().outage
    stay_down(regional, "probe-letters-0", RECOVERED + 3 * SECOND)
    regional.path = regional.path / "again"
    after = regional.measure().outage
    assert before is not None
    assert after is not None
    assert (after.outage_ns, after.down_ns) == (before.outage_ns, before.down_ns)
    assert {one.client.name for one in after.cohorts} == {"prober-0", "prober-1"}


def test_a_service_that_nobody_probed_is_inconclusive(regional: RegionalStory) -> None:
    """Without a probing client nothing is known of a service, and the reason says of which."""
    del regional.clients["probe-customers-0"], regional.writes["probe-customers-0"]
    measured = regional.measure()
    assert measured.verdict is Verdict.INCONCLUSIVE
    assert codes(measured) == {"service_not_probed", "rto_not_known"}
    assert "customers" in next(one.text for one in measured.reasons if one.code == "service_not_probed")
    assert objective_of(measured, "letters").measured_verdict is Verdict.MET


def test_a_late_prober_leaves_only_its_own_service_in_the_dark(regional: RegionalStory) -> None:
    """The time of the service whose prober was late is not known; the others' is."""
    for write in regional.writes["probe-customers-0"]:
        if FAULT + SECOND <= write.sent_ns < FAULT + 2 * SECOND:
            write.sent_ns = FAULT + 2 * SECOND
    measured = regional.measure()
    assert codes(measured) == {"service_prober_late"}
    verdicts = {one.subject: one.measured_verdict for one in measured.objectives if one.kind == "rto"}
    assert verdicts == {"orders": Verdict.MET, "customers": Verdict.INCONCLUSIVE, "letters": Verdict.MET}


def test_a_service_that_was_down_before_the_fault_spoils_the_drill(regional: RegionalStory) -> None:
    """Steady state is that of all services that are judged."""
    for write in regional.writes["probe-letters-0"]:
        if FAULT - 4 * SECOND <= write.sent_ns < FAULT:
            write.outcome, write.server = Outcome.UNKNOWN, 0
    measured = regional.measure()
    assert codes(measured, Verdict.INVALID) == {"no_steady_state"}
    assert "letters was not seen up" in measured.reasons[0].text


def test_those_who_only_ask_have_no_rows(regional: RegionalStory) -> None:
    """Acknowledged requests without an amount are no rows: none is lost, none counts as acknowledged."""
    rows = regional.measure().to_json()["rpa"]
    writing = [name for name in regional.clients if not name.startswith(("probe-", "control"))]
    told = sum(one.outcome is Outcome.ACKNOWLEDGED for name in writing for one in regional.writes[name])
    assert (rows["acknowledged_rows"], rows["lost_rows"]) == (told, 0)


def test_a_lost_row_of_an_https_client_is_lost(regional: RegionalStory) -> None:
    """A write by HTTPS counts as every other one, and what a synchronous standby lost is not explained."""
    lost = next(one for one in regional.writes["shop-0"] if one.server == THERE)
    lost.rows = 0
    measured = regional.measure()
    assert codes(measured, Verdict.MISSED) == {"loss_unexplained"}
    assert measured.to_json()["rpa"]["losing_servers"] == ["10.0.0.2"]  # the only primary seen in that region


def test_lag_explains_what_an_https_client_lost(regional: RegionalStory) -> None:
    """What the primary region acknowledged within an asynchronous replica's lag is a loss that is explained."""
    regional.make_asynchronous(2 * SECOND)
    lose_last_second(regional)
    measured = regional.measure()
    assert "loss_unexplained" not in codes(measured)
    assert measured.to_json()["rpa"]["losing_servers"] == ["10.0.0.1"]


def test_two_primaries_in_a_region_explain_nothing(regional: RegionalStory) -> None:
    """Where a region had two primaries, nobody knows which of them acknowledged what HTTPS clients lost."""
    regional.make_asynchronous(2 * SECOND)
    after = [data for _, kind, data in regional.events if kind == "store.observed"][-1]
    after["members"][0]["zone"] = "eu-west-1b"
    lose_last_second(regional)
    assert "loss_unexplained" in codes(regional.measure(), Verdict.MISSED)


def test_a_scenario_may_have_its_own_availability(regional: RegionalStory) -> None:
    """What the scenario says of windows and stability counts everywhere, and the waits that are stated are its own."""
    own = "{window: 2 s, minimum_samples: 40, success_ratio: 0.9, latency_p99: 500 ms, stability: 4 s}"
    regional.plan["re_protection: 1 h"] = f"re_protection: 1 h\n    availability: {own}"
    directory = regional.store()
    plan = load_plan(directory.plan_path)
    waits = read_time_spent(directory, plan, "power_loss").waits
    assert [wait.seconds for wait in waits if wait.what == "stability before the fault"] == [4]


def test_its_own_samples_are_demanded(regional: RegionalStory) -> None:
    """Where the scenario demands more samples than its window has, no window is known to be up."""
    own = "{window: 1 s, minimum_samples: 26, success_ratio: 0.9, latency_p99: 500 ms, stability: 4 s}"
    regional.plan["re_protection: 1 h"] = f"re_protection: 1 h\n    availability: {own}"
    assert "no_steady_state" in codes(regional.measure(), Verdict.INVALID)


def test_a_started_client_of_another_service_is_not_demanded(regional: RegionalStory) -> None:
    """The judged service's own clients are: one of them without a ledger spoils the drill."""
    regional.users["clients"].append("shop-1")
    measured = regional.measure()
    assert codes(measured, Verdict.INVALID) == {"load_not_running"}
    assert "shop-1" in measured.reasons[0].text


def test_observation_ends_with_the_clients(regional: RegionalStory) -> None:
    """A service that is not served again while anybody looks is open, not met."""
    stay_down(regional, "probe-letters-0", END + MS)
    measured = regional.measure()
    assert codes(measured) == {"rto_not_known"}
    assert objective_of(measured, "letters").measured_verdict is Verdict.INCONCLUSIVE


def test_who_is_on_a_journey_need_not_come_to_its_later_steps(regional: RegionalStory) -> None:
    """While an earlier step fails nobody asks further; that others on journeys ask shows that users were there."""
    regional.writes["shop-0"] = [one for one in regional.writes["shop-0"] if one.sent_ns < FAULT]
    regional.add_client(make_client("shop-1", 21, ClientKind.LOAD, 40 * MS))
    regional.tell_zones("shop-1")
    assert regional.measure().verdict is Verdict.MET


def test_journeys_that_all_ended_are_no_load(regional: RegionalStory) -> None:
    """Where nobody on a journey asks any more, users were not there."""
    regional.writes["shop-0"] = [one for one in regional.writes["shop-0"] if one.sent_ns < FAULT]
    measured = regional.measure()
    assert codes(measured, Verdict.INVALID) == {"load_not_running"}
    assert "shop-0 asked no more" in measured.reasons[0].text
