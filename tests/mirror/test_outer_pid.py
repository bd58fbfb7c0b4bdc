"""Which process outside a world is the first one of a host in it."""

from __future__ import annotations

import subprocess
import sys

from drdrill.core.process import ProcessId
from drdrill.mirror.directory import find_outer_pid

_LOOKS = 100
_NOBODY = 999_999
# A supervisor whose threads end one by one, as those of its gate do, and one host, which a younger thread has started.
_WORLD = """
import subprocess, sys, threading, time
for number in range(300):
    threading.Thread(target=time.sleep, args=(0.3 + number * 0.005,)).start()
def hold():
    host = subprocess.Popen(['unshare', '--pid', '--fork', '--kill-child', 'sleep', '60'])
    children = f'/proc/{host.pid}/task/{host.pid}/children'
    while not (found := open(children).read().split()):
        time.sleep(0.01)
    print(found[0], flush=True)
    sys.stdin.read()
threading.Thread(target=hold).start()
"""


def test_threads_that_end_hide_no_host() -> None:
    """A host is found at every look, however many threads of its supervisor end meanwhile; what is not there never."""
    command = [
        "unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc",
        sys.executable, "-c", _WORLD,
    ]  # fmt: skip
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            inner = int(process.stdout.readline())
            world = ProcessId.read(process.pid)
            assert world is not None
            found = {find_outer_pid(world, inner) for _ in range(_LOOKS)}
            assert len(found) == 1
            assert None not in found
            assert find_outer_pid(world, _NOBODY) is None
        finally:
            process.stdin.close()
            process.kill()
