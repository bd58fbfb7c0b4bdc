"""Asks one service for one cohort, on schedule and over a connection of its own each time: availability's judge.

Requests leave whether or not earlier ones came back, and are never sent again. A session that a service does not know
any more (it was lost with its cache) is begun anew within the request's own time, as users would: that is counted.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from drdrill.load.https import Said
from drdrill.load.request import LOG_IN_AGAIN, await_time, draw, send_step
from drdrill.record.ledger import Outcome, make_id, outcome_code

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drdrill.core.clock import Clock
    from drdrill.load.https import Browser
    from drdrill.load.journey_config import JourneyConfig, StepClient
    from drdrill.load.journeys import Probes, Value
    from drdrill.load.user import Remarks
    from drdrill.record.ledger import LedgerWriter


class CohortSession:
    """What a cohort's log-in gave, for all of its probers; `user`: who they are."""

    def __init__(self, config: JourneyConfig, probes: Probes, browser: Browser, *, user: str) -> None:
        self._config, self._probes, self._browser, self._user = config, probes, browser, user
        self._lock = asyncio.Lock()
        self._taken: Mapping[str, Value] | None = None

    async def take(self) -> Mapping[str, Value] | Said:
        """Return what requests are filled in with; where nobody can log in, what the log-in said."""
        async with self._lock:  # one log-in for all that wait for it
            if self._taken is not None:
                return self._taken
            said = await send_step(
                self._browser, self._probes.log_in, self.known(), seed=self._config.seed, identifier=0
            )
            if said.outcome is not Outcome.ACKNOWLEDGED:
                return said
            fields = self._probes.log_in.take.items()
            self._taken = {**self.known(), **{name: said.field(field) for name, field in fields}}
            return self._taken

    def forget(self, taken: Mapping[str, Value]) -> None:
        """Log in again next time, unless that was done since `taken` was given."""
        if self._taken is taken:
            self._taken = None

    def known(self) -> dict[str, Value]:
        """Return what requests are filled in with that need no log-in."""
        return {**self._config.journeys.values, "user": self._user, "id": 0, "amount": 0}


class HttpsProber:
    """Sends one service's request again and again."""

    def __init__(
        self,
        client: StepClient,
        ledger: LedgerWriter,
        *,
        config: JourneyConfig,
        probes: Probes,
        browser: Browser,
        session: CohortSession,
        remarks: Remarks,
        clock: Clock,
    ) -> None:
        self._step = next(one for one in probes.asking if one.service == client.service)
        self._needs_session = bool(set(self._step.placeholders()) & set(probes.log_in.take))
        self._client, self._ledger, self._config = client.client, ledger, config
        self._writes = client.writes
        self._browser, self._session = browser, session
        self._remarks, self._clock = remarks, clock

    async def ask(self, group: asyncio.TaskGroup, enough: Callable[[], bool]) -> None:
        """Send at each of its times until it is enough."""
        number = 0
        while True:
            due_ns = self._client.start_ns + number * self._client.period_ns
            await await_time(due_ns, self._clock)
            if enough():
                return
            group.create_task(self._request(number))
            number += 1

    async def _request(self, number: int) -> None:
        identifier = make_id(self._client.number, number)
        amount = draw(self._config.seed, identifier).randint(*self._config.amounts) if self._writes else 0
        self._ledger.attempt(identifier, amount, self._clock.now_ns())
        try:
            async with asyncio.timeout(self._client.timeout_seconds):
                said = await self._send(identifier, amount)
        except TimeoutError:
            said = Said(Outcome.UNKNOWN, reason="no answer in time")
        zone = self._config.zones.index(said.zone) + 1 if said.zone in self._config.zones else 0
        self._ledger.outcome(identifier, self._clock.now_ns(), outcome_code(said.outcome, zone))
        if said.outcome is not Outcome.ACKNOWLEDGED:
            self._remarks.note(self._client.name, said.outcome, said.reason)

    async def _send(self, identifier: int, amount: int) -> Said:
        said = Said(Outcome.NOT_SENT, reason="nobody could log in")
        for again in (False, True):
            taken = await self._session.take() if self._needs_session else self._session.known()
            if isinstance(taken, Said):  # the request itself never left
                return Said(Outcome.NOT_SENT, zone=taken.zone, reason=f"nobody could log in: {taken.reason}")
            told = {**taken, "id": identifier, "amount": amount}
            said = await send_step(
                self._browser, self._step, told, seed=self._config.seed, identifier=identifier
            )
            if said.status != LOG_IN_AGAIN:
                return said
            self._session.forget(taken)
            if not again:
                self._remarks.note(
                    self._client.name, Outcome.REJECTED, "logged in again: the session was gone"
                )
        return said
