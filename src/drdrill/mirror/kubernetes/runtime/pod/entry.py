"""The way into a container for the streaming server: hands its own streams to the pod's keeper and ends as they end.

Arguments: `execute` or `attach`, the pod's directory, the container, `terminal` or `pipes`, the wanted streams, and
the command. Run with `python -I -S`, so it imports the standard library and this package only.

With a terminal, this process has one of its own, which the streaming server made. It passes bytes on as they are; what
a terminal does with them is done by the container's.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import termios
import tty
from typing import TYPE_CHECKING, Any

from drdrill.mirror.kubernetes.runtime.pod import messages, terminal

if TYPE_CHECKING:
    import socket

_NUMBERS = {"stdin": 0, "stdout": 1, "stderr": 2}
_CHUNK = 4096
_NOT_STARTED = 126  # as a shell says that it could not run a command
_LOST = 137


def main() -> None:
    """Pass the streams on, wait, and exit with the code of what they were passed to."""
    verb, directory, container, kind, wanted, *arguments = sys.argv[1:]
    has_terminal = kind == "terminal"
    if has_terminal:
        tty.setraw(0, termios.TCSANOW)  # what was typed before this stays
    request: dict[str, Any] = {"do": verb, "container": container}
    if verb == "execute":
        request |= {"arguments": arguments, "terminal": terminal.read_size(0) if has_terminal else None}
        files = [] if has_terminal else [0, 1, 2]
    else:
        request["streams"] = [name for name in wanted.split(",") if name]
        files = [_NUMBERS[name] for name in request["streams"]]
    if verb == "attach" and has_terminal:
        _follow_size(lambda: _send_size(directory, container))
    connection, received = _ask(directory, request, files)
    if received:
        code = _relay(connection, received[0])
    else:
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in files:  # whoever reads the output sees its end when the command ends
            if not has_terminal:
                os.dup2(nothing, number)
        code = _receive_code(connection)
    os._exit(code)


def _ask(directory: str, request: dict[str, Any], files: list[int]) -> tuple[socket.socket, list[int]]:
    try:
        connection = messages.connect(directory)
        messages.send(connection, request, files)
        answer, received = messages.receive(connection)
    except OSError as error:
        sys.exit(_refuse(str(error)))
    if answer is None or "error" in answer:
        sys.exit(_refuse((answer or {}).get("error", "the pod's keeper has ended")))
    return connection, received


def _refuse(reason: str) -> int:
    sys.stderr.write(f"{reason}\n")
    return _NOT_STARTED


def _relay(connection: socket.socket, own: int) -> int:
    """Pass bytes between this process's terminal and the command's until the command ends; return its exit code."""
    _follow_size(lambda: terminal.copy_size(0, own))
    sources: list[Any] = [0, own, connection]
    while True:
        ready, _, _ = select.select(sources, [], [])
        if own in ready and not _pass_on(own, 1):
            sources.remove(own)
        if 0 in ready and not _pass_on(0, own):
            sources.remove(0)
        if connection in ready:
            os.set_blocking(own, False)
            while own in sources and _pass_on(own, 1):
                pass
            return _receive_code(connection)


def _pass_on(source: int, target: int) -> bool:
    """Pass on what waits; return whether there was anything."""
    try:
        said = os.read(source, _CHUNK)
        if not said:
            return False
        while said:
            said = said[os.write(target, said) :]
    except OSError:  # a terminal that nobody has open any more
        return False
    return True


def _follow_size(take: Any) -> None:
    signal.signal(signal.SIGWINCH, lambda *_: take())
    take()


def _send_size(directory: str, container: str) -> None:
    with contextlib.suppress(OSError), messages.connect(directory) as connection:
        messages.send(connection, {"do": "resize", "container": container, "size": terminal.read_size(0)})
        messages.receive(connection)


def _receive_code(connection: socket.socket) -> int:
    ended, _ = messages.receive(connection)
    return int(ended["exit_code"]) if ended else _LOST
