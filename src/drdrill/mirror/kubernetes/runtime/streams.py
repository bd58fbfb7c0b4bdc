"""Commands in containers: to their end for the kubelet's probes, and as streams for `kubectl exec` and its like.

Streams need SPDY, which only Go speaks: a small server of the node has it (`cri-streaming`). It is told what to run
over a Unix socket, and runs it when the kubelet comes for it.
"""

from __future__ import annotations

import http.client
import json
import os
import selectors
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import drdrill
from drdrill.core.clock import NANOSECONDS
from drdrill.core.errors import EnvironmentFailedError
from drdrill.mirror.kubernetes.runtime.errors import NotOfferedError, TookTooLongError
from drdrill.mirror.kubernetes.runtime.keepers import ask_keeper_with_files
from drdrill.mirror.kubernetes.runtime.pod import messages

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from drdrill.core.clock import Clock
    from drdrill.mirror.kubernetes.runtime.records import Container, Pod

_CHUNK = 64 << 10
_MOST_OUTPUT = 16 << 20  # containerd's limit for what a probe may say
_ANSWER_WITHIN_SECONDS = 5.0
_KILLED = 137
_ENTRY = "drdrill.mirror.kubernetes.runtime.pod.entry"


def run_command(
    pod: Pod, container: Container, arguments: Sequence[str], within: timedelta | None, clock: Clock
) -> tuple[int, bytes, bytes]:
    """Run a command in a container and return its exit code, output and errors; raises `TookTooLongError`.

    It is killed when its time is over. Raises `EnvironmentFailedError` when it cannot be started.
    """
    nothing = os.open(os.devnull, os.O_RDONLY)
    outputs: dict[int, bytearray] = {}
    theirs = []
    for _ in range(2):
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        outputs[reading] = bytearray()
        theirs.append(writing)
    request = {"do": "execute", "container": container.id, "arguments": list(arguments), "terminal": None}
    try:
        try:
            connection = ask_keeper_with_files(pod.directory, request, [nothing, *theirs])
        finally:
            for descriptor in (nothing, *theirs):
                os.close(descriptor)
        with connection:
            code = _follow(connection, outputs, within, clock)
        said, complained = outputs.values()
        return code, bytes(said), bytes(complained)
    finally:
        for descriptor in outputs:
            os.close(descriptor)


def _follow(
    connection: socket.socket, outputs: dict[int, bytearray], within: timedelta | None, clock: Clock
) -> int:
    """Read what a command says until it ends; return its exit code."""
    deadline = None if within is None else clock.now_ns() + int(within.total_seconds() * NANOSECONDS)
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ)
        for output in outputs:
            selector.register(output, selectors.EVENT_READ)
        while True:
            left = None if deadline is None else max(0.0, (deadline - clock.now_ns()) / NANOSECONDS)
            ready = selector.select(left)
            if not ready and within is not None:
                raise TookTooLongError(
                    f"the command was killed: not done within {within.total_seconds():g} s."
                )
            for key, _ in ready:
                if key.fileobj is connection:
                    answer, _ = messages.receive(connection)
                    for output, said in outputs.items():
                        while _read_output(output, said):
                            pass
                    return int(answer["exit_code"]) if answer else _KILLED
                if not _read_output(key.fd, outputs[key.fd]):
                    selector.unregister(key.fd)


def _read_output(descriptor: int, said: bytearray) -> bool:
    """Take what waits in a pipe; return whether there was anything."""
    try:
        chunk = os.read(descriptor, _CHUNK)
    except BlockingIOError:
        return False
    said += chunk[: _MOST_OUTPUT - len(said)]
    return bool(chunk)


class StreamingServer:
    """The node's streaming server, as the runtime asks it. Without one, streams are refused with the reason."""

    def __init__(self, control: Path | None) -> None:
        self._control = control

    def prepare_command(
        self, pod: Pod, container: Container, arguments: Sequence[str], **streams: bool
    ) -> str:
        """Return the address at which the streams of a new command are fetched: stdin, stdout, stderr, tty."""
        entry = name_entry("execute", pod, container, terminal=streams["tty"], streams=streams)
        return self._ask("/exec", {"argv": [*entry, *arguments], **streams})

    def prepare_attachment(self, pod: Pod, container: Container, **streams: bool) -> str:
        """Return the address at which the streams of a container itself are fetched."""
        entry = name_entry("attach", pod, container, terminal=streams["tty"], streams=streams)
        # A terminal belongs to the container: none of its own for who only passes bytes on.
        return self._ask("/attach", {"argv": entry, **streams})

    def prepare_forwarding(self, pod: Pod) -> str:
        """Return the address at which ports of a pod are reached."""
        if pod.keeper is None:
            raise EnvironmentFailedError(f"the pod sandbox {pod.id} does not run.")
        return self._ask("/portforward", {"pid": pod.keeper.pid})

    def _ask(self, path: str, request: dict[str, Any]) -> str:
        if self._control is None:
            raise NotOfferedError(
                "exec, attach and port-forward are missing on this node: its container runtime was started without "
                "a streaming server (`--streaming-socket`). Exec probes work all the same."
            )
        connection = http.client.HTTPConnection("streaming", timeout=_ANSWER_WITHIN_SECONDS)
        try:
            connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.sock.settimeout(_ANSWER_WITHIN_SECONDS)
            connection.sock.connect(str(self._control))
            connection.request("POST", path, json.dumps(request), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            raise EnvironmentFailedError(
                f"the node's streaming server does not answer at {self._control}: {error}."
            ) from error
        finally:
            connection.close()
        if answer.status != http.client.OK:
            raise EnvironmentFailedError(f"the node's streaming server refuses: {text.strip()}")
        return str(json.loads(text)["url"])


def name_entry(
    verb: str, pod: Pod, container: Container, *, terminal: bool, streams: dict[str, bool]
) -> list[str]:
    """Return the command that passes its own streams to the keeper, and ends as what they were passed to."""
    source = str(Path(drdrill.__file__).parent.parent)
    script = f"import sys; sys.path.insert(0, {source!r}); from {_ENTRY} import main; main()"
    wanted = ",".join(name for name in ("stdin", "stdout", "stderr") if streams.get(name))
    kind = "terminal" if terminal else "pipes"
    return [sys.executable, "-I", "-S", "-c", script, verb, str(pod.directory), container.id, kind, wanted]
