"""What the programs of users' processes have in common: how they begin, are told that it is enough, and end.

Exit status 0; 2: no usable configuration; 5: broken, or this machine has run out of sockets or ports. SIGTERM, SIGINT,
and the end of a pipe at standard input, say that it is enough.
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import uvloop

from drdrill.core.errors import EXIT_BROKEN, EXIT_USAGE, DamagedRecordError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

Config = TypeVar("Config")


def run_program(
    arguments: list[str],
    *,
    usage: str,
    parse: Callable[[str], Config],
    be: Callable[[Config], Coroutine[None, None, None]],
) -> int:
    """Read the configuration that the one argument names, be its users, and return the exit status.

    `parse` raises `DamagedRecordError` for what is none; `be` raises `UsageError` before it returns, or nothing.
    """
    if len(arguments) != 1:
        sys.stderr.write(f"usage: {usage}\n")
        return EXIT_USAGE
    path = Path(arguments[0])
    try:
        config = parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, DamagedRecordError) as error:
        sys.stderr.write(f"{path}: {error}\n")
        return EXIT_USAGE
    try:
        users = be(config)
    except UsageError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_USAGE
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a request in flight holds a socket
    try:
        uvloop.run(users)
    except Exception as error:  # noqa: BLE001 - the program's outermost edge: said, never a bare traceback
        sys.stderr.write(f"{path.stem}: this client process broke: {_describe(error)}\n")
        return EXIT_BROKEN
    return 0


def listen_for_enough() -> asyncio.Event:
    """Return what is set once somebody says that it is enough."""
    enough = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, enough.set)
    _follow_lifeline(enough)
    return enough


def _follow_lifeline(enough: asyncio.Event) -> None:
    """Where standard input is a pipe, its end says that whoever started this is gone: that is enough, too."""
    if not stat.S_ISFIFO(os.fstat(0).st_mode):
        return
    loop = asyncio.get_running_loop()

    def look() -> None:
        if not os.read(0, 1):
            loop.remove_reader(0)
            enough.set()

    loop.add_reader(0, look)


def _describe(error: BaseException) -> str:
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(dict.fromkeys(_describe(part) for part in error.exceptions))
    return f"{type(error).__name__}: {error}"
