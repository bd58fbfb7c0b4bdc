"""The control socket: whoever asks gets an answer, also where the supervisor comes to its questions late."""

from __future__ import annotations

import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from drdrill.core.errors import ControlLostError, EnvironmentFailedError
from drdrill.mirror.control import Control, ControlServer, short_path

if TYPE_CHECKING:
    from pathlib import Path

WITHIN_SECONDS = 30


def test_an_answer_and_an_error(tmp_path: Path) -> None:
    """What an operation returns comes back; what it raises, and what nobody knows, is told as an error."""

    def fail() -> dict[str, int]:
        raise ZeroDivisionError("nothing to divide")

    server = ControlServer(tmp_path / "control", {"double": lambda number: {"is": 2 * number}, "fail": fail})
    try:
        control = Control(tmp_path / "control")
        assert control.ask("double", number=21) == {"is": 42}
        with pytest.raises(EnvironmentFailedError, match="ZeroDivisionError: nothing to divide"):
            control.ask("fail")
        with pytest.raises(EnvironmentFailedError, match="does not know the operation `fly`"):
            control.ask("fly")
    finally:
        server.shutdown()
        server.server_close()


def test_nobody_there(tmp_path: Path) -> None:
    """A supervisor that is gone is told as lost."""
    with pytest.raises(ControlLostError, match="has ended"):
        Control(tmp_path / "control").ask("double", number=1)


def test_a_queue_that_is_full_is_waited_for(tmp_path: Path) -> None:
    """Where more ask than wait in line, the next one waits for its turn: nothing is told as lost that only is busy."""
    path = tmp_path / "control"
    about_to_ask = threading.Event()
    with socket.socket(socket.AF_UNIX) as listening, ThreadPoolExecutor(1) as pool:
        with short_path(path) as short:
            listening.bind(short)
        listening.listen(0)
        listening.settimeout(WITHIN_SECONDS)
        waiting = _fill(path)

        def ask() -> dict[str, object]:
            about_to_ask.set()
            return Control(path).ask("look")

        asked = pool.submit(ask)
        assert about_to_ask.wait(WITHIN_SECONDS)
        for one in waiting:  # the server comes to them, one after the other
            listening.accept()[0].close()
            one.close()
        connection = listening.accept()[0]
        with connection, connection.makefile("rw", encoding="utf-8") as stream:
            assert json.loads(stream.readline())["operation"] == "look"
            stream.write('{"seen": true}\n')
            stream.flush()
            assert asked.result(WITHIN_SECONDS) == {"seen": True}


def _fill(path: Path) -> list[socket.socket]:
    """Return connections that wait in line, as many as there is room for."""
    waiting: list[socket.socket] = []
    with short_path(path) as short:
        while True:
            one = socket.socket(socket.AF_UNIX)
            one.setblocking(False)
            try:
                one.connect(short)
            except BlockingIOError:
                one.close()
                return waiting
            waiting.append(one)
