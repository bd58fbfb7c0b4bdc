"""What a checker says of an endpoint, look after look."""

from __future__ import annotations

import asyncio
import json
from random import Random
from typing import TYPE_CHECKING

from drdrill.dataplane.health_checker import Checker
from drdrill.dataplane.health_probe import Look, Probe

if TYPE_CHECKING:
    import pytest


def test_a_look_that_breaks(capsys: pytest.CaptureFixture[str]) -> None:
    """A look that breaks is a bad one, and the next one is taken all the same."""
    done = asyncio.Event()
    breaks = iter([True, False, True])

    async def look(_: Probe) -> Look:
        broken = next(breaks, None)
        if broken is None:
            done.set()
            await asyncio.Event().wait()
        if broken:
            raise RuntimeError("broken")
        return Look(good=True, status="Success.")

    async def run() -> None:
        probe = Probe("id", "TCP", "192.0.2.1", 80, interval_seconds=0, failure_threshold=1)
        checker = Checker(Random(0), look)  # noqa: S311  (when to look first)
        checker.take(json.dumps({"watch": probe.to_json()}))
        await asyncio.wait_for(done.wait(), 10)
        checker.take(json.dumps({"forget": "id"}))

    asyncio.run(run())
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["good"], one["healthy"]) for one in said] == [(False, False), (True, True), (False, False)]
    assert "could not be looked at: broken" in said[0]["status"]
