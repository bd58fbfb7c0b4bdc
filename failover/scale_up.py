"""Give the recovery region production's size, by Terraform: `python -m failover.scale_up [--look]`.

Nodes come first, by AWS's API: Terraform leaves their number alone, and AWS refuses it a minimum above that number.
Terraform's state is in the recovery region. With `--look` nothing changes: exit status 0 when its plan is empty.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from failover._looking import make_parser
from failover._places import SYSTEM, reach
from failover._state_lock import give_up, read_lock, was_left_behind
from failover._telling import StoppedError, run
from failover.restore_autoscaling import make_room, read_wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from failover._state_lock import Lock

_ROOT = "platform/recovery"
_WANTED = [_ROOT, "--set", "capacity=production"]
_CHANGES = 2  # the exit status of a plan that would change something


@dataclass(frozen=True, slots=True)
class Ended:
    """How Terraform ended."""

    status: int
    said: str


def run_once(arguments: Sequence[str]) -> Ended:
    """Run the program that applies the company's roots; what it prints meanwhile is shown."""
    command = [sys.executable, str(SYSTEM / "terraform" / "roots.py"), *arguments]
    ended = subprocess.run(command, check=False, stderr=subprocess.PIPE, text=True)
    return Ended(ended.returncode, ended.stderr.strip())


def run_roots(
    arguments: Sequence[str],
    run: Callable[[Sequence[str]], Ended] = run_once,
    *,
    left: Callable[[Lock], bool] = was_left_behind,
) -> Ended:
    """Run it, and again where this machine's death had left a lock."""
    given_up: set[str] = set()
    while True:
        ended = run(arguments)
        lock = read_lock(ended.said) if ended.status else None
        if lock is None or lock.identifier in given_up or not left(lock):
            return ended
        give_up(lock)
        given_up.add(lock.identifier)


def scale_up(roots: Callable[[Sequence[str]], Ended] = run_roots) -> None:
    """Apply production's size; what has it stays as it is."""
    ended = roots(["apply", *_WANTED])
    if ended.status:
        raise StoppedError(_explain(ended.said))


def observe(roots: Callable[[Sequence[str]], Ended] = run_roots) -> None:
    """Return when there is nothing to change; raises `StoppedError` otherwise."""
    ended = roots(["plan", *_WANTED])
    if ended.status == _CHANGES:
        raise StoppedError(f"{_ROOT} has not production's size yet: Terraform's plan would change it.")
    if ended.status:
        raise StoppedError(_explain(ended.said))


def _explain(said: str) -> str:
    """Say what to do; of a locked state, who holds the lock."""
    lock = read_lock(said)
    if lock is None:
        return (
            f"{said}\nWhat to do: put right what Terraform says. Then run the same command again: it goes on."
        )
    return (
        f"{said}\nTerraform's state is locked by {lock.who} ({lock.operation}, since {lock.created}).\n"
        "What to do: ask them, or wait: an apply that runs on ends by itself. Only if it certainly died: "
        f"`terraform force-unlock {lock.identifier}` in the root {_ROOT}. Then run the same command again."
    )


def main() -> None:
    """Scale up, or look."""
    asked = make_parser("Give the recovery region production's size.").parse_args()
    if asked.look:
        observe()
    else:
        make_room(reach("eks"), read_wanted(reach("ssm")))
        scale_up()


if __name__ == "__main__":
    run(main)
