"""What is seen of the whole system, noted in the journal: what each region can carry, and where users are led.

Looked at twice: before the fault, and when the recovery is over. It must not know who made it so.
"""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from drdrill.core.errors import DrdrillError
from drdrill.environment.port import StoreRole
from drdrill.plan.scenario import MirrorExtent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from drdrill.environment.port import Environment
    from drdrill.load.workload import Workload
    from drdrill.plan.scenario import Scenario
    from drdrill.record.journal import Journal

_LOOK_WITHIN = timedelta(seconds=30)
_ANSWER_SECONDS = "2"  # a load balancer answers within 50 ms
_HTTPS = 443


class SystemObserver:
    """Looks at a system and writes down what it sees; what cannot be seen is written down, too.

    Where only databases are up, there is no system to look at, and nothing is noted.
    """

    def __init__(
        self,
        environment: Environment,
        workload: Workload,
        scenario: Scenario,
        journal: Journal,
        resources: Iterable[str] = (),
    ) -> None:
        """Take also the `resources` of stores whose primaries are to be where they were."""
        self._environment, self._journal = environment, journal
        self._resources = tuple(resources)
        journeys = workload.journeys if scenario.mirror is MirrorExtent.SYSTEM else None
        parts = urlsplit(journeys.public_name if journeys else "")
        self._host, self._port = parts.hostname, parts.port or _HTTPS

    def note(self, moment: str) -> None:
        """Look, and note it as of a `moment`: `before_fault` or `after_recovery`."""
        if self._host is None:
            return
        try:
            capacity = self._environment.observe_capacity()
            command = [
                sys.executable, "-m", "drdrill.load.lead", self._host, str(self._port), _ANSWER_SECONDS,
            ]  # fmt: skip
            led = json.loads(self._environment.run_for_operator(command, within=_LOOK_WITHIN))["addresses"]
            primaries = {one: self._find_primaries(one) for one in self._resources}
        except DrdrillError as error:
            self._journal.append("system.unreadable", moment=moment, reason=str(error))
            return
        self._journal.append(
            "system.observed",
            moment=moment,
            regions={region: asdict(one) for region, one in capacity.items()},
            name=self._host,
            addresses=led,
            primaries=primaries,
        )

    def _find_primaries(self, resource: str) -> list[str]:
        """Return the zones in which a store has a primary: two, where one was promoted beside it."""
        members = self._environment.observe_store(resource).members
        return sorted({one.zone for one in members if one.role is StoreRole.PRIMARY})


def note_building(journal: Journal, line: str) -> None:
    """Note how an environment comes up: for whoever watches, and for whoever asks later what took so long."""
    journal.append("environment.told", line=line)


@contextmanager
def noting_failure(journal: Journal) -> Iterator[None]:
    """Note why an environment did not come up, and let the error go on."""
    try:
        yield
    except Exception as error:
        journal.append("environment.failed", reason=f"{type(error).__name__}: {error}")
        raise
