"""The keeper: one small process a pod. It holds the pod's namespaces, starts its containers, logs and reaps them.

A keeper is forked by the nursery (`nursery`) and belongs to nobody: it lives on when nursery and runtime end, and is
found again by its process id, start time and socket.

::

    runtime ── socket ──▶ keeper ──▶ first process of each container (own PID and mount namespace)
    entry   ── socket ──▶   │ └────▶ what was started beside them (exec)
                            └──────▶ log files, running.json, exit.json

When a keeper is killed, the kernel kills its containers (PR_SET_PDEATHSIG).
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from drdrill.mirror.kubernetes.runtime.pod import messages
from drdrill.mirror.kubernetes.runtime.pod.container import KeptContainer
from drdrill.mirror.kubernetes.runtime.pod.launch import Launch, PodSetting
from drdrill.mirror.kubernetes.runtime.pod.processes import read_exit_code, start_beside, start_pause
from drdrill.mirror.kubernetes.runtime.pod.terminal import resize

if TYPE_CHECKING:
    import socket

_CHUNK = 4096


class Keeper:
    """The keeper of one pod."""

    def __init__(self, setting: PodSetting) -> None:
        self._selector = selectors.DefaultSelector()
        self._containers: dict[str, KeptContainer] = {}
        self._beside: dict[int, socket.socket] = {}  # process -> who waits for its end
        self._attached: list[tuple[KeptContainer, dict[str, int], socket.socket]] = []
        self._processes_of: int | None = None
        self._server = messages.listen(setting.directory)
        self._selector.register(self._server, selectors.EVENT_READ, self._accept)
        woken, wake = os.pipe()
        os.set_blocking(woken, False)
        os.set_blocking(wake, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        self._selector.register(woken, selectors.EVENT_READ, lambda: self._reap(woken))
        if setting.shares_processes:
            self._processes_of = start_pause()

    def run(self) -> NoReturn:
        """Serve until told to end."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj in self._selector.get_map():  # an earlier one of this round may have closed it
                    try:
                        key.data()
                    except Exception:  # noqa: BLE001  (one request that fails must not take all containers along)
                        traceback.print_exc()

    def _accept(self) -> None:
        connection, _ = self._server.accept()
        connection.set_inheritable(False)
        self._selector.register(connection, selectors.EVENT_READ, lambda: self._hear(connection))

    def _hear(self, connection: socket.socket) -> None:
        files: list[int] = []
        given: list[int] = []
        try:
            request, files = messages.receive(connection)
        except OSError:
            request = None
        if request is None:
            self._drop(connection)
            return
        try:
            given = self._do(request, connection, files)
            answer: dict[str, object] = {"ok": True}
        except (OSError, KeyError) as error:
            answer = {"error": getattr(error, "strerror", None) or str(error)}
            for file in files:
                with contextlib.suppress(OSError):
                    os.close(file)
        with contextlib.suppress(OSError):
            messages.send(connection, answer, given)
        for file in given:
            os.close(file)

    def _do(self, request: dict[str, Any], connection: socket.socket, files: list[int]) -> list[int]:
        """Do what is asked for and return the open files that belong to the answer."""
        match request["do"]:
            case "start":
                self._start(request["container"], Path(request["directory"]))
            case "signal":
                self._containers[request["container"]].signal(request["number"], request["reason"])
            case "reopen_log":
                self._containers[request["container"]].log.reopen()
            case "execute":
                container = self._containers[request["container"]]
                size = tuple(request["terminal"]) if request["terminal"] else None
                return self._execute(container, request["arguments"], size, connection, files)
            case "attach":
                container = self._containers[request["container"]]
                self._attach(container, request["streams"], connection, files)
            case "resize":
                container = self._containers[request["container"]]
                if container.launch.terminal and container.input is not None:
                    resize(container.input, request["size"])
            case "forget":
                self._containers.pop(request["container"], None)
            case "end":
                self._end(connection)
        return []

    def _start(self, name: str, directory: Path) -> None:
        if name in self._containers:
            raise OSError("the container has been started")
        container = KeptContainer(Launch.read(directory / "launch.json"))
        processes_of = self._processes_of if container.launch.processes == "pod" else None
        if container.launch.processes in self._containers:
            processes_of = self._containers[container.launch.processes].pid
        container.start(processes_of)
        self._containers[name] = container
        for descriptor in container.outputs:
            self._selector.register(descriptor, selectors.EVENT_READ, _reader(self, container, descriptor))

    def read_output(self, container: KeptContainer, descriptor: int) -> None:
        """Pass on what a container said."""
        container.read_output(descriptor)
        if descriptor not in container.outputs:
            self._selector.unregister(descriptor)

    def _execute(
        self,
        container: KeptContainer,
        arguments: list[str],
        size: tuple[int, int] | None,
        connection: socket.socket,
        files: list[int],
    ) -> list[int]:
        if container.ended:
            raise OSError("the container has ended")
        pid, own = start_beside(container.launch, container.pid, arguments, files, size)
        self._beside[pid] = connection
        for file in files:
            os.close(file)
        return [] if own is None else [own]

    def _attach(
        self, container: KeptContainer, streams: list[str], connection: socket.socket, files: list[int]
    ) -> None:
        if container.ended:
            raise OSError("the container has ended")
        listener = dict(zip(streams, files, strict=True))
        source = listener.pop("stdin", None)
        for file in listener.values():
            os.set_blocking(file, False)
        container.attached.append(listener)
        self._attached.append((container, listener, connection))
        if source is not None and container.input is not None:
            os.set_blocking(source, False)
            self._selector.register(source, selectors.EVENT_READ, lambda: self._pass_input(container, source))
        elif source is not None:
            os.close(source)

    def _pass_input(self, container: KeptContainer, source: int) -> None:
        try:
            said = os.read(source, _CHUNK)
        except BlockingIOError:
            return
        except OSError:
            said = b""
        if said and container.input is not None:
            with contextlib.suppress(OSError):
                os.write(container.input, said)
            return
        self._selector.unregister(source)
        os.close(source)
        if container.launch.stdin_once and container.input is not None and not container.launch.terminal:
            os.close(container.input)
            container.input = None

    def _drop(self, connection: socket.socket) -> None:
        """Let go of who has hung up: what was started for it is killed, what it listened to goes on."""
        for pid, waiting in list(self._beside.items()):
            if waiting is connection:
                os.kill(pid, signal.SIGKILL)
        for container, listener, other in self._attached:
            if other is connection:
                container.detach(listener)
        self._attached = [attached for attached in self._attached if attached[2] is not connection]
        self._selector.unregister(connection)
        connection.close()

    def _reap(self, woken: int) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(woken, _CHUNK)
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._take_end(pid, status)

    def _take_end(self, pid: int, status: int) -> None:
        if (waiting := self._beside.pop(pid, None)) is not None:
            with contextlib.suppress(OSError):
                messages.send(waiting, {"exit_code": read_exit_code(status)})
        for container in self._containers.values():
            if container.pid == pid and not container.ended:
                for descriptor in container.outputs:
                    self._selector.unregister(descriptor)
                container.take_end(status)
                for listened, _, connection in self._attached:
                    if listened is container:
                        with contextlib.suppress(OSError):
                            messages.send(connection, {"exit_code": container.exit_code})

    def _end(self, connection: socket.socket) -> NoReturn:
        for container in self._containers.values():
            if not container.ended:
                container.signal(signal.SIGKILL, "")
                with contextlib.suppress(ChildProcessError):
                    container.take_end(os.waitpid(container.pid, 0)[1])
        messages.send(connection, {"ok": True})
        os._exit(0)


def _reader(keeper: Keeper, container: KeptContainer, descriptor: int) -> Any:
    return lambda: keeper.read_output(container, descriptor)
