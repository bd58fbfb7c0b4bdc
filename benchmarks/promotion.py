"""How long the promotion of a read replica in another region lasts at a client, beside PostgreSQL's bare promotion.

In a mirror whose failure detection is zero, the machine of a database without a standby loses power. An operator
promotes its replica in the other region through AWS's API, while a client on the users' machine tries to write to it.
In turns with it two bare servers: the primary is killed, its asynchronous standby promoted, the same client's loop.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from _bare_promotion import promote_bare
from _figures import Figure, Reference, median, print_figures, round_all, say
from _impatient import impatient_mirror
from drdrill.core.clock import NANOSECONDS, SystemClock
from drdrill.core.waiting import wait_until
from drdrill.environment.port import FaultRequest, StoreRole
from drdrill.load.workload import Workload, load_workload

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drdrill.mirror.embedded import Embedded

_WORKLOAD = Path("environments/embedded/workload.yaml")
_PROMOTER = Path(__file__).with_name("_promoter.py")
_WRITER = Path(__file__).with_name("_patient_writer.py")
_WITHIN = timedelta(seconds=60)  # measured 1 to 3 s
_EVERY = timedelta(milliseconds=20)
_SETTLED_SECONDS = 1.0
_CLOCK = SystemClock()


@dataclass(frozen=True, slots=True)
class Promotion:
    """Seconds from the call of PromoteReadReplica: to its answer, to the first accepted write, to `available`."""

    answered: float
    written: float
    available: float

    def __str__(self) -> str:
        return (
            f"answered after {self.answered * 1e3:.0f} ms, first write {self.written * 1e3:.0f} ms, "
            f"available {self.available * 1e3:.0f} ms"
        )


def main() -> None:
    """Promote in the mirror and on the bare servers, in turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    workload = load_workload(_WORKLOAD)
    promotions: list[Promotion] = []
    bare: list[float] = []
    with (
        tempfile.TemporaryDirectory(prefix="drdrill-promotion-") as folder,
        impatient_mirror(Path(folder)) as mirror,
    ):
        bench = _Bench(mirror, workload, Path(folder))
        for number in range(1, arguments.rounds + 1):
            bare.append(promote_bare(workload, synchronous=False))
            promotions.append(bench.promote(number))
            told = f"bare promotion {bare[-1] * 1e3:.0f} ms; mirror: {promotions[-1]}"
            say(f"round {number} of {arguments.rounds}: {told}")
    print_figures("promotion", _figures(promotions, bare))


def _figures(promotions: Sequence[Promotion], bare: Sequence[float]) -> list[Figure]:
    written, available = [one.written for one in promotions], [one.available for one in promotions]
    ratios = [ours / theirs for ours, theirs in zip(written, bare, strict=True)]
    reference = Reference("bare promotion", median(bare), "s")
    call = (
        "From calling PromoteReadReplica on the operator's machine, over a connection that is open, after the source's "
        "machine lost its power"
    )
    return [
        Figure(
            name="replica's promotion ÷ bare promotion",
            value=median(ratios), unit="ratio", better="lower", samples=round_all(ratios), reference=reference,
            method=(
                f"{call}, to the first accepted write of a client over an open connection, tried every 1 ms, ÷ from "
                "promoting a bare asynchronous standby to the same; in turns, median of the pairs."
            ),
        ),
        Figure(
            name="replica's promotion, first write",
            value=median(written), unit="s", better="lower", samples=round_all(written), reference=reference,
            method="The seconds of that ratio.",
        ),
        Figure(
            name="replica's promotion, available",
            value=median(available), unit="s", better="lower", samples=round_all(available), reference=reference,
            method=(
                f"{call}, until the SDK's waiter, every 20 ms, says available: most of it is a first backup, if that "
                "begins before the waiter looks."
            ),
        ),
    ]  # fmt: skip


class _Bench:
    """Databases without a standby in a mirror, each lost for good, and their replicas, each promoted."""

    def __init__(self, mirror: Embedded, workload: Workload, folder: Path) -> None:
        self._mirror = mirror
        self._workload = workload
        self._folder = folder

    def promote(self, number: int) -> Promotion:
        """Make a database and its replica, cut the power of the database's machine for good, and promote."""
        mirror, workload = self._mirror, self._workload
        source, replica = f"bench-{number}", f"bench-{number}-replica"
        self._make_source(source)
        endpoint = str(self._operate("replica", replica, "--source", source)["endpoint"])
        log = self._folder / f"{replica}.log"
        statement = re.sub(r"\$[12]", "%s", workload.write)
        command = [sys.executable, str(_WRITER), endpoint, workload.user, workload.database, statement]
        mirror.start_client(replica, command, log=log)
        wait_until(lambda: "trying" in _read(log), what="a client that tries", within=_WITHIN, every=_EVERY)
        _CLOCK.sleep(_SETTLED_SECONDS)
        mirror.faults.inject(FaultRequest("host_power_loss", "", source, StoreRole.PRIMARY))
        said = self._operate("promote", replica)
        wait_until(lambda: len(_read(log).split()) > 1, what="a write", within=_WITHIN, every=_EVERY)
        mirror.stop_clients(within=_WITHIN)
        self._operate("remove", replica)
        called_ns = int(said["called_ns"])
        moments = (int(said["answered_ns"]), int(_read(log).split()[1]), int(said["available_ns"]))
        return Promotion(*((moment - called_ns) / NANOSECONDS for moment in moments))

    def _make_source(self, name: str) -> None:
        """Make a database without a standby, with the tables of the workload."""
        workload = self._workload
        made = self._operate("source", name, "--user", workload.user, "--database", workload.database)
        self._mirror.run_for_operator(
            ["psql", "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--host", str(made["endpoint"]),
             "--username", workload.user, "--dbname", workload.database, "--command", workload.schema_],
            within=_WITHIN,
        )  # fmt: skip

    def _operate(self, *arguments: str) -> dict[str, Any]:
        said = self._mirror.run_for_operator([sys.executable, str(_PROMOTER), *arguments], within=_WITHIN)
        answer: dict[str, Any] = json.loads(said)
        return answer


def _read(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")


if __name__ == "__main__":
    main()
