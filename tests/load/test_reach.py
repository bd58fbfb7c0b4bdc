from __future__ import annotations

import json
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from drdrill.core.clock import SystemClock
from drdrill.load.reach import look, main


def test_a_server_that_hangs_is_reachable_and_says_nothing() -> None:
    """The program prints one JSON line: reachable, no answer, when, and how long it took."""
    before = SystemClock().now_ns()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        command = [sys.executable, "-m", "drdrill.load.reach", "127.0.0.1", port, "0.05"]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout

    (line,) = output.splitlines()
    seen = json.loads(line)
    assert (seen["reachable"], seen["answered"], seen["error"]) == (True, False, None)
    assert before < seen["at_ns"] < SystemClock().now_ns()
    assert seen["took_seconds"] >= 0


def test_a_server_that_answers_says_a_word() -> None:
    """Whether it speaks TLS is asked as PostgreSQL's clients ask, and any byte is an answer."""
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as threads:
        seen = threads.submit(look, "127.0.0.1", server.getsockname()[1], 5)
        connection, _ = server.accept()
        with connection:
            assert connection.recv(8) == bytes([0, 0, 0, 8, 4, 210, 22, 47])
            connection.sendall(b"N")
            assert (seen.result()["reachable"], seen.result()["answered"]) == (True, True)


def test_a_server_that_does_not_listen_is_not_reachable(capsys: pytest.CaptureFixture[str]) -> None:
    """Having looked is success, whatever was seen; the error says why."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    assert main(["127.0.0.1", str(port), "5"]) == 0
    seen = json.loads(capsys.readouterr().out)
    assert seen["reachable"] is False
    assert "refused" in seen["error"]


def test_silence_is_not_reachable() -> None:
    """A server whose queue is full answers nothing: after the time-out it counts as not reachable."""
    with socket.socket() as server, socket.socket() as queued:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        queued.connect(server.getsockname())

        seen = look("127.0.0.1", server.getsockname()[1], 0.05)

    assert seen["reachable"] is False
    assert seen["error"] == "timed out"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["127.0.0.1"],
        ["127.0.0.1", "x", "1"],
        ["127.0.0.1", "0", "1"],
        ["127.0.0.1", "1", "0"],
        ["127.0.0.1", "1", "nan"],
        ["127.0.0.1", "1", "inf"],
        ["localhost", "1", "1"],
    ],
)
def test_wrong_arguments_are_a_usage_error(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Bad arguments end with status 2, one line on standard error, and nothing on standard output."""
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("usage: ")
