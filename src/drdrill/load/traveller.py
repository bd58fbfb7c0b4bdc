"""One cohort of users: begins its journeys on schedule, whatever became of earlier ones; writes down each request."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from drdrill.core.clock import NANOSECONDS
from drdrill.load.journeys import placeholders_of, share_at
from drdrill.load.request import LOG_IN_AGAIN, await_time, draw, send_step
from drdrill.record.ledger import Outcome, make_id, outcome_code

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drdrill.core.clock import Clock
    from drdrill.load.https import Browser, Said
    from drdrill.load.journey_config import JourneyConfig, StepClient
    from drdrill.load.journeys import Journey, Step, Value
    from drdrill.load.user import Remarks
    from drdrill.record.ledger import LedgerWriter

_REPEAT_SECONDS = 0.5  # before the same write is sent again


class Traveller:
    """Makes one journey of one cohort, again and again. `ledgers`: one a step, in the steps' order."""

    def __init__(
        self,
        journey: Journey,
        clients: Sequence[StepClient],
        ledgers: Sequence[LedgerWriter],
        *,
        config: JourneyConfig,
        browser: Browser,
        remarks: Remarks,
        clock: Clock,
    ) -> None:
        self._journey = journey
        self._clients = clients
        self._ledgers = ledgers
        self._config = config
        self._browser = browser
        self._remarks = remarks
        self._clock = clock
        self._owed = 0.0

    async def travel(self, group: asyncio.TaskGroup, enough: Callable[[], bool]) -> None:
        """Begin a journey at each of its times, as often as the shape says, until it is enough."""
        first, number = self._clients[0].client, 0
        while not enough():
            due_ns = first.start_ns + number * first.period_ns
            await await_time(due_ns, self._clock)
            if enough():
                return
            if self._is_due(due_ns):
                group.create_task(self._go(number))
            number += 1

    def _is_due(self, due_ns: int) -> bool:
        """Leave journeys out evenly where the shape asks for less than all."""
        config = self._config
        self._owed += share_at(config.shape, (due_ns - config.start_ns) / (config.seconds * NANOSECONDS))
        if self._owed < 1 - 1e-9:
            return False
        self._owed -= 1
        return True

    async def _go(self, number: int) -> None:
        values: dict[str, Value] = {
            **self._config.journeys.values,
            "user": self._config.journeys.users.draw(number * self._config.journeys.cohorts + self._cohort),
        }
        for step, client, ledger in zip(self._journey.steps, self._clients, self._ledgers, strict=True):
            due_ns = client.client.start_ns + number * client.client.period_ns
            await await_time(due_ns, self._clock)
            said = await self._take(step, client, ledger, number, values)
            if said.outcome is not Outcome.ACKNOWLEDGED:
                return  # a user does not go on; services further on are not to blame
            values.update({name: said.field(field) for name, field in step.take.items()})

    @property
    def _cohort(self) -> int:
        return self._clients[0].client.cohort

    async def _take(
        self, step: Step, client: StepClient, ledger: LedgerWriter, number: int, values: Mapping[str, Value]
    ) -> Said:
        """Send a step's request; a write is sent again until it is known what became of it, or patience ends."""
        identifier = make_id(client.client.number, number)
        amount = draw(self._config.seed, identifier).randint(*self._config.amounts) if step.writes else 0
        patience_ns = self._clock.now_ns() + int(self._config.give_up_seconds * NANOSECONDS)
        while True:
            ledger.attempt(identifier, amount, self._clock.now_ns())
            said = await self._send(step, identifier, values, amount)
            zone = self._config.zones.index(said.zone) + 1 if said.zone in self._config.zones else 0
            ledger.outcome(identifier, self._clock.now_ns(), outcome_code(said.outcome, zone))
            if said.outcome is not Outcome.ACKNOWLEDGED:
                self._remarks.note(f"{self._journey.name}: {step.name}", said.outcome, said.reason)
            definite = said.outcome in (Outcome.ACKNOWLEDGED, Outcome.REJECTED)
            if definite or not step.writes or self._clock.now_ns() > patience_ns:
                return said
            await asyncio.sleep(_REPEAT_SECONDS)

    async def _send(self, step: Step, identifier: int, values: Mapping[str, Value], amount: int) -> Said:
        """Send it; where the session is not known any more, log in again as users do, and send it once more."""
        told = {**values, "id": identifier, "amount": amount}
        said = await self._send_one(step, identifier, told)
        giver = self._find_giver(step)
        if said.status != LOG_IN_AGAIN or giver is None:
            return said
        self._remarks.note(
            f"{self._journey.name}: {step.name}", said.outcome, "logged in again: the session was gone"
        )
        given = await self._send_one(giver, identifier, told)
        if given.outcome is not Outcome.ACKNOWLEDGED:
            return said
        told |= {name: given.field(field) for name, field in giver.take.items()}
        return await self._send_one(step, identifier, told)

    def _find_giver(self, step: Step) -> Step | None:
        """Return the step that gives what a step's headers say of its user; None: it says nothing of that."""
        wanted = {name for text in step.headers.values() for name in placeholders_of(text)}
        return next((one for one in self._journey.steps if wanted & set(one.take)), None)

    async def _send_one(self, step: Step, identifier: int, told: Mapping[str, Value]) -> Said:
        return await send_step(self._browser, step, told, seed=self._config.seed, identifier=identifier)
