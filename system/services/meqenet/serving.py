"""How a service is started and ended.

::

    serving ──SIGTERM──▶ ending: not ready, and answers for its grace ──▶ requests in flight are answered ──▶ ended

Load balancers and neighbours need a moment to see that a pod is to end; until then they go on sending requests, which
must not be refused. So a service needs nobody to wait on its behalf before it is told. A second signal, or Ctrl-C,
ends the grace.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import TYPE_CHECKING

import uvicorn

from meqenet.frame import make_app
from meqenet.place import Place
from meqenet.settings import SettingsError, read_settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from starlette.routing import Route

_ANSWERS_WITHIN_SECONDS = 10  # requests in flight after the grace; none takes longer than 5 s


class Server(uvicorn.Server):
    """A server that goes on for a grace when it is asked to end."""

    def __init__(self, config: uvicorn.Config, place: Place) -> None:
        super().__init__(config)
        self._place = place
        self._ends_at: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end; the second time, end."""
        if sig != signal.SIGTERM or self._place.ending or not self.started:
            super().handle_exit(sig, frame)
            return
        self._captured_signals.append(sig)  # the exit status says what ended it
        self._ends_at = time.monotonic() + self._place.settings.grace_seconds
        self._place.ending = True

    async def on_tick(self, counter: int) -> bool:
        """Look, ten times a second, whether the grace is over."""
        if self._ends_at is not None and time.monotonic() >= self._ends_at:
            self.should_exit = True
        return await super().on_tick(counter)


def run(service: str, routes: Sequence[Route], kind: type[Place] = Place) -> int:
    """Run a service until it is told to end; `kind` is its place. Returns 2 when its settings are no good."""
    try:
        settings = read_settings(service, os.environ)
    except SettingsError as error:
        print(f"{service}: {error}", file=sys.stderr)
        return 2
    place = kind(settings)
    config = uvicorn.Config(
        make_app(place, routes), host="0.0.0.0", port=settings.port,  # noqa: S104 (a pod's own address)
        loop="uvloop", http="httptools", access_log=False, log_config=None, server_header=False,
        timeout_keep_alive=75, timeout_graceful_shutdown=_ANSWERS_WITHIN_SECONDS,
    )  # fmt: skip
    Server(config, place).run()
    return 0
