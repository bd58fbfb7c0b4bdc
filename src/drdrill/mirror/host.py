"""A host of the world: namespaces with an own address, process table, shared memory and data disk."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from drdrill.core.errors import CommandFailedError, EnvironmentFailedError
from drdrill.core.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_INIT = Path(__file__).with_name("host_init.py")
_NAMESPACES = ("--net", "--mount", "--pid", "--ipc", "--uts")
_NS_GET_PARENT = 0xB702  # of the kernel's nsfs.h
_LINGER_SECONDS = 0.5  # measured 10 ms
_STOPPED_WITHIN = timedelta(seconds=10)  # measured 10 ms: two looks
_LOOK_AGAIN = timedelta(milliseconds=1)
_RUNS = frozenset("RS")  # or would at once: anything else is stopped, dead, or in the kernel's hands
UNPRIVILEGED = ("unshare", "--user", "--map-user=1000", "--map-group=1000")


def program_environment(disk: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of programs on a host: nothing of the caller's own gets in."""
    return {
        "PATH": os.environ.get("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
        "HOME": str(disk),
        "TMPDIR": str(disk),
        "LC_ALL": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        **(extra or {}),
    }


class WorldHost:
    """One host, as the supervisor holds it. Implements `dataplane.host.Host`.

    `disk` is a tmpfs of a stated size mounted in the world, so it survives the host's power cut.
    """

    def __init__(self, name: str, region: str, zone: str, address: str, disk: Path) -> None:
        self.name = name
        self.region = region
        self.zone = zone
        self.address = address
        self.disk = disk
        self._unshare: subprocess.Popen[str] | None = None
        self._ending: subprocess.Popen[str] | None = None
        self._paused = False
        self._ending_init: int | None = None
        self.init_pid: int | None = None  # in the world's process table

    def __repr__(self) -> str:
        return f"WorldHost({self.name}, {self.zone}, {self.address})"

    @property
    def powered(self) -> bool:
        """Whether it has power."""
        unshare = self._unshare  # read once: another thread may be cutting it, or booting it
        return unshare is not None and self.init_pid is not None and unshare.poll() is None

    def boot(self) -> None:
        """Give it power: fresh namespaces and an init. The network is attached by whoever owns the network."""
        self.await_end()
        unshare = subprocess.Popen(
            ["unshare", *_NAMESPACES, "--fork", "--kill-child", "--mount-proc",
             sys.executable, "-I", "-S", str(_INIT), self.name],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, env=program_environment(self.disk),
        )  # fmt: skip
        assert unshare.stdout is not None  # noqa: S101  (a pipe was asked for)
        with unshare.stdout as said:
            if said.readline() != "up\n":
                unshare.kill()  # and its child with it
                unshare.wait()
                raise EnvironmentFailedError(f"host {self.name} did not boot; the supervisor's log says why.")
        children = Path(f"/proc/{unshare.pid}/task/{unshare.pid}/children").read_text(encoding="ascii")
        self.init_pid = int(children.split()[0])
        self._unshare = unshare  # last: who sees that it has power starts programs on it

    def cut(self) -> None:
        """Take its power away: its init dies, and the kernel ends everything else on it. Harmless when it is off.

        Returns at once; `await_end` waits for the last process, which takes 10 ms.
        """
        if self._unshare is not None and self.init_pid is not None and self.powered:
            os.kill(self.init_pid, signal.SIGKILL)
            if self._paused:
                # The kernel waits until all are reaped, and what entered a paused host is stopped, and reaps nobody.
                self._signal(self._find_entrants(self.init_pid), signal.SIGCONT)
            self._ending, self._ending_init = self._unshare, self.init_pid
        self._unshare = self.init_pid = None
        self._paused = False

    def await_end(self) -> None:
        """Wait until nothing is left of what ran before its power was cut."""
        if self._ending is not None:
            try:
                self._ending.wait(_LINGER_SECONDS)
            except subprocess.TimeoutExpired:
                # Somebody stopped a program on it by a signal: what entered for it stopped itself, and reaps nobody.
                self._signal(self._find_entrants(self._ending_init), signal.SIGCONT)
                self._ending.wait()

    def kill_all(self) -> int:
        """Kill every process on it but its init, and return how many there were."""
        return self._signal(self._find_processes(), signal.SIGKILL)

    def pause(self) -> int:
        """Stop every process on it but its init, and return how many there were: they keep all that they have.

        What is started while others are being stopped is found by the next look, until one finds nothing that runs.
        Raises `NotObservedError` when something cannot be stopped.
        """
        self._paused = True
        stopped: set[int] = set()

        def stop() -> bool:
            found = self._find_processes()
            running = [pid for pid in found if pid not in stopped or _read_state(pid) in _RUNS]
            self._signal(running, signal.SIGSTOP)
            stopped.update(running)
            return not running

        what = f"a host {self.name} on which nothing runs"
        wait_until(stop, what=what, within=_STOPPED_WITHIN, every=_LOOK_AGAIN)
        return len(stopped)

    def resume(self) -> int:
        """Let every process on it go on that was stopped, and return how many there were."""
        # What entered it has stopped itself when its child was stopped, and lets its child go on with itself.
        self._paused = False
        return self._signal((*self._find_processes(), *self._find_entrants(self.init_pid)), signal.SIGCONT)

    def _find_processes(self) -> tuple[int, ...]:
        """Return what runs on it, pods included, but its init: by their ids in the world's process table."""
        init = self.init_pid
        if init is None or not self.powered:
            return ()
        return tuple(pid for pid in _list_processes() if pid != init and _lies_in(pid, init))

    def _find_entrants(self, init: int | None) -> tuple[int, ...]:
        """Return the programs of ours that entered it and wait outside for what they started inside."""
        needle = f"--target\0{init}\0".encode()
        return tuple(pid for pid in _list_processes() if needle in _read_command(pid))

    def _signal(self, processes: Iterable[int], number: signal.Signals) -> int:
        signalled = 0
        for pid in processes:
            with contextlib.suppress(ProcessLookupError):  # it ended meanwhile
                os.kill(pid, number)
                signalled += 1
        return signalled

    def run(
        self, command: Sequence[str], *, within: timedelta, environment: Mapping[str, str] | None = None
    ) -> str:
        """Run a program to its end and return what it wrote; raises `CommandFailedError`."""
        try:
            done = subprocess.run(
                [*self._enter(), *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                text=True, errors="replace", cwd="/", timeout=within.total_seconds(), check=False,
                env=program_environment(self.disk, environment),
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise CommandFailedError(
                command, -signal.SIGKILL, f"ended by us: not done within {within.total_seconds():g} s"
            ) from error
        if done.returncode:
            raise CommandFailedError(command, done.returncode, done.stdout)
        return done.stdout

    def spawn(
        self, command: Sequence[str], *, log: Path, unprivileged: bool = False
    ) -> subprocess.Popen[bytes]:
        """Start a program; its output goes to `log`. `unprivileged`: under a uid that is not 0."""
        with log.open("ab") as stream:
            return subprocess.Popen(
                [*self._enter(), *(UNPRIVILEGED if unprivileged else ()), *command],
                stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT, cwd="/",
                start_new_session=True, env=program_environment(self.disk),
            )  # fmt: skip

    def spawn_piped(self, command: Sequence[str], *, log: Path) -> subprocess.Popen[str]:
        """Start a program that is talked to over its standard input and output; its errors go to `log`."""
        with log.open("ab") as stream:
            return subprocess.Popen(
                [*self._enter(), *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stream, text=True,
                cwd="/", start_new_session=True, env=program_environment(self.disk),
            )  # fmt: skip

    def _enter(self) -> list[str]:
        if not self.powered or self.init_pid is None:
            raise EnvironmentFailedError(f"host {self.name} has no power.")
        return ["nsenter", "--target", str(self.init_pid), *_NAMESPACES, "--"]


def _list_processes() -> Iterator[int]:
    return (int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdigit())


def _lies_in(pid: int, init: int) -> bool:
    """Say whether a process is in the PID namespace of another one, or in one inside that, as those of pods are."""
    with contextlib.ExitStack() as opened:
        try:
            wanted = Path(f"/proc/{init}/ns/pid").stat().st_ino
            namespace = opened.enter_context(Path(f"/proc/{pid}/ns/pid").open("rb", buffering=0)).fileno()
            while os.fstat(namespace).st_ino != wanted:
                namespace = fcntl.ioctl(namespace, _NS_GET_PARENT)
                opened.callback(os.close, namespace)
        except OSError:  # it ended meanwhile, or that was the outermost that can be seen from here
            return False
    return True


def _read_state(pid: int) -> str:
    """Return the letter of a process's state (proc(5)); X: it ended meanwhile."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2][1]
    except OSError:
        return "X"


def _read_command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it ended meanwhile
        return b""
