"""The way into a container for the streaming server: hands its own streams to the pod's keeper and ends as they end.

Arguments: `execute` or `attach`, the pod's directory, the container, `terminal` or `pipes`, the wanted streams, and
the command. Run with `python -I -S`, so it imports the standard library and this package only.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import termios

from drdrill.mirror.kubernetes.runtime.pod import messages

_NUMBERS = {"stdin": 0, "stdout": 1, "stderr": 2}
_NOT_STARTED = 126  # as a shell says that it could not run a command


def main() -> None:
    """Pass the streams on, wait, and exit with the code of what they were passed to."""
    verb, directory, container, kind, wanted, *arguments = sys.argv[1:]
    terminal = kind == "terminal"
    if verb == "execute" and terminal:
        # The terminal is this process's own; let go of it, or the command cannot have it.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        fcntl.ioctl(0, termios.TIOCNOTTY)
    request: dict[str, object] = {"do": verb, "container": container}
    if verb == "execute":
        request |= {"arguments": arguments, "terminal": terminal}
        files = [0, 1, 2]
    else:
        streams = [name for name in wanted.split(",") if name]
        request["streams"] = streams
        files = [_NUMBERS[name] for name in streams]
    try:
        connection = messages.connect(directory)
        messages.send(connection, request, files)
        answer, _ = messages.receive(connection)
    except OSError as error:
        answer = {"error": str(error)}
    if answer is None or "error" in answer:
        sys.stderr.write(f"{(answer or {}).get('error', 'the keeper has ended')}\n")
        sys.exit(_NOT_STARTED)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in _NUMBERS.values():  # whoever reads the output sees its end when the command ends
        os.dup2(nothing, number)
    ended, _ = messages.receive(connection)
    os._exit(ended["exit_code"] if ended else 137)
