"""The reference plan with a few words changed: what is changed, and that exactly one mistake is told of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from drdrill.core.errors import Mistake

RTO = "rto: {within: 1 h, clock: outage}"
PAYMENTS = "  payments:\n    tier: critical\n"
STORE = "    data_class: core_financial\n"
IMPACT = "impact: {service: payments, down_at_least: 500 ms}"
CRITICAL_PATH = "critical_path: [rds_multi_az_failover, endpoint_dns_cache, client_reconnection]"
OWN_AVAILABILITY = (
    "    availability: {window: 10 s, minimum_samples: 8, success_ratio: 0.9, latency_p99: 2 s, "
    "stability: 30 s}\n"
)


class CheckEdited(Protocol):
    """Checks the reference plan after `(old, new)` replacements, each of which must apply exactly once."""

    def __call__(self, *edits: tuple[str, str]) -> tuple[Mistake, ...]:
        """Return the mistakes."""
        ...


class Case(NamedTuple):
    """What stands in the plan, what is written instead, the mistake's field, part of what is said."""

    old: str
    new: str
    field: str
    said: str


def require_one_mistake(check_edited: CheckEdited, plan_text: str, case: Case) -> None:
    """Demand that this change makes one mistake: at the field, in these words, on a line of the change."""
    old, new = case.old, case.new
    mistakes = check_edited((old, new))
    assert [mistake.field for mistake in mistakes] == [case.field]
    assert case.said in f"{mistakes[0].problem} {mistakes[0].remedy}"
    first = plan_text[: plan_text.index(old)].count("\n") + 1
    last = first + max(old.count("\n"), new.count("\n"))
    if "minimum" not in old and "maximum" not in old and new:  # those speak of the step or of the other end
        assert first <= mistakes[0].line <= last
