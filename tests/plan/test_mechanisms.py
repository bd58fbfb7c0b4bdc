"""Objectives that a plan's own mechanisms cannot meet, each on the reference plan with a few words changed."""

from __future__ import annotations

import pytest

from tests.plan.edited_plan import CRITICAL_PATH, Case, CheckEdited, require_one_mistake

STORE = "    resource: payments\n    standby: synchronous\n    replicated: true\n    snapshots_every: 1 d\n"
SCENARIO = "scenarios.primary_host_loses_power"
SLOW = (
    "damage_detection, rds_rename, rds_log_storage, rds_point_in_time_restore, rds_point_in_time_restore, "
    "rds_snapshot_restore"
)
RE_PROTECTION = (
    "    re_protection:\n      distribution: triangular\n      minimum: 5 min\n      typical: 15 min\n"
)

CASES = {
    "snapshots rarer than the RPO": (
        STORE,
        STORE.replace("replicated: true", "replicated: false"),
        "stores.payments-database.snapshots_every",
        "loses up to `1 d` of this store, and its RPO is `5 min` (line 40).",
    ),
    "snapshots rarer than the RPO, and nothing said of a replica": (
        STORE,
        STORE.replace("    replicated: true\n", ""),
        "stores.payments-database.snapshots_every",
        "write `replicated: true`.",
    ),
    "a store in the primary region only": (
        STORE,
        STORE.replace("replicated: true\n    snapshots_every: 1 d", "replicated: false"),
        "stores.payments-database.replicated",
        "exists only in the primary region: without that, `payments` cannot be brought back.",
    ),
    "mistyped": (
        STORE,
        STORE.replace("replicated: true\n    snapshots_every: 1 d", "replicatd: true"),
        "stores.payments-database.replicatd",
        "Did you mean `replicated`?",
    ),
    "interval without a unit": (
        STORE,
        STORE.replace("1 d", "24"),
        "stores.payments-database.snapshots_every",
        "needs its unit",
    ),
    "path longer than the RTO": (
        CRITICAL_PATH,
        f"critical_path: [{SLOW}]",
        f"{SCENARIO}.critical_path",
        # 1 min + 45 s + the middle of 0 and 5 min + 20 min + 20 min + 15 min
        "typically take 59 min 15 s",
    ),
    "loss longer than the RPO": (
        f"    {CRITICAL_PATH}\n",
        f"    {CRITICAL_PATH}\n    loss_path: [damage_detection, rds_storage_increase]\n",
        f"{SCENARIO}.loss_path",
        "typically take 6 min, and the RPO is `5 min` (line 40). Make one faster (`rds_storage_increase` takes 5 min)",
    ),
    "redundancy back too late": (
        "re_protection: 1 h\n",
        "re_protection: 10 min\n",
        f"{SCENARIO}.re_protection",
        "typically back after 15 min (projection.durations.re_protection, line",
    ),
}
LONG = CASES.pop("path longer than the RTO")


@pytest.mark.parametrize("case", [Case(*case) for case in CASES.values()], ids=CASES.keys())
def test_each_rule_finds_its_mistake_and_only_that(
    check_edited: CheckEdited, plan_text: str, case: Case
) -> None:
    """One change breaks one rule: exactly one mistake says so, at the field, on a line of the change."""
    require_one_mistake(check_edited, plan_text, case)


def test_a_path_longer_than_the_objective(check_edited: CheckEdited) -> None:
    """The typical durations of a critical path are added up, with those of caches, and held against the RTO."""
    old, new, field, said = LONG
    assert check_edited((old, new)) == ()
    (mistake,) = check_edited((old, new), ("rto: {within: 1 h,", "rto: {within: 59 min,"))
    assert (mistake.field, said in mistake.problem) == (field, True)
    assert "the RTO is `59 min` (line 31)" in mistake.problem
    assert "`rds_point_in_time_restore` takes 20 min" in mistake.remedy
    cached = (old, f"{new[:-1]}, endpoint_dns_cache]")
    (mistake,) = check_edited(cached, ("rto: {within: 1 h,", "rto: {within: 59 min 15 s,"))
    assert "59 min 20 s" in mistake.problem


def test_the_tightest_of_all_judged_services_counts(check_edited: CheckEdited) -> None:
    """A service that is judged besides waits for the same path."""
    edits = (
        ("rto: {within: 4 h,", "rto: {within: 1 min,"),
        (f"    {CRITICAL_PATH}\n", f"    {CRITICAL_PATH}\n    services: [notifications]\n"),
        ("    depends_on: [auth]\n", ""),
    )
    (mistake,) = check_edited(*edits)
    assert (mistake.field, "`1 min`" in mistake.problem) == (f"{SCENARIO}.critical_path", True)


def test_from_the_declaration_on_a_path_is_not_known(check_edited: CheckEdited) -> None:
    """Nothing says which of its steps come before the declaration: nothing is said of such an RTO."""
    declared = "within: 30 min, clock: declaration"
    edits = ((CRITICAL_PATH, f"critical_path: [{SLOW}]"), ("within: 1 h, clock: outage", declared))
    assert check_edited(*edits) == ()


def test_a_path_with_unknown_figures_is_not_added_up(check_edited: CheckEdited) -> None:
    """What a step takes is not guessed: the schema speaks of what is missing, and nothing else does."""
    mistakes = check_edited(
        (CRITICAL_PATH, f"critical_path: [{SLOW}]"),
        ("rto: {within: 1 h,", "rto: {within: 10 min,"),
        ("      minimum: 10 min\n      typical: 20 min\n", "      minimum: 10 min\n"),
    )
    assert [one.field for one in mistakes] == ["projection.durations.rds_point_in_time_restore.typical"]


def test_copied_often_enough_a_store_needs_no_replica(check_edited: CheckEdited) -> None:
    """Snapshots as often as the RPO demands are a way, and so is a replica alone, and to say nothing."""
    for lines in (
        "replicated: false\n    snapshots_every: 5 min",
        "replicated: true",
        "snapshots_every: 4 min",
    ):
        assert check_edited((STORE, STORE.replace("replicated: true\n    snapshots_every: 1 d", lines))) == ()
    assert check_edited((STORE, STORE[: STORE.index("    replicated")])) == ()


def test_whoever_depends_on_a_store_is_named(check_edited: CheckEdited) -> None:
    """Services that need others that use the store are lost with it, too."""
    users = STORE.replace("payments", "users")
    (mistake,) = check_edited((users, users.replace("true\n    snapshots_every: 1 d", "false")))
    named = "`payments` and `auth` and `users` and `documents` and `notifications`"
    assert named in mistake.problem
    assert "`eu-central-1`" in mistake.remedy


def test_a_declared_objective_is_no_faster_than_one_from_the_outage(check_edited: CheckEdited) -> None:
    """A declaration comes after its outage: a dependency that counts from there is slower with a longer time."""
    edits = (
        ("rto: {within: 4 h, clock: outage}", "rto: {within: 4 h, clock: declaration}"),
        ("depends_on: [auth, users]", "depends_on: [auth, users, notifications]"),
    )
    (mistake,) = check_edited(*edits)
    assert mistake.field == "services.payments.depends_on[2]"
