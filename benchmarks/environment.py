"""How long `drdrill env up --only databases` takes, warm, beside the bare servers that a mirror cannot do without.

Each round brings a mirror up by the command line, as people do, and takes it down; then it makes and starts two
bare PostgreSQL servers, the second one a base backup of the first. What the first round warms is not counted.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import time
from pathlib import Path

from _bare import BareServer
from _figures import Figure, Reference, median, print_figures, round_all, say

TARGET = 3.0
_WITHIN_SECONDS = 120.0  # measured 3 s
_LAUNCHER = Path("drdrill")


def main() -> None:
    """Bring the mirror and the bare servers up, in turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    mirrors: list[float] = []
    bare: list[float] = []
    for number in range(arguments.rounds + 1):
        up, servers = _bring_up(), _start_servers()
        say(f"round {number} of {arguments.rounds}: up in {up:.2f} s; bare servers in {servers:.2f} s")
        if number:
            mirrors.append(up)
            bare.append(servers)
    figure = Figure(
        name="databases up, warm",
        value=median(mirrors),
        unit="s",
        target=TARGET,
        better="lower",
        method=(
            "From starting the command to its end, with the mirror up and its database available; taken down after "
            "each round; one round before is not counted; median. Reference, in turns: initdb and start of a bare "
            "primary, base backup and start of a standby."
        ),
        samples=round_all(mirrors),
        reference=Reference("two bare servers", median(bare), "s"),
    )
    print_figures("environment", [figure])


def _bring_up() -> float:
    """Return the seconds that it takes; the mirror is down again then."""
    name = f"bench-{os.getpid()}"
    began = time.perf_counter()
    try:
        _drdrill("env", "up", "--only", "databases", "--name", name)
        return time.perf_counter() - began
    finally:
        _drdrill("env", "down", "--name", name)


def _drdrill(*arguments: str) -> None:
    command = [str(_LAUNCHER.resolve()), *arguments]  # as people start it: it sees to what Python compiled
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_WITHIN_SECONDS,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"`drdrill {' '.join(arguments)}` ended with {done.returncode}: {done.stderr}")


def _start_servers() -> float:
    began = time.perf_counter()
    with BareServer("primary") as primary, BareServer("standby", upstream=primary) as standby:
        primary.require_synchronous(standby)
        return time.perf_counter() - began


if __name__ == "__main__":
    main()
