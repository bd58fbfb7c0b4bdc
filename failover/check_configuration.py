"""Look that Terraform has nothing to change after the failover.

    python -m failover.check_configuration [--without-names]

Every root that does not stand in the lost region is planned, the recovery region with production's size; without names
that of the names is left out, whose plan asks Route 53's API. It changes nothing, and is its own verification.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from failover._looking import make_parser
from failover._telling import StoppedError, run
from failover.scale_up import Ended, run_roots

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NAMES = "global"
ROOTS = ("state", "foundation/recovery", "platform/recovery", NAMES)
_WANTED = ["--set", "capacity=production"]
_CHANGES = 2  # the exit status of a plan that would change something


def observe(wanted: Sequence[str] = ROOTS, roots: Callable[[Sequence[str]], Ended] = run_roots) -> None:
    """Plan the wanted ones; raises `StoppedError` when one would change something, or cannot be planned."""
    ended = roots(["plan", *wanted, *_WANTED])
    if ended.status == _CHANGES:
        raise StoppedError(
            "Terraform would change something: what it prints above says what.\n"
            "What to do: bring the configuration to what is there, and push it; never apply the old one."
        )
    if ended.status:
        raise StoppedError(
            f"{ended.said}\nWhat to do: put right what Terraform says. Then run the same command again."
        )


def main() -> None:
    """Look."""
    parser = make_parser("Look that Terraform has nothing to change after the failover.")
    parser.add_argument(
        "--without-names", action="store_true", help="leave names out: Route 53's API is not asked"
    )
    asked = parser.parse_args()
    observe([root for root in ROOTS if root != NAMES or not asked.without_names])


if __name__ == "__main__":
    run(main)
