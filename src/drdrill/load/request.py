"""One step's request, filled in and sent at its time: what journeys and probes have in common."""

from __future__ import annotations

import asyncio
import json
import random
from typing import TYPE_CHECKING

from drdrill.core.clock import NANOSECONDS
from drdrill.load.journeys import fill, fill_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drdrill.core.clock import Clock
    from drdrill.load.https import Browser, Said
    from drdrill.load.journeys import Step, Value

LOG_IN_AGAIN = 401  # the session is not known any more: it was lost with a cache, or with a region


def draw(seed: int, identifier: int) -> random.Random:
    """Return the source of what a request says: the same for the same seed and request."""
    return random.Random(f"{seed}:{identifier}")  # noqa: S311 - reproducible, not secret


async def await_time(due_ns: int, clock: Clock) -> None:
    """Wait until a moment of the boot-time clock; one that is over is not waited for."""
    while True:
        ahead = due_ns - clock.now_ns()
        if ahead <= 0:
            return
        await asyncio.sleep(ahead / NANOSECONDS)  # timers may wake a little early


async def send_step(
    browser: Browser, step: Step, told: Mapping[str, Value], *, seed: int, identifier: int
) -> Said:
    """Send a step's request with its placeholders filled in; raises `OSError` as `Browser.send` does."""
    headers = {name: fill(text, told) for name, text in step.headers.items()}
    content: bytes | None = None
    if step.body is not None:
        content = json.dumps({name: fill_value(one, told) for name, one in step.body.items()}).encode()
        headers.setdefault("Content-Type", "application/json")
    elif step.content_bytes is not None:
        content = draw(seed, identifier).randbytes(step.content_bytes)
    return await browser.send(
        step.method, fill(step.path, told), headers=headers, content=content, wanted=step.status
    )
