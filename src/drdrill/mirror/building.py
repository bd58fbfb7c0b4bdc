"""Running the company's own script that builds its system, on the operator's host, and saying how far it is."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from typing import TYPE_CHECKING, Any

from drdrill.core.errors import CommandFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Future
    from datetime import timedelta
    from pathlib import Path

_TOLD_BYTES = 4000


def build(
    command: Sequence[str],
    *,
    script: Path,
    environment: Mapping[str, str],
    log: Path,
    within: timedelta,
    tell: Callable[[str], None],
    beside: Future[Any] | None = None,
) -> None:
    """Run `command`, which runs a script, to its end; `tell` hears every line of its output, `log` has all of it.

    `beside`: something else that goes on; when that fails, the script is ended and its error raised.

    Raises `CommandFailedError` with its last words when it fails or is late; nothing of it runs on then.
    """
    late = threading.Event()
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stream, env=dict(environment), cwd="/",
            start_new_session=True, text=True, errors="replace",
        )  # fmt: skip

        def end() -> None:
            late.set()
            _end(process)

        timer = threading.Timer(within.total_seconds(), end)
        timer.start()
        if beside is not None:
            beside.add_done_callback(lambda done: _end(process) if done.exception() else None)
        with process:
            try:
                assert process.stdout is not None  # noqa: S101  (a pipe was asked for)
                for line in process.stdout:
                    stream.write(line.encode())
                    stream.flush()
                    tell(line.rstrip())
            except BaseException:
                _end(process)  # here: leaving the block waits for its end
                raise
            finally:
                timer.cancel()
    if beside is not None and beside.done():
        beside.result()  # its error says more than that of a script which was ended for it
    if process.returncode:
        said = log.read_bytes()[-_TOLD_BYTES:].decode(errors="replace").strip()
        if late.is_set():
            said += f"\nended by us after {within.total_seconds():g} s"
        raise CommandFailedError([str(script)], process.returncode, said)


def _end(process: subprocess.Popen[str]) -> None:
    """End a program that is run by `nsenter`, and whatever it started: its session is its own."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
