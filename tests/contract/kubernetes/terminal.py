"""Somebody at a terminal: kubectl on one, what is typed, and what the screen showed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.contract.kubernetes.cluster import WITHIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.kubernetes.cluster import Operators

_CHUNK = 4096


@dataclass(slots=True)
class Terminal:
    """A terminal with kubectl on it. `said` is all that it showed."""

    own: int
    process: subprocess.Popen[bytes]
    said: str = ""
    _seen: int = 0  # how much of it was waited for

    def type(self, keys: str) -> None:
        """Type keys; enter is a carriage return."""
        os.write(self.own, keys.encode())

    def await_words(self, words: str) -> None:
        """Wait until it shows words, after those that were waited for before."""
        while (found := self.said.find(words, self._seen)) < 0:
            assert self._read(), f"`{words}` was not shown, but: {self.said[self._seen :]!r}"
        self._seen = found + len(words)

    def await_end(self) -> int:
        """Wait until kubectl ends, and return its exit status."""
        while self._read():
            pass
        return self.process.wait(WITHIN.total_seconds())

    def _read(self) -> bool:
        """Take what is shown next; say whether there was anything, and not the end."""
        ready, _, _ = select.select([self.own], [], [], WITHIN.total_seconds())
        assert ready, f"nothing is shown any more: {self.said!r}"
        try:
            shown = os.read(self.own, _CHUNK)
        except OSError:  # nobody has the other end any more
            return False
        self.said += shown.decode(errors="replace")
        return bool(shown)


@contextlib.contextmanager
def at_terminal(
    operators: Operators, *arguments: str, size: tuple[int, int] = (24, 80)
) -> Iterator[Terminal]:
    """Have kubectl run on a terminal of so many rows and columns while the block runs; it is killed afterwards."""
    own, theirs = pty.openpty()
    try:
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", *size, 0, 0))
        process = subprocess.Popen(
            operators.cluster.operator_command(["kubectl", "--namespace", operators.namespace, *arguments]),
            env=dict(operators.cluster.operator_environment()),
            cwd="/", stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        )  # fmt: skip
    finally:
        os.close(theirs)
    try:
        yield Terminal(own, process)
    finally:
        process.kill()
        process.wait()
        os.close(own)
