"""Starting the processes of a pod: a container's first, and others in a container that runs."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import signal
import socket
from typing import TYPE_CHECKING, NoReturn

from drdrill.mirror import kernel
from drdrill.mirror.kubernetes.runtime.pod.identity import take_identity
from drdrill.mirror.kubernetes.runtime.pod.root_filesystem import enter_root
from drdrill.mirror.kubernetes.runtime.pod.terminal import open_terminal, take_controlling_terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from drdrill.mirror.kubernetes.runtime.pod.launch import Launch

NOT_STARTED = 128  # containerd's exit status of a container whose program could not be started
_SIGNALLED = 128
_MOST_FILES = 1024
_LONGEST_REASON = 4096


def start_pause() -> int:
    """Start the first process of the pod's own PID namespace: it reaps the pod's orphans."""
    own = os.open("/proc/self/ns/pid", os.O_RDONLY)
    kernel.unshare(kernel.CLONE_NEWPID)
    pid = os.fork()
    if pid == 0:
        kernel.name_process("pause")
        kernel.die_with_parent(signal.SIGKILL)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps
        os.closerange(0, 1024)
        while True:
            signal.pause()
    kernel.enter_namespace(own, kernel.CLONE_NEWPID)
    os.close(own)
    return pid


def start_container(
    launch: Launch, streams: Sequence[int], processes_of: int | None
) -> tuple[int, int | None]:
    """Start a container and return its process id and, where it has one, the controlling end of its terminal.

    `streams` are its standard input, output and errors where it has no terminal; `processes_of` is a process in whose
    PID namespace it shall be. Raises OSError with the reason why it did not start.
    """
    own_processes = os.open("/proc/self/ns/pid", os.O_RDONLY)
    if processes_of is not None:
        with _namespace(processes_of, "pid") as descriptor:
            kernel.enter_namespace(descriptor, kernel.CLONE_NEWPID)
    elif launch.processes == "own":
        kernel.unshare(kernel.CLONE_NEWPID)
    channel, said = socket.socketpair()
    try:
        pid = os.fork()
        if pid == 0:
            channel.close()
            _run_in_child(said, lambda: _become_container(launch, streams, said))
    finally:
        said.close()
        kernel.enter_namespace(
            own_processes, kernel.CLONE_NEWPID
        )  # children to come are the keeper's own again
        os.close(own_processes)
    return pid, _expect_program(channel, pid)


def _become_container(launch: Launch, streams: Sequence[int], said: socket.socket) -> NoReturn:
    kernel.unshare(kernel.CLONE_NEWNS)
    kernel.die_with_parent(signal.SIGKILL)
    if _is_deserted(said):  # the keeper died before that request: nobody would end this process
        os._exit(NOT_STARTED)
    enter_root(launch)
    _take_streams([open_terminal(said)] * 3 if launch.terminal else streams, terminal=launch.terminal)
    kept = None if launch.privileged else launch.capabilities
    take_identity(launch.user, launch.group, kept, forbid_new_privileges=launch.forbid_new_privileges)
    os.makedirs(launch.working_directory, exist_ok=True)  # noqa: PTH103
    os.chdir(launch.working_directory)
    _execute(launch.arguments, launch.environment)


def start_beside(
    launch: Launch, first: int, arguments: Sequence[str], streams: list[int], size: tuple[int, int] | None
) -> tuple[int, int | None]:
    """Start a program in a running container, on a terminal of a size or with streams.

    Return the id of the process that waits for it and ends like it, and the controlling end of its terminal.
    """
    channel, said = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        channel.close()
        _run_in_child(said, lambda: _wait_for_program(launch, first, arguments, size or streams, said))
    said.close()
    return pid, _expect_program(channel, pid)


def _wait_for_program(
    launch: Launch,
    first: int,
    arguments: Sequence[str],
    streams: list[int] | tuple[int, int],
    said: socket.socket,
) -> NoReturn:
    kernel.die_with_parent(signal.SIGKILL)
    with (
        _namespace(first, "pid") as processes,
        _namespace(first, "mnt") as mounts,
        _namespace(first, "user") as user,
    ):
        other_user = os.readlink(f"/proc/{first}/ns/user") != os.readlink("/proc/self/ns/user")  # noqa: PTH115
        kernel.enter_namespace(processes, kernel.CLONE_NEWPID)
        kernel.enter_namespace(mounts, kernel.CLONE_NEWNS)
        terminal = isinstance(streams, tuple)
        taken = [open_terminal(said, streams)] * 3 if isinstance(streams, tuple) else streams
        pid = os.fork()
        if pid == 0:
            _take_streams(taken, terminal=terminal)
            if other_user:
                kernel.enter_namespace(user, kernel.CLONE_NEWUSER)
            kept = None if launch.privileged or other_user else launch.capabilities
            take_identity(0, 0, kept, forbid_new_privileges=launch.forbid_new_privileges)
            os.chdir(launch.working_directory)
            _execute(arguments, launch.environment)
    os.closerange(3, _MOST_FILES)  # the keeper's connections and pipes are not this process's to hold open
    os._exit(read_exit_code(os.waitpid(pid, 0)[1]))


def read_exit_code(status: int) -> int:
    """Return a wait status as Kubernetes shows it: 128 + the signal for whoever was killed."""
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else _SIGNALLED - code


def _take_streams(streams: Sequence[int], *, terminal: bool) -> None:
    for number, stream in enumerate(streams):
        os.dup2(stream, number, inheritable=True)
    os.setsid()
    if terminal:
        take_controlling_terminal()


def _execute(arguments: Sequence[str], environment: dict[str, str]) -> NoReturn:
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and what is ignored is inherited
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    os.umask(0o022)
    program = _find_program(arguments[0], environment)
    try:
        os.execve(program, list(arguments), environment)  # noqa: S606  (that is what this is for)
    except OSError as error:
        raise OSError(error.errno, f'exec: "{arguments[0]}": {(error.strerror or "").lower()}') from error


def _find_program(name: str, environment: dict[str, str]) -> str:
    """Return where a program is; raises OSError in the words of runc, which people search for."""
    if "/" in name:
        return name
    for folder in environment.get("PATH", os.defpath).split(":"):
        path = f"{folder or '.'}/{name}"
        if os.path.isfile(path) and os.access(path, os.X_OK):  # noqa: PTH113
            return path
    raise OSError(errno.ENOENT, f'exec: "{name}": executable file not found in $PATH')


def _run_in_child(said: socket.socket, become: Callable[[], NoReturn]) -> NoReturn:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        become()
    except BaseException as error:  # noqa: BLE001  (a forked child must not return into the keeper's code)
        words = f"{type(error).__name__}: {error}"
        if isinstance(error, OSError) and error.strerror:
            words = error.strerror + (f": {error.filename}" if error.filename else "")
        with contextlib.suppress(OSError):
            said.send(words.encode())
    os._exit(NOT_STARTED)


def _is_deserted(said: socket.socket) -> bool:
    poll = select.poll()
    poll.register(said, select.POLLOUT)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def _expect_program(channel: socket.socket, pid: int) -> int | None:
    """Return when the child runs its program, which closes the channel, with the terminal that came over it.

    Raises OSError with what the child says instead.
    """
    words, terminals = b"", []
    with channel:
        while True:
            said, files, _, _ = socket.recv_fds(channel, _LONGEST_REASON, 1)
            if not said:
                break
            terminals += files
            words += b"" if files else said
    for terminal in terminals:
        os.set_inheritable(terminal, False)
    if words:
        os.waitpid(pid, 0)
        for terminal in terminals:
            os.close(terminal)
        raise OSError(words.decode(errors="replace"))
    return terminals[0] if terminals else None


@contextlib.contextmanager
def _namespace(pid: int, kind: str) -> Iterator[int]:
    descriptor = os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
