"""One client: sends its requests, each on its own, and writes down what it attempted and what it learnt."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from drdrill.load.answer import Answer, ServerError, WireError, judge, keeps_connection
from drdrill.load.exhaustion import is_exhaustion
from drdrill.load.resolver import ResolutionError
from drdrill.record.ledger import Client, LedgerWriter, Outcome, make_id, outcome_code

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from drdrill.core.clock import Clock
    from drdrill.load.connections import Connections
    from drdrill.load.wire import Connection

_KINDS_OF_A_CLIENT = 20  # a log is for people; the ledger has every request
_OTHERS = "other remarks"


class Remarks:
    """What went wrong, for the process's log: each kind when it first shows, and how often at the end.

    Of each client only so many kinds; what it says besides is counted together, so that none takes another's place.
    """

    def __init__(self, write: Callable[[str], object], clock: Clock) -> None:
        self._write = write
        self._clock = clock
        self._counts: Counter[str] = Counter()
        self._kinds: Counter[str] = Counter()

    def note(self, client: str, outcome: Outcome, reason: object) -> None:
        """Take note of a request that was not acknowledged."""
        remark = f"{client}: {outcome.name}: {reason}"
        if remark not in self._counts:
            if self._kinds[client] >= _KINDS_OF_A_CLIENT:
                remark = f"{client}: {outcome.name}: {_OTHERS}"
            self._kinds[client] += 1
        self._counts[remark] += 1
        if self._counts[remark] == 1:
            self._write(f"{self._clock.now_ns()} {remark}\n")

    def summarize(self) -> None:
        """Write how often each remark was made."""
        for remark, count in self._counts.items():
            self._write(f"{count} times: {remark}\n")


class User:
    """Sends the requests of one client.

    `group` owns them: a ledger that cannot be written, or a machine without sockets, ends the process. With
    `connecting_counts` (a fresh connection a request) connecting is part of the request, so the attempt is
    recorded before it; otherwise just before the write leaves, or when it is sure that it never will.
    """

    def __init__(
        self,
        client: Client,
        *,
        connections: Connections,
        connecting_counts: bool,
        amounts: Iterator[int],
        in_flight: int,
        ledger: LedgerWriter,
        remarks: Remarks,
        group: asyncio.TaskGroup,
        clock: Clock,
    ) -> None:
        self._client = client
        self._connections = connections
        self._connecting_counts = connecting_counts
        self._amounts = amounts
        self._in_flight = in_flight
        self._ledger = ledger
        self._remarks = remarks
        self._group = group
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, sequence: int) -> None:
        """Begin request number `sequence` and return at once."""
        identifier, amount = make_id(self._client.number, sequence), next(self._amounts)
        if len(self._tasks) >= self._in_flight:
            self._record_attempt(identifier, amount)
            self._record_outcome(identifier, Outcome.NOT_SENT, f"{self._in_flight} requests were in flight")
            return
        task = self._group.create_task(self._request(identifier, amount))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def request(self, sequence: int) -> None:
        """Send request number `sequence` and return once its outcome is recorded: for a closed loop."""
        await self._request(make_id(self._client.number, sequence), next(self._amounts))

    async def _request(self, identifier: int, amount: int) -> None:
        left = self._client.timeout_seconds
        if self._connecting_counts:
            self._record_attempt(identifier, amount)
        connection: Connection | Exception | None = self._connections.take_idle()
        if connection is None:
            deadline = asyncio.get_running_loop().time() + left
            connection = await self._take(deadline)
            left = deadline - asyncio.get_running_loop().time()
        if not self._connecting_counts:
            self._record_attempt(identifier, amount)
        if isinstance(connection, Exception):
            self._record_outcome(identifier, Outcome.NOT_SENT, connection)
            return
        said = await _write(connection, identifier, amount, left)
        self._record_outcome(identifier, judge(said), said)
        self._connections.give_back(connection, keep=keeps_connection(said))

    async def _take(self, deadline: float) -> Connection | Exception:
        try:
            async with asyncio.timeout_at(deadline):
                return await self._connections.take()
        except TimeoutError:
            return WireError("no connection in time")
        except (OSError, ResolutionError, ServerError, WireError) as error:
            if is_exhaustion(error):
                raise
            return error

    def _record_attempt(self, identifier: int, amount: int) -> None:
        self._ledger.attempt(identifier, amount, self._clock.now_ns())

    def _record_outcome(self, identifier: int, outcome: Outcome, said: Answer | Exception | str) -> None:
        server = said.server if isinstance(said, (Answer, ServerError)) else 0
        self._ledger.outcome(identifier, self._clock.now_ns(), outcome_code(outcome, server))
        if outcome is not Outcome.ACKNOWLEDGED:
            self._remarks.note(self._client.name, outcome, said)


async def _write(
    connection: Connection, identifier: int, amount: int, within_seconds: float
) -> Answer | Exception:
    try:
        answer = connection.write(identifier, amount)
    except WireError as error:
        return error
    # Cheaper than `asyncio.timeout`: 1 microsecond of the 40 that a write takes, instead of 5.
    late = asyncio.get_running_loop().call_later(within_seconds, _give_up, answer)
    try:
        return await answer
    except (ServerError, WireError) as error:
        return error
    finally:
        late.cancel()


def _give_up(answer: asyncio.Future[Answer]) -> None:
    if not answer.done():
        answer.set_exception(WireError("no answer in time"))
