"""The open loop: requests leave on an absolute schedule, whatever became of earlier ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.core.clock import NANOSECONDS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from drdrill.core.clock import Clock
    from drdrill.record.ledger import Client


async def keep_schedule(
    client: Client,
    send: Callable[[int], None],
    *,
    clock: Clock,
    pause: Callable[[float], Awaitable[None]],
) -> None:
    """Call `send(k)` at `start_ns + k * period_ns` for k = 0, 1, 2 …; ends by cancellation only.

    No k is left out: after a hang of this process, all that were due leave at once, late by a known time.
    """
    sequence = 0
    while True:
        ahead = client.start_ns + sequence * client.period_ns - clock.now_ns()
        if ahead > 0:
            await pause(ahead / NANOSECONDS)
            continue  # timers have a resolution of 1 ms and may wake a little early
        send(sequence)
        sequence += 1
