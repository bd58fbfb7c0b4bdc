"""When: everything that happened is measured, judged and stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from pytest_bdd import when

if TYPE_CHECKING:
    from drdrill.drill import Drill

ReportValues = Callable[[Mapping[str, object]], None]


@when("recovery is measured")
def measure_recovery(drill: Drill, report_values: ReportValues) -> None:
    """Measure and judge."""
    drill.measure()
    report_values(drill.describe_figures())
