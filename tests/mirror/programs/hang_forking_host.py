"""Run as a world's first process: pauses a host on which programs start others all the time, as a database does.

Prints JSON: how many were stopped, and how many of what is on the host ran when it was paused and a moment later.
"""

import json
import sys
import time
from datetime import timedelta
from pathlib import Path

from drdrill.core.waiting import wait_until
from drdrill.mirror.host import WorldHost

WITHIN, EVERY = timedelta(seconds=20), timedelta(milliseconds=10)
FORKS = """
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
while True:
    if not os.fork():
        time.sleep(0.3)
        os._exit(0)
    time.sleep(0.0005)
"""


def read_states() -> list[str]:
    """Return the states of what the host's programs are, by `/proc/PID/stat`."""
    states = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
            state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if b"os.fork" in command and b"nsenter" not in command:
            states.append(state)
    return states


host = WorldHost("node", "", "", "", Path(sys.argv[1]))
host.boot()
for _ in range(2):
    host.spawn([sys.executable, "-I", "-c", FORKS], log=Path(sys.argv[1]) / "log")
wait_until(lambda: len(read_states()) > 100, what="programs", within=WITHIN, every=EVERY)
stopped = host.pause()
at_once = read_states()
time.sleep(0.1)
later = read_states()
host.resume()
host.cut()
host.await_end()
sys.stdout.write(
    json.dumps({"stopped": stopped, "at_once": sorted(set(at_once)), "later": sorted(set(later))})
)
