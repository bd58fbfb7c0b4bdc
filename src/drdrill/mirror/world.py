"""The world as seen from outside: starting it, entering its hosts, ending it, clearing away what a crash left.

A world hangs on a lifeline: a pipe whose writing end only the process holds that started it. However that process
dies, the supervisor reads the end of it, ends, and the kernel ends every process, mount and namespace of the world. A
world that is to stand by itself is let go of only when it is built and noted as such, so there is no moment at which
one is left that nobody knows of.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drdrill.core.errors import ControlLostError, EnvironmentFailedError
from drdrill.core.process import ProcessId
from drdrill.core.waiting import wait_until
from drdrill.mirror.control import Control
from drdrill.mirror.directory import MirrorDirectory, find_outer_pid, hold_mirrors, list_mirrors
from drdrill.mirror.seed import Seed

if TYPE_CHECKING:
    from collections.abc import Mapping

_READY_WITHIN_SECONDS = 60.0  # measured 0.9 s, 5 s on a loaded machine
_STOP_WITHIN = timedelta(seconds=20)  # measured 0.2 s
_KILLED_WITHIN = timedelta(seconds=10)
_POLL = timedelta(milliseconds=20)


class World:
    """A running world. Made by `start`, or by `attach` to a standing one."""

    def __init__(
        self,
        directory: MirrorDirectory,
        process: ProcessId,
        lifeline: int | None = None,
        child: subprocess.Popen[str] | None = None,
    ) -> None:
        self._child = child
        self.directory = directory
        self.process = process
        self._lifeline = lifeline
        self.control = Control(directory.control)

    @classmethod
    def start(
        cls, directory: MirrorDirectory, settings: Mapping[str, Any], seed: Seed | None = None
    ) -> World:
        """Start a world of this process in its new directory; return when it is ready. `seed`: one that waits.

        Raises `EnvironmentFailedError` with the supervisor's last words; nothing is left then.
        """
        seed = seed or Seed()
        with seed:
            identity = ProcessId.read(seed.process.pid)
            if identity is None:
                raise EnvironmentFailedError("the mirror's world ended at once.")
            directory.write_owner(world=identity, owner=ProcessId.read_own())
            seed.tell(directory.path, settings)
            _await_ready(seed, directory)
            return cls(directory, identity, seed.take(), child=seed.process)

    def let_go(self) -> None:
        """Let the world stand by itself: noted first, so that whoever finds it knows whose it is."""
        self.directory.write_owner(world=self.process, owner=None)
        if self._lifeline is not None:
            os.write(self._lifeline, b".")
            os.close(self._lifeline)
            self._lifeline = None

    @classmethod
    def attach(cls, directory: MirrorDirectory) -> World:
        """Return a standing world; raises `ControlLostError` when it does not live."""
        process = directory.read_world()
        if process is None or not process.lives():
            raise ControlLostError(
                f"the mirror {directory.name} does not run. `drdrill env status` lists those that do."
            )
        return cls(directory, process)

    def entry(self, host: str) -> list[str]:
        """Return the command that runs what follows on a host of this world."""
        hosts = {h["name"]: h for h in self.control.ask("hosts")["hosts"]}
        if host not in hosts:
            raise EnvironmentFailedError(
                f"this mirror has no host `{host}`; it has {', '.join(sorted(hosts))}."
            )
        pid = find_outer_pid(self.process, hosts[host]["init_pid"]) if hosts[host]["powered"] else None
        if pid is None:
            raise EnvironmentFailedError(f"the host `{host}` has no power.")
        return [
            "nsenter", "--target", str(pid), "--user", "--preserve-credentials", "--net", "--mount", "--pid",
            "--ipc", "--uts", "--",
        ]  # fmt: skip

    def stop(self) -> None:
        """End the world, gently if it listens, and wait until its processes are gone."""
        try:
            self.control.ask("stop")
        except (ControlLostError, EnvironmentFailedError):
            self._kill()
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None
        try:
            self._await_end(_STOP_WITHIN)
        except Exception:  # noqa: BLE001  (whatever keeps it, it must end)
            self._kill()
            self._await_end(_KILLED_WITHIN)

    def _kill(self) -> None:
        if self.process.lives():
            os.kill(self.process.pid, signal.SIGKILL)

    def _await_end(self, within: timedelta) -> None:
        child = self._child
        if child is not None:
            wait_until(
                lambda: child.poll() is not None, what="the end of the world", within=within, every=_POLL
            )
        wait_until(lambda: not self.process.lives(), what="the end of the world", within=within, every=_POLL)


def _await_ready(seed: Seed, directory: MirrorDirectory) -> None:
    stdout = seed.process.stdout
    assert stdout is not None  # noqa: S101  (a pipe was asked for)
    with selectors.DefaultSelector() as selector, stdout as said:
        selector.register(said, selectors.EVENT_READ)
        if not selector.select(_READY_WITHIN_SECONDS):
            raise EnvironmentFailedError(
                f"the mirror's supervisor was not ready after {_READY_WITHIN_SECONDS:g} s; "
                f"see {directory.supervisor_log}."
            )
        line = said.readline()
    answer = (
        json.loads(line)
        if line.startswith("{")
        else {"error": f"it ended without a word. {seed.read_early_words()}{_tail(directory)}"}
    )
    if "error" in answer:
        raise EnvironmentFailedError(f"the mirror could not be built: {answer['error']}")


def _tail(directory: MirrorDirectory) -> str:
    log = directory.supervisor_log
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return "Its log ends:\n" + "\n".join(lines[-8:]) if lines else ""


def clear_remains(root: Path) -> tuple[str, ...]:
    """Remove mirrors whose owner was killed, and return a sentence about each.

    A mirror that lives, or that somebody is just making, is left alone; and so is one that stood by itself and ended:
    its logs say why, and whoever brought it up takes it down.
    """
    return tuple(filter(None, (_clear(directory) for directory in list_mirrors(root))))


def _clear(directory: MirrorDirectory) -> str:
    with hold_mirrors(directory.path.parent):  # not between a directory's beginning and the note of its maker
        world, owner = directory.read_world(), directory.read_owner()
    if owner is None and world is not None:
        return ""
    if owner is not None and owner.lives():
        return ""
    if world is not None and world.lives():
        World(directory, world).stop()
    directory.remove()
    return f"found the remains of mirror {directory.name}: the run that owned it was killed; its directory is removed."


def take_down(directory: MirrorDirectory) -> None:
    """End a mirror's world, if it lives, and remove its directory."""
    world = directory.read_world()
    if world is not None and world.lives():
        World(directory, world).stop()
    directory.remove()


def signal_children(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Signal what `nsenter` started: it waits for its child and does not pass signals on."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    with contextlib.suppress(OSError):  # it ended meanwhile
        for child in children.read_text(encoding="ascii").split():
            os.kill(int(child), number)


def ask_to_end(process: subprocess.Popen[bytes], grace: timedelta) -> None:
    """Ask the program behind an entered host to end, where it may take a while, and wait for that."""
    if grace:
        signal_children(process, signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(grace.total_seconds())
