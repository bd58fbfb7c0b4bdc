"""One cohort of users: begins its journeys on schedule, whatever became of earlier ones; writes down each request."""

from __future__ import annotations

import asyncio
import json
import random
from typing import TYPE_CHECKING

from drdrill.core.clock import NANOSECONDS
from drdrill.load.journeys import fill, fill_value, share_at
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
            await self._await(due_ns)
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
            await self._await(due_ns)
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
        amount = self._draw(identifier).randint(*self._config.amounts) if step.writes else 0
        told = {**values, "id": identifier, "amount": amount}
        patience_ns = self._clock.now_ns() + int(self._config.give_up_seconds * NANOSECONDS)
        while True:
            ledger.attempt(identifier, amount, self._clock.now_ns())
            said = await self._send(step, identifier, told)
            zone = self._config.zones.index(said.zone) + 1 if said.zone in self._config.zones else 0
            ledger.outcome(identifier, self._clock.now_ns(), outcome_code(said.outcome, zone))
            if said.outcome is not Outcome.ACKNOWLEDGED:
                self._remarks.note(f"{self._journey.name}: {step.name}", said.outcome, said.reason)
            definite = said.outcome in (Outcome.ACKNOWLEDGED, Outcome.REJECTED)
            if definite or not step.writes or self._clock.now_ns() > patience_ns:
                return said
            await asyncio.sleep(_REPEAT_SECONDS)

    async def _send(self, step: Step, identifier: int, told: Mapping[str, Value]) -> Said:
        headers = {name: fill(text, told) for name, text in step.headers.items()}
        content: bytes | None = None
        if step.body is not None:
            content = json.dumps({name: fill_value(one, told) for name, one in step.body.items()}).encode()
            headers.setdefault("Content-Type", "application/json")
        elif step.content_bytes is not None:
            content = self._draw(identifier).randbytes(step.content_bytes)
        return await self._browser.send(
            step.method, fill(step.path, told), headers=headers, content=content, wanted=step.status
        )

    def _draw(self, identifier: int) -> random.Random:
        """Return the source of what a request says: the same for the same seed and request."""
        return random.Random(f"{self._config.seed}:{identifier}")  # noqa: S311 - reproducible, not secret

    async def _await(self, due_ns: int) -> None:
        while True:
            ahead = due_ns - self._clock.now_ns()
            if ahead <= 0:
                return
            await asyncio.sleep(ahead / NANOSECONDS)  # timers may wake a little early
