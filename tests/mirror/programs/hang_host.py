"""Run as a world's first process: pauses a host on which something runs in a PID namespace of its own, as pods do.

Prints JSON: how many processes were stopped and woken, and the states (`/proc/PID/stat`) that they came to.
"""

import contextlib
import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from drdrill.core.waiting import wait_until
from drdrill.mirror.host import WorldHost

WITHIN, EVERY = timedelta(seconds=20), timedelta(milliseconds=10)


def read_states() -> dict[str, str]:
    """Return the state of each `sleep` in the world by what it sleeps for: T is stopped."""
    states = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):  # it ended meanwhile
                command = (folder / "cmdline").read_bytes().split(b"\0")
                if command[0] == b"sleep":
                    states[command[1].decode()] = (folder / "stat").read_text().rpartition(")")[2].split()[0]
    return states


host = WorldHost("node", "", "", "", Path(sys.argv[1]))
host.boot()
log = Path(sys.argv[1]) / "log"
nested = 'unshare --pid --fork sh -c "sleep 1002 & echo up; sleep 1003" & sleep 1001'
outside = subprocess.Popen(["sleep", "1000"])
started = host.spawn(["sh", "-c", nested], log=log)


def await_states(*wanted: str) -> dict[str, str]:
    """Wait until the four sleepers, or those that are left, are in these states, and return them."""

    def look() -> dict[str, str] | None:
        states = read_states()
        return states if list(dict(sorted(states.items())).values()) == list(wanted) else None

    found = wait_until(look, what=f"states {wanted}", within=WITHIN, every=EVERY)
    assert found is not None
    return found


await_states("S", "S", "S", "S")
stopped = host.pause()
during = await_states("S", "T", "T", "T")
woken = host.resume()
after = await_states("S", "S", "S", "S")
killed = host.kill_all()
left = await_states("S")
started.wait()
host.cut()
host.await_end()
outside.kill()
answer = {
    "stopped": stopped,
    "woken": woken,
    "killed": killed,
    "during": during,
    "after": after,
    "left": left,
}
sys.stdout.write(json.dumps(answer))
