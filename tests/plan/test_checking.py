"""The rules of a plan beyond its schema, each on the reference plan with a few words changed."""

from __future__ import annotations

import pytest

from tests.plan.edited_plan import PAYMENTS, RTO, STORE, Case, CheckEdited, require_one_mistake

TARGETS = (
    "targets: [payments-database, users-database, eu-west-1, eu-central-1a, eu-central-1b, eu-central-1c, "
    "route53]"
)
CASES = {
    # objectives
    "tier without objective": (
        f"    {RTO}\n",
        "",
        "tiers.critical.rto",
        "`rto` is missing: the recovery time",
    ),
    "class without objective": (
        "    rpo: 5 min\n",
        "",
        "data_classes.core_financial.rpo",
        "`rpo` is missing",
    ),
    "store without class": (STORE, "", "stores.payments-database.data_class", "`data_class` is missing"),
    "no unit": (RTO, "rto: {within: 1, clock: outage}", "tiers.critical.rto.within", "needs its unit"),
    "prose": (RTO, "rto: {within: < 1 hour, clock: outage}", "tiers.critical.rto.within", "mean `1 h`?"),
    "zero": (RTO, "rto: {within: 0 s, clock: outage}", "tiers.critical.rto.within", "more than zero"),
    "negative": ("rpo: 5 min", "rpo: -5 min", "data_classes.core_financial.rpo", "cannot be negative"),
    "one number": (
        RTO,
        "rto: 1 h",
        "tiers.critical.rto",
        "Write it like `rto: {within: 1 h, clock: outage}`.",
    ),
    "other clock": (RTO, RTO.replace("outage", "outrage"), "tiers.critical.rto.clock", "mean `outage`?"),
    "stated twice in one place": (
        RTO,
        "rto: {within: 1 h, within: 2 h, clock: outage}",
        "tiers.critical.rto.within",
        "written twice: `2 h` here, `1 h` on line 31.",
    ),
    "service contradicts its tier": (
        PAYMENTS,
        f"{PAYMENTS}    rto: {{within: 2 h, clock: outage}}\n",
        "services.payments.rto.within",
        "stated twice and differently: `2 h` here, `1 h` in tiers.critical.rto.within on line 31.",
    ),
    "service contradicts the clock": (
        PAYMENTS,
        f"{PAYMENTS}    rto: {{within: 60 min, clock: declaration}}\n",
        "services.payments.rto.clock",
        "`declaration` here, `outage` in tiers.critical.rto.clock on line 31.",
    ),
    "store contradicts its class": (
        STORE,
        f"{STORE}    rpo: 10 min\n",
        "stores.payments-database.rpo",
        "`10 min` here, `5 min` in data_classes.core_financial.rpo on line 40.",
    ),
    "slower than those who need it": (
        "depends_on: [auth, users]",
        "depends_on: [auth, users, notifications]",
        "services.payments.depends_on[2]",
        "`payments` must be back within 1 h, but depends on `notifications`, which may take 4 h.",
    ),
    # placeholders
    "placeholder for fields": (RTO, "rto: [X hours]", "tiers.critical.rto", "the placeholder `[X hours]`"),
    "placeholder for a duration": ("rpo: 5 min", "rpo: TBD", "data_classes.core_financial.rpo", "`TBD`"),
    "placeholder in text": (
        "informs users through the status page",
        "informs users through <channel>",
        "roles.comms_lead.responsibility",
        "the placeholder `<channel>` is still here.",
    ),
    # references
    "tier": (PAYMENTS, PAYMENTS.replace("critical", "critcal"), "services.payments.tier", "mean `critical`?"),
    "no such tier": (
        PAYMENTS,
        PAYMENTS.replace("critical", "gold"),
        "services.payments.tier",
        "there is no tier called `gold`. There are: `critical`, `non_critical`.",
    ),
    "class": (
        STORE,
        STORE.replace("core_", ""),
        "stores.payments-database.data_class",
        "mean `core_financial`?",
    ),
    "stores of a service": (
        "stores: [payments-database]",
        "stores: [payments-database, payment-database]",
        "services.payments.stores[1]",
        "Did you mean `payments-database`?",
    ),
    "listed twice": (
        "depends_on: [auth, users]",
        "depends_on: [auth, users, auth]",
        "services.payments.depends_on[2]",
        "`auth` is listed twice.",
    ),
    "target": (
        TARGETS,
        "targets: [mars]",
        "safety.targets[0]",
        "called `mars`",
    ),
    "one resource for two stores": (
        "resource: users",
        "resource: payments",
        "stores.users-database.resource",
        "`payments` is stores.payments-database.resource too (line 76).",
    ),
    "kind": ("resource: users", "resource: pay ments", "stores.users-database.resource", "an RDS instance's"),
    # regions
    "one region twice": (
        "name: eu-central-1",
        "name: eu-west-1",
        "regions.recovery.name",
        "`eu-west-1` is regions.primary.name too (line 20).",
    ),
    "a zone twice": ("eu-west-1b", "eu-west-1a", "regions.primary.zones[1]", "is listed already on line 21."),
    "a zone in two regions": (
        "zones: [eu-central-1a,",
        "zones: [eu-central-1a, eu-west-1b,",
        "regions.recovery.zones[1]",
        "listed already",
    ),
    "a zone of another region": (
        "eu-west-1b",
        "eu-west-11b",
        "regions.primary.zones[1]",
        "the zone `eu-west-11b` is not in the region `eu-west-1`.",
    ),
    "one zone": ("eu-west-1a, eu-west-1b, eu-west-1c", "eu-west-1a", "regions.primary.zones", "at least 2"),
    "no region": ("name: eu-central-1", "name: germany", "regions.recovery.name", "such as `eu-west-1`"),
    # judgement
    "stability": (
        "stability: 10 s",
        "stability: 500 ms",
        "availability.stability",
        "shorter than the window",
    ),
    "samples": ("minimum_samples: 20", "minimum_samples: 0", "availability.minimum_samples", "at least 1"),
    "ratio": ("success_ratio: 0.99", "success_ratio: 99", "availability.success_ratio", "at most 1"),
    "percentile": ("percentile: 95", "percentile: 100", "projection.percentile", "less than 100"),
    "figure missing": (
        "      minimum: 60 s\n",
        "",
        "projection.durations.rds_multi_az_failover.minimum",
        "the distribution `uniform` needs `minimum`.",
    ),
    "figure too many": (
        "      minimum: 60 s\n",
        "      minimum: 60 s\n      typical: 80 s\n",
        "projection.durations.rds_multi_az_failover.typical",
        "the distribution `uniform` has no `typical`, only `minimum` and `maximum`.",
    ),
    "minimum above maximum": (
        "minimum: 60 s",
        "minimum: 240 s",
        "projection.durations.rds_multi_az_failover.maximum",
        "`120 s` is less than the minimum of `240 s` (line 113).",
    ),
    "minimum is maximum": (
        "minimum: 60 s",
        "minimum: 2 min",
        "projection.durations.rds_multi_az_failover",
        "minimum and maximum are the same.",
    ),
    "typical above maximum": (
        "maximum: 30 s",
        "maximum: 4 s",
        "projection.durations.client_reconnection.maximum",
        "is less than the typical of `5 s`",
    ),
}


@pytest.mark.parametrize("case", [Case(*case) for case in CASES.values()], ids=CASES.keys())
def test_each_rule_finds_its_mistake_and_only_that(
    check_edited: CheckEdited, plan_text: str, case: Case
) -> None:
    """One change breaks one rule: exactly one mistake says so, at the field, on a line of the change."""
    require_one_mistake(check_edited, plan_text, case)


def test_dependencies_in_a_circle_are_shown_as_one(check_edited: CheckEdited) -> None:
    """A circle of services is one mistake that shows the way round, not one a service."""
    mistakes = check_edited(
        ("    depends_on: [auth, users]", "    depends_on: [auth]"),
        ("    depends_on: [users]", "    depends_on: [payments]"),
    )
    assert [(mistake.field, mistake.problem) for mistake in mistakes] == [
        (
            "services.auth.depends_on[0]",
            "services depend on each other in a circle: `payments` → `auth` → `payments`.",
        )
    ]


def test_a_service_that_depends_on_itself_is_a_mistake(check_edited: CheckEdited) -> None:
    """The shortest circle has words of its own."""
    assert [
        mistake.problem for mistake in check_edited(("depends_on: [users]", "depends_on: [users, auth]"))
    ] == ["`auth` depends on itself."]


def test_a_target_with_two_meanings_is_a_mistake(check_edited: CheckEdited) -> None:
    """What may be broken is plain: a name of a store and of a service at once is refused as a target."""
    mistakes = check_edited(("  notifications:\n", "  payments-database:\n"))
    assert [mistake.problem for mistake in mistakes] == ["`payments-database` is a store and a service."]


def test_restating_an_objective_alike_is_no_mistake(check_edited: CheckEdited) -> None:
    """An objective may be repeated where people look for it, in other units too, if it says the same."""
    assert not check_edited(
        (PAYMENTS, f"{PAYMENTS}    rto: {{within: 60 min, clock: outage}}\n"),
        (STORE, f"{STORE}    rpo: 300 s\n"),
    )


def test_all_mistakes_are_reported_at_once_with_their_lines(
    check_edited: CheckEdited, plan_text: str
) -> None:
    """Mistakes of YAML, of the schema and of the rules come together, in the order of the file."""
    mistakes = check_edited(
        ("title: Disaster Recovery Plan", "titel: Disaster Recovery Plan"),
        ("zones: [eu-central-1a,", "zones: [eu-central-1a, eu-west-1b,"),
        (RTO, "rto: [X hours]"),
        ("    rpo: 5 min", "    rpo: 5"),
        (PAYMENTS, PAYMENTS.replace("critical", "critcal")),
        ("users\n    standby: synchronous\n", "users\n    standby: yes\n"),
        ("minimum_samples: 20", "minimum_samples: 0"),
        ("class: database", "class: databse"),
        (
            TARGETS,
            "targets: [payment-database]",
        ),
    )
    lines = plan_text.splitlines()

    def line_of(start: str) -> int:
        return next(number for number, line in enumerate(lines, 1) if line.strip().startswith(start))

    assert [(mistake.line, mistake.field) for mistake in mistakes] == [
        (line_of("title:"), "titel"),
        (line_of("zones: [eu-central"), "regions.recovery.zones[1]"),
        (line_of("rto: {within: 1 h"), "tiers.critical.rto"),
        (line_of("rpo: 5 min"), "data_classes.core_financial.rpo"),
        (line_of("tier: critical"), "services.payments.tier"),
        (line_of("resource: users") + 1, "stores.users-database.standby"),
        (line_of("minimum_samples"), "availability.minimum_samples"),
        (line_of("class:"), "scenarios.primary_host_loses_power.class"),
        (line_of("targets:"), "safety.targets[0]"),
    ]


def test_a_broken_section_is_said_once(check_edited: CheckEdited) -> None:
    """A section that is missing does not make a mistake of every reference into it."""
    fields = [mistake.field for mistake in check_edited(("\ntiers:\n", "\ntires:\n"))]
    assert fields == ["tires"]
