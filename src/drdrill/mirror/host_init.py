"""The first process of a host: gives it its own view of the machine, then waits for orphans until it is killed.

Run by path with `python -I -S`, in fresh namespaces, so it imports nothing of drdrill. Arguments: the host's name.
Killing this process is the host's power cut: the kernel ends everything in its PID namespace.
"""

import os
import signal
import socket
import subprocess
import sys


def main() -> None:
    """Set the host up, say so on standard output, and reap."""
    socket.sethostname(sys.argv[1])
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=1777", "none", "/dev/shm"], check=True)  # noqa: S108
    sys.stdout.write("up\n")
    sys.stdout.flush()
    os.close(1)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        try:
            os.wait()
        except ChildProcessError:
            signal.sigtimedwait([signal.SIGCHLD], 60)


if __name__ == "__main__":
    # Blocked before the first child can end, so that no wake-up is lost between `wait` and `sigtimedwait`.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
    main()
