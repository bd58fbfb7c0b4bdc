"""A world's first process, started ahead: it imports meanwhile, and waits to be told what it is to build.

Told nothing, it has built nothing, and ends with the lifeline. Light on purpose: whoever starts one has not imported
much yet, and that is what it is for (0.5 s of the 3 that a mirror takes to come up).
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_WORLD_INIT = "drdrill.mirror.world_init"
_UNSHARE = ("unshare", "-Urnmiu", "-p", "-f", "--kill-child", "--mount-proc")


class Seed:
    """A process in namespaces of its own that waits. A context manager: left without being taken, it ends.

    `process` has a pipe at its standard output, on which it says that the world is ready. Raises `OSError` where there
    is no `unshare`.
    """

    def __init__(self) -> None:
        self._early_words = os.memfd_create("supervisor")  # until it has a log
        reading, self._lifeline = os.pipe()
        try:
            self.process = subprocess.Popen(
                [*_UNSHARE, sys.executable, "-m", _WORLD_INIT],
                stdin=reading, stdout=subprocess.PIPE, stderr=self._early_words, text=True, start_new_session=True,
                cwd="/",
            )  # fmt: skip
        except BaseException:
            os.close(self._lifeline)  # by this alone it ends, also where an interruption hid it from us
            os.close(self._early_words)
            raise
        finally:
            os.close(reading)
        self._taken = False

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it, unless it was taken."""
        if not self._taken:
            self.discard()

    def tell(self, directory: Path, settings: Mapping[str, Any]) -> None:
        """Have it build a world in a directory; it may have ended, which its silence tells."""
        line = json.dumps({"directory": str(directory), "settings": settings}) + "\n"
        with contextlib.suppress(BrokenPipeError):
            os.write(self._lifeline, line.encode())

    def take(self) -> int:
        """Return the writing end of its lifeline, which is the caller's from now on."""
        self._taken = True
        os.close(self._early_words)
        return self._lifeline

    def read_early_words(self) -> str:
        """Return what it said before it had a log."""
        size = os.fstat(self._early_words).st_size
        return os.pread(self._early_words, size, 0).decode(errors="replace")

    def discard(self) -> None:
        """End it, and wait until it is gone."""
        self._taken = True
        os.close(self._lifeline)
        os.close(self._early_words)
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
