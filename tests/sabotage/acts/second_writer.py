"""Steps of a service that remembers the primary's address and goes on writing there. Becomes `steps/sabotage.py`."""

from __future__ import annotations

import json
import struct
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

from pytest_bdd import given, when

from drdrill.core.clock import SystemClock
from drdrill.core.waiting import wait_until

if TYPE_CHECKING:
    from drdrill.drill import Drill

_OUTCOME = struct.Struct("<QQQ")
_ACKNOWLEDGED = 1
_ENOUGH = 20  # acknowledgements of the old primary after it came back
NAME, NUMBER = "stray-0", 99  # no other client has this number


@given("a service writes to the address that it remembers")
def start_the_stray_client(drill: Drill) -> None:
    """Start one more client, as the first one of the load is, but with the primary's literal address."""
    environment = drill._environment
    assert environment is not None
    primary = next(one for one in environment.observe_store("payments").members if one.role == "primary")
    config = json.loads((drill.directory.evidence / "client-load-0.json").read_text(encoding="utf-8"))
    start_ns = SystemClock().now_ns() + 2_000_000_000
    client = {**config["clients"][0], "name": NAME, "number": NUMBER, "start_ns": start_ns}
    path = drill.directory.evidence / f"client-{NAME}.json"
    path.write_text(
        json.dumps({**config, "name": NAME, "clients": [client], "endpoint": primary.address}),
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "drdrill.load.client", str(path)]
    environment.start_client(NAME, command, log=drill.directory.logs / f"client-{NAME}.log")
    _await_acknowledgements(drill, start_ns)


@when("that service is served by the old primary again")
def await_the_second_writer(drill: Drill) -> None:
    """Wait until the old primary, which nobody fenced, acknowledges again."""
    _await_acknowledgements(drill, SystemClock().now_ns())


def _await_acknowledgements(drill: Drill, since_ns: int) -> None:
    def acknowledged() -> bool:
        outcomes = (drill.directory.ledger / f"{NAME}.outcomes").read_bytes()
        whole = outcomes[: len(outcomes) - len(outcomes) % _OUTCOME.size]
        good = [
            1
            for _, at_ns, code in _OUTCOME.iter_unpack(whole)
            if code & 0xFF == _ACKNOWLEDGED and at_ns > since_ns
        ]
        return len(good) >= _ENOUGH

    def wrote() -> bool:
        return (drill.directory.ledger / f"{NAME}.outcomes").exists() and acknowledged()

    wait_until(
        wrote, what="the stray writer", within=timedelta(seconds=30), every=timedelta(milliseconds=200)
    )
