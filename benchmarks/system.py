"""How long the company's whole system takes to come up: built by its own Terraform, and made again of what was kept.

Built once in the run, in a folder of kept systems of its own; then taken down and made again, round after round.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from pathlib import Path

from _figures import Figure, Reference, median, print_figures, round_all, say
from _world import find_world, resident_bytes
from drdrill.core.cache import cache_root
from drdrill.core.errors import MissingPrerequisiteError
from drdrill.mirror.directory import find_mirror
from drdrill.mirror.terraform import find_terraform

TARGET = 15.0
_WITHIN_SECONDS = 1200.0  # measured 4 min, 9 on a machine with load 20
_LAUNCHER = Path("drdrill")
_METHOD = (
    "From starting `drdrill env up` to its end, with every part of the system available; taken down after "
    "each round; median. Reference: the same command where nothing was kept, once."
)


def main() -> None:
    """Build it, and make it again, in turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    try:
        find_terraform(os.environ)
    except MissingPrerequisiteError as error:
        print_figures(
            "system", [Figure("whole system, made again", None, "s", "lower", str(error), [], TARGET)]
        )
        return
    with tempfile.TemporaryDirectory() as folder:
        variables = {**os.environ, "XDG_CACHE_HOME": folder}
        own = cache_root(variables)
        own.mkdir()
        for there in cache_root(os.environ).iterdir():  # programs that were built once serve here as well
            if there.name != "systems":
                (own / there.name).symlink_to(there)
        built, _ = _bring_up(variables)
        say(f"built in {built:.0f} s")
        again: list[float] = []
        memory: list[float] = []
        for number in range(1, arguments.rounds + 1):
            seconds, resident = _bring_up(variables)
            again.append(seconds)
            memory.append(resident / 1e6)
            say(f"round {number} of {arguments.rounds}: again in {seconds:.1f} s, {resident / 1e6:.0f} MB")
    reference = Reference("built by Terraform", float(f"{built:.4g}"), "s")
    print_figures(
        "system",
        [
            Figure(
                "whole system, made again", median(again), "s", "lower", _METHOD, round_all(again), TARGET, reference
            ),
            Figure(
                "whole system, resident", median(memory), "MB", "lower",
                "Memory of all processes of the world once it is up; pages that several share are counted in each.",
                round_all(memory),
            ),
        ],
    )  # fmt: skip


def _bring_up(variables: dict[str, str]) -> tuple[float, int]:
    """Return the seconds that it takes, and the bytes that it holds; it is down again then."""
    name = f"bench-{os.getpid()}"
    began = time.perf_counter()
    try:
        _drdrill(variables, "env", "up", "--name", name)
        seconds = time.perf_counter() - began
        world = find_mirror(Path.cwd(), name).read_world()
        if world is None:
            raise RuntimeError(f"the mirror {name} is gone")
        return seconds, resident_bytes(find_world(world.pid))
    finally:
        _drdrill(variables, "env", "down", "--name", name)


def _drdrill(variables: dict[str, str], *arguments: str) -> None:
    done = subprocess.run(
        [str(_LAUNCHER.resolve()), *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_WITHIN_SECONDS,
        check=False,
        env=variables,
    )
    if done.returncode:
        raise RuntimeError(f"`drdrill {' '.join(arguments)}` ended with {done.returncode}: {done.stderr}")


if __name__ == "__main__":
    main()
