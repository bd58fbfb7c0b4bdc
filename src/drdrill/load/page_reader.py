"""Opens the company's status page as a user does, again and again, and writes down whenever it says something else.

Each version is kept beside the log, so that people can read what users read. What the page means is nobody's business
here.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from drdrill.core.clock import NANOSECONDS
from drdrill.load.request import await_time

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from drdrill.core.clock import Clock
    from drdrill.load.https import Browser

EVERY_NS = 2 * NANOSECONDS  # the resolution of "when users were told"
_FOUND = 200


def split_page(url: str) -> tuple[str, str]:
    """Return the server's address and the path of a page."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}", parts.path or "/"


class PageReader:
    """Reads one page into `log`, a line of JSON for each change: `at_ns`, `status`, `sha256`, `file`.

    `status` 0: nobody answered; `file`: the version's own file beside the log, empty without one.
    """

    def __init__(self, browser: Browser, path: str, log: Path, *, start_ns: int, clock: Clock) -> None:
        self._browser, self._path, self._log = browser, path, log
        self._start_ns, self._clock = start_ns, clock
        self._last: tuple[int, str] | None = None
        self._versions = 0

    async def read(self, enough: Callable[[], bool]) -> None:
        """Read at each of its times until it is enough; a look that takes longer than that leaves the next ones out."""
        due_ns = self._start_ns
        while not enough():
            await await_time(due_ns, self._clock)
            await self._look()
            due_ns += EVERY_NS * max(1, -(-(self._clock.now_ns() - due_ns) // EVERY_NS))

    async def _look(self) -> None:
        at_ns = self._clock.now_ns()
        said = await self._browser.send("GET", self._path, headers={}, content=None, wanted=[_FOUND])
        body = said.body if said.status == _FOUND else b""
        digest = hashlib.sha256(body).hexdigest() if body else ""
        if self._last == (said.status, digest):
            return
        self._last = (said.status, digest)
        name = ""
        if body:
            self._versions += 1
            name = f"{self._log.stem}-{self._versions}.html"
            (self._log.parent / name).write_bytes(body)
        line = {"at_ns": at_ns, "status": said.status, "sha256": digest, "file": name}
        with self._log.open("a", encoding="utf-8") as file:
            file.write(f"{json.dumps(line)}\n")
