"""How long the company's whole system takes to come up: built by its own Terraform, and made again of what was kept.

Built once in the run, in a folder of kept systems of its own; then taken down and made again, round after round. With
`--cold` Kubernetes' programs are built in the run, too, with nothing compiled, as on a machine that never built them.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from pathlib import Path

from _figures import Figure, Reference, median, print_figures, round_all, say
from drdrill.core.cache import cache_root
from drdrill.core.errors import MissingPrerequisiteError
from drdrill.mirror.control import Control
from drdrill.mirror.directory import find_mirror
from drdrill.mirror.terraform import find_terraform

AGAIN, BUILT = 20.0, 720.0
_WITHIN_SECONDS = 1200.0  # measured 4 min, 9 on a machine with load 20
_LAUNCHER = Path("drdrill")
_METHOD = (
    "From starting `drdrill env up` to its end, with every part available and the services serving; taken down after "
    "each round; median. Reference: the same command where nothing was kept, once."
)


def main() -> None:
    """Build it, and make it again, in turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cold", action="store_true", help="build Kubernetes' programs, too")
    arguments = parser.parse_args()
    try:
        find_terraform(os.environ)
    except MissingPrerequisiteError as error:
        print_figures(
            "system", [Figure("whole system, made again", None, "s", "lower", str(error), [], AGAIN)]
        )
        return
    with tempfile.TemporaryDirectory() as folder:
        variables = {**os.environ, "XDG_CACHE_HOME": folder}
        own = cache_root(variables)
        own.mkdir()
        for there in cache_root(os.environ).iterdir():  # programs that were built once serve here as well
            if there.name != "systems" and not (arguments.cold and there.name == "kubernetes"):
                (own / there.name).symlink_to(there)
        if arguments.cold:
            variables["GOCACHE"] = f"{folder}/go-build"
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
    before = "nothing of Kubernetes was compiled" if arguments.cold else "Kubernetes' programs were there"
    print_figures(
        "system",
        [
            Figure(
                "whole system, made again", median(again), "s", "lower", _METHOD, round_all(again), AGAIN, reference
            ),
            Figure(
                f"whole system, built{' with Kubernetes' if arguments.cold else ''}", reference.value, "s", "lower",
                f"The same command where nothing was kept, once; {before}.", [reference.value], BUILT,
            ),
            Figure(
                "whole system, memory", median(memory), "MB", "lower",
                "What `drdrill env status` says once it is up: processes, shared pages counted once, and hosts' disks.",
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
        memory = Control(find_mirror(Path.cwd(), name).control).ask("memory")
        return seconds, sum(sum(each.values()) for each in (memory["own"], *memory["hosts"].values()))
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
