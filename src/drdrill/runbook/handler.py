"""Calls a handler once, as AWS Lambda does: `python -m drdrill.runbook.handler MODULE:FUNCTION EVENT.json`.

Runs on the operators' host, in the folder that modules are looked for in. `FOLDER/MODULE:FUNCTION` looks in that folder
first, as Lambda does for a function's own one. What the handler returns is printed as JSON; what it raises ends the
program with status 1, and with the traceback on standard error. It knows nothing of drills.
"""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import os
import sys
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drdrill.core.clock import NANOSECONDS, SystemClock
from drdrill.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from drdrill.core.clock import Clock

# AWS Lambda developer guide, "Configure Lambda function timeout": 900 s is the longest. It is told, and not enforced.
LONGEST_SECONDS = 900
_LOG_LINE = "[%(levelname)s] %(asctime)s %(message)s"


@dataclass(frozen=True, slots=True)
class Context:
    """What a handler learns of its call. `ends_ns`: when its time is over, by the clock."""

    function_name: str
    clock: Clock
    ends_ns: int
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def get_remaining_time_in_millis(self) -> int:
        """Return how much of its time is left; 0: none."""
        return max(0, (self.ends_ns - self.clock.now_ns()) * 1000 // NANOSECONDS)


def find_handler(name: str, here: Path) -> Callable[[Any, Context], Any]:
    """Import `[FOLDER/]MODULE:FUNCTION`, seen from a folder, and return it. Raises `UsageError` where it has none."""
    place, _, function = name.partition(":")
    folder, _, module = place.rpartition("/")
    sys.path[:0] = [str(here / folder), str(here)]
    try:
        found: Callable[[Any, Context], Any] = getattr(importlib.import_module(module), function)
    except AttributeError as error:
        raise UsageError(f"{name}: {error}") from error
    return found


def call(name: str, event: Any, *, here: Path, clock: Clock) -> str:
    """Call a handler and return its answer as JSON. Raises what the handler raises."""
    handler = find_handler(name, here)
    context = Context(name.partition(":")[2], clock, clock.now_ns() + LONGEST_SECONDS * NANOSECONDS)
    return json.dumps(handler(event, context))


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the arguments, call the handler, and print its answer."""
    parser = argparse.ArgumentParser(description="Call a handler as AWS Lambda does.")
    parser.add_argument("handler", metavar="MODULE:FUNCTION", help="FOLDER/MODULE:FUNCTION looks there first")
    parser.add_argument("event", metavar="EVENT.json", type=Path, help="what it is called with")
    asked = parser.parse_args(arguments)
    os.environ.setdefault("AWS_LAMBDA_FUNCTION_NAME", asked.handler.partition(":")[2])
    logging.basicConfig(
        format=_LOG_LINE
    )  # Lambda has a handler on the root logger; functions set its level alone
    event = json.loads(asked.event.read_text(encoding="utf-8"))
    sys.stdout.write(f"{call(asked.handler, event, here=Path.cwd(), clock=SystemClock())}\n")


if __name__ == "__main__":
    main()
