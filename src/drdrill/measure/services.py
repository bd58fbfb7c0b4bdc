"""The services that are judged besides a scenario's own: what users had of each, by those who asked it alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from drdrill.core.clock import NANOSECONDS
from drdrill.core.verdict import Verdict
from drdrill.measure.outage import measure_outage
from drdrill.measure.reason import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from drdrill.measure.availability import Thresholds
    from drdrill.measure.facts import Fault
    from drdrill.measure.outage import Outage
    from drdrill.record.ledger import ClientLedger


@dataclass(frozen=True, slots=True)
class ServiceOutage:
    """One service through a fault. `outage` None: nobody probed it, or there was no fault."""

    service: str
    outage: Outage | None
    late: bool = False

    @property
    def probed(self) -> bool:
        """Tell whether there is anything to judge it by."""
        return self.outage is not None


def measure_service(
    service: str,
    ledgers: Sequence[ClientLedger],
    thresholds: Thresholds,
    fault: Fault | None,
    whole_ns: int | None,
    *,
    judged_until_ns: int = 0,
) -> ServiceOutage:
    """Measure what users had of one service. `ledgers`: of those who ask it; all else as for `measure_outage`."""
    if fault is None:
        return ServiceOutage(service, None)
    outage = measure_outage(
        ledgers,
        thresholds,
        fault.before_ns,
        fault.after_ns,
        whole_ns=whole_ns,
        judged_until_ns=judged_until_ns,
    )
    if not outage.cohorts:
        return ServiceOutage(service, None)
    return ServiceOutage(service, outage, any(one.late_ns > thresholds.lateness_ns for one in outage.cohorts))


def check_service(found: ServiceOutage, thresholds: Thresholds, fault: Fault | None) -> Iterator[Reason]:
    """Demand probing clients that kept their schedule, and a service that was up just before the fault."""
    outage, service = found.outage, found.service
    if outage is None:
        if fault is not None:
            text = f"No client probed {service}: for how long its users were without it is not known."
            yield Reason(Verdict.INCONCLUSIVE, "service_not_probed", text)
        return
    down = [cohort.client.name for cohort in outage.cohorts if not cohort.up_before]
    if down:
        text = f"{service} was not seen up just before the fault by {', '.join(down)}."
        yield Reason(Verdict.INVALID, "no_steady_state", text)
    if found.late:
        worst = max(outage.cohorts, key=lambda cohort: cohort.late_ns)
        text = (
            f"{worst.client.name}, which probes {service}, sent a request {worst.late_ns / NANOSECONDS:.3f} s late "
            f"between the fault and recovery; {thresholds.lateness_ns / NANOSECONDS:g} s are allowed."
        )
        yield Reason(Verdict.INCONCLUSIVE, "service_prober_late", text)
