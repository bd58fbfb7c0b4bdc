"""What users were told where they were not served: as their process summed it up, in the services' own words."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from drdrill.measure.reason import Finding
from drdrill.measure.verdict import ObjectiveKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from drdrill.measure.verdict import Objective

LOG = "client-users.log"
_SUMMED = re.compile(r"(\d+) times: probe-(.+)-\d+: \w+: (.*)")
_MOST = 2
_SHOWN = 160  # letters of a remark


def read_remarks(log: Path) -> dict[str, Counter[str]]:
    """Return how often each service's probes noted what, by the name that clients have of it; empty without a log."""
    found: dict[str, Counter[str]] = {}
    if not log.is_file():
        return found
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        if summed := _SUMMED.fullmatch(line):
            count, service, remark = summed.groups()
            found.setdefault(service, Counter())[remark] += int(count)
    return found


def find_unserved(log: Path, objectives: Iterable[Objective]) -> Iterator[Finding]:
    """Yield for each service that was not seen to be served again what its users were told most."""
    remarks = read_remarks(log)
    rtos = [one for one in objectives if one.kind is ObjectiveKind.RTO]
    for service in (one.subject for one in rtos if one.measured.value_ns is None):
        told = remarks.get(re.sub(r"[^a-z0-9]+", "-", service.casefold()).strip("-"), Counter()).most_common(
            _MOST
        )
        if told:
            words = "; ".join(f"`{remark[:_SHOWN]}` ({count:,} times)" for remark, count in told)
            yield Finding("not_served", f"What users of {service} were told most: {words}.")
