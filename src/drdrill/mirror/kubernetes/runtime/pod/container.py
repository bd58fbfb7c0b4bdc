"""A container as its keeper holds it: the first process, its streams, its log, who is attached, how it ended."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from typing import TYPE_CHECKING

from drdrill.core.process import ProcessId
from drdrill.mirror.kubernetes.runtime.pod.container_log import ContainerLog
from drdrill.mirror.kubernetes.runtime.pod.processes import NOT_STARTED, read_exit_code, start_container

if TYPE_CHECKING:
    from drdrill.mirror.kubernetes.runtime.pod.launch import Launch

RUNNING = "running.json"
EXIT = "exit.json"
_CHUNK = 64 << 10


class KeptContainer:
    """One container, from its start to its end. Both are noted in files beside its launch, for whoever asks later."""

    def __init__(self, launch: Launch) -> None:
        self.launch = launch
        self.log = ContainerLog(launch.log)
        self.outputs: dict[int, str] = {}  # descriptor -> name of the stream
        self.input: int | None = None
        self.attached: list[dict[str, int]] = []
        self.ended = False
        self.exit_code = 0
        self.pid = 0
        self._reason = ""

    def start(self, processes_of: int | None) -> None:
        """Start it; raises OSError with the reason, which is noted as its end, too."""
        streams, ours = self._open_streams()
        try:
            self.pid, terminal = start_container(self.launch, streams, processes_of)
        except OSError as error:
            for descriptor in ours:
                os.close(descriptor)
            self.outputs.clear()
            self.input = None
            self.log.finish()
            self._note_end(NOT_STARTED, "StartError", error.strerror or str(error))
            raise
        finally:
            for descriptor in set(streams):
                os.close(descriptor)
        if terminal is not None:
            os.set_blocking(terminal, False)
            self.outputs[terminal] = "stdout"
            self.input = terminal
        identity = ProcessId.read(self.pid)
        self._note(RUNNING, {
            "process": identity.to_json() if identity else [self.pid, 0],
            "mounts": _read_mounts(self.pid),
            "started_ns": time.time_ns(),
        })  # fmt: skip

    def _open_streams(self) -> tuple[tuple[int, ...], list[int]]:
        if self.launch.terminal:
            return (), []
        if self.launch.stdin:
            theirs_in, self.input = os.pipe()
        else:
            theirs_in = os.open("/dev/null", os.O_RDONLY)
        ours = [] if self.input is None else [self.input]
        theirs_out = []
        for name in ("stdout", "stderr"):
            own, theirs = os.pipe()
            os.set_blocking(own, False)
            self.outputs[own] = name
            ours.append(own)
            theirs_out.append(theirs)
        return (theirs_in, theirs_out[0], theirs_out[1]), ours

    def read_output(self, descriptor: int) -> bool:
        """Pass on what waits in one stream, at most a chunk; return whether there may be more."""
        try:
            said = os.read(descriptor, _CHUNK)
        except BlockingIOError:
            return False
        except OSError:  # a terminal that nobody has open any more
            said = b""
        stream = self.outputs[descriptor]
        if not said:
            del self.outputs[descriptor]
            if descriptor == self.input:
                self.input = None
            os.close(descriptor)
            return False
        self.log.feed(stream, said)
        for listener in self.attached:
            if stream in listener:
                try:
                    os.write(listener[stream], said)
                except OSError:  # who is attached is gone or too slow: the log has it all the same
                    os.close(listener.pop(stream))
        return True

    def detach(self, listener: dict[str, int]) -> None:
        """Let go of who is attached. Harmless when it was let go of."""
        if listener in self.attached:
            self.attached.remove(listener)
            for descriptor in listener.values():
                os.close(descriptor)

    def signal(self, number: int, reason: str) -> None:
        """Send its first process a signal; `reason` is what its end will be put down to."""
        self._reason = reason or self._reason
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def take_end(self, status: int) -> None:
        """Note its end with all that it has said."""
        if self.launch.processes != "own":
            self._kill_rest()
        for descriptor in list(self.outputs):
            while self.read_output(descriptor):
                pass
        self.log.finish()
        for descriptor in {*self.outputs, *(() if self.input is None else (self.input,))}:
            os.close(descriptor)
        self.outputs.clear()
        self.input = None
        for listener in list(self.attached):
            self.detach(listener)
        code = read_exit_code(status)
        self._note_end(code, self._reason or ("Error" if code else "Completed"), "")

    def _kill_rest(self) -> None:
        """Kill what is left of it: without a PID namespace of its own, the kernel does not."""
        mounts = json.loads(_read(f"{self.launch.directory}/{RUNNING}"))["mounts"]
        for name in os.listdir("/proc"):  # noqa: PTH208
            if name.isdigit() and _read_mounts(int(name)) == mounts:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(name), signal.SIGKILL)

    def _note_end(self, code: int, reason: str, message: str) -> None:
        self.ended = True
        self.exit_code = code
        self._note(EXIT, {
            "exit_code": code, "reason": reason, "message": message, "finished_ns": time.time_ns(),
        })  # fmt: skip

    def _note(self, name: str, content: dict[str, object]) -> None:
        path = f"{self.launch.directory}/{name}"
        with open(f"{path}.new", "w", encoding="utf-8") as file:  # noqa: PTH123
            json.dump(content, file)
        os.replace(f"{path}.new", path)  # noqa: PTH105


def _read_mounts(pid: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/ns/mnt")  # noqa: PTH115
    except OSError:
        return ""


def _read(path: str) -> str:
    with open(path, encoding="utf-8") as file:  # noqa: PTH123
        return file.read()
