"""The operator's own machine as the place where steps run: every piece of work is a process of its own here.

A process leads its own session, so that Ctrl-C reaches it only through the executor. While it lives it holds a lock
in the runbook's directory that it inherited: so a later executor knows that it runs on, however the first one ended.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from drdrill.runbook.port import Ended

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from drdrill.plan.runbook import Work

_TAIL_BYTES, _TAIL_LINES = 4096, 8
_NOT_STARTED = 127  # a shell's status for a program that is not there
_CALL = """\
import importlib, sys
module, _, name = sys.argv[1].partition(":")
sys.path.insert(0, "")
answer = getattr(importlib.import_module(module), name)()
sys.exit(0 if answer or (answer is None and sys.argv[2] == "act") else 1)
"""


def command_of(work: Work, *, look: bool) -> list[str]:
    """Return the command of a piece of work, to do it or to look whether it is done."""
    if work.command is not None:
        return list(work.command)
    if work.python is not None:
        return [sys.executable, "-P", "-c", _CALL, work.python, "look" if look else "act"]
    if work.terraform is not None:
        # Status 2 of a plan with `-detailed-exitcode`: something would change. A look must not lock the state.
        verb = ["plan", "-detailed-exitcode", "-lock=false"] if look else ["apply", "-auto-approve"]
        return ["terraform", f"-chdir={work.terraform}", *verb, "-input=false", "-no-color"]
    if work.manifests is not None:
        return ["kubectl", "diff" if look else "apply", "-R", "-f", work.manifests]
    raise ValueError("a gate is not run")


class OperatorHost:
    """Starts what steps do in the folder `root` of the drill repository; what it prints goes to `directory`."""

    def __init__(self, root: Path, directory: Path, *, variables: Mapping[str, str]) -> None:
        self._root, self._logs, self._locks = root, directory / "logs", directory / "running"
        self._variables = dict(variables)
        self._looks: dict[str, int] = {}
        for folder in (self._logs, self._locks):
            folder.mkdir(parents=True, exist_ok=True)

    def act(self, step: str, work: Work) -> HostProgram:
        """Start what a step does."""
        lock = self._open_lock(step)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # shared with the process, which keeps it
            return HostProgram(
                command_of(work, look=False),
                self._log(step, "act"),
                root=self._root,
                lock=lock,
                variables=self._variables,
            )
        finally:
            os.close(lock)

    def look(self, step: str, work: Work) -> HostProgram:
        """Start what observes whether a step is done."""
        return HostProgram(
            command_of(work, look=True), self._log(step, "look"), root=self._root, variables=self._variables
        )

    def still_acts(self, step: str) -> bool:
        """Say whether a process that did this step, or one that it started, lives on."""
        lock = self._open_lock(step)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
        return False

    def _open_lock(self, step: str) -> int:
        return os.open(self._locks / f"{step}.lock", os.O_RDWR | os.O_CREAT, 0o644)

    def _log(self, step: str, what: str) -> Path:
        return self._logs / f"{step}.{what}.log"


class HostProgram:
    """A process on this machine, and its log."""

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        *,
        root: Path,
        variables: Mapping[str, str],
        lock: int | None = None,
    ) -> None:
        self._log = log
        self._failure = ""
        self._process: subprocess.Popen[bytes] | None = None
        with log.open("ab") as output:
            self._begins = output.tell()
            try:
                self._process = subprocess.Popen(
                    command,
                    cwd=root,
                    env=dict(variables),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    pass_fds=() if lock is None else (lock,),
                )
            except OSError as error:
                self._failure = f"`{command[0]}` could not be started: {error.strerror}"

    def __repr__(self) -> str:
        return f"HostProgram({self._log.name})"

    def read_end(self) -> Ended | None:
        """Return how it ended; None while it runs."""
        if self._process is None:
            return Ended(_NOT_STARTED, self._failure)
        status = self._process.poll()
        return None if status is None else Ended(status, self._read_tail(), f"logs/{self._log.name}")

    def stop(self, *, at_once: bool) -> None:
        """Send SIGINT to it and all that it started, at which Terraform saves its state, or SIGKILL."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL if at_once else signal.SIGINT)

    def _read_tail(self) -> str:
        with self._log.open("rb") as stream:
            end = stream.seek(0, os.SEEK_END)
            stream.seek(max(self._begins, end - _TAIL_BYTES))
            lines = stream.read().decode(errors="replace").strip().splitlines()
        return "\n".join(lines[-_TAIL_LINES:])
