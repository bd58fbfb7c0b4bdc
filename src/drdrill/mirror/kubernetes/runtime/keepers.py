"""The runtime's side of the keepers: having them forked, and asking them."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from drdrill.core.errors import EnvironmentFailedError
from drdrill.core.process import ProcessId
from drdrill.mirror.kubernetes.runtime.pod import messages

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence
    from pathlib import Path

    from drdrill.mirror.kubernetes.runtime.pod.launch import PodSetting

_NURSERY = "drdrill.mirror.kubernetes.runtime.pod.nursery"


class Nursery:
    """The process that forks keepers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", _NURSERY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
            start_new_session=True,
        )  # fmt: skip

    def fork(self, setting: PodSetting) -> ProcessId:
        """Have a keeper forked and return its identity; raises `EnvironmentFailedError`."""
        with self._lock:
            assert self._process.stdin is not None  # noqa: S101  (a pipe was asked for)
            assert self._process.stdout is not None  # noqa: S101
            try:
                self._process.stdin.write(json.dumps(asdict(setting)) + "\n")
                self._process.stdin.flush()
                answer = json.loads(self._process.stdout.readline() or '{"error": "the nursery has ended"}')
            except OSError as error:
                raise EnvironmentFailedError(f"no keeper could be forked: {error}.") from error
        keeper = ProcessId.parse(answer.get("process"))
        if keeper is None:
            raise EnvironmentFailedError(f"the keeper of a pod did not start: {answer.get('error')}.")
        return keeper

    def stop(self) -> None:
        """End the nursery; the keepers live on."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process.wait()


def ask_keeper(directory: Path, request: dict[str, Any]) -> None:
    """Ask the keeper of a pod for something; raises `EnvironmentFailedError` with its reason, or when it is gone."""
    try:
        with messages.connect(str(directory)) as connection:
            messages.send(connection, request)
            answer, _ = messages.receive(connection)
    except OSError as error:
        raise EnvironmentFailedError(f"the pod's keeper does not answer: {error}.") from error
    _expect_ok(answer)


def ask_keeper_with_files(directory: Path, request: dict[str, Any], files: Sequence[int]) -> socket.socket:
    """Ask for something that goes on, and return the connection over which its exit code comes."""
    try:
        connection = messages.connect(str(directory))
    except OSError as error:
        raise EnvironmentFailedError(f"the pod's keeper does not answer: {error}.") from error
    try:
        messages.send(connection, request, files)
        _expect_ok(messages.receive(connection)[0])
    except BaseException as error:
        connection.close()
        if isinstance(error, OSError):
            raise EnvironmentFailedError(f"the pod's keeper does not answer: {error}.") from error
        raise
    return connection


def _expect_ok(answer: dict[str, Any] | None) -> None:
    if answer is None or "error" in answer:
        raise EnvironmentFailedError((answer or {}).get("error", "the pod's keeper has ended"))
