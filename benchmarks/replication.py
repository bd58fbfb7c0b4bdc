"""How fast objects are replicated to the other region, beside a loop of boto3 that copies the same ones.

The link is cut while a bucket is filled, and mended: what is measured is a backlog's way over a link that costs
nothing, small objects for their number and large ones for their bytes. Both read and write the same store; the loop
reaches it as every client does, through the gate with TLS.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from _figures import Figure, Reference, median, print_figures, round_all, say
from drdrill.core.waiting import wait_until
from drdrill.mirror.embedded import Embedded
from drdrill.plan import load_plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drdrill.plan.model import Plan

_LOOP = Path(__file__).with_name("_bucket_loop.py")
_WITHIN = timedelta(minutes=5)  # measured 1 to 20 s
_EVERY = timedelta(milliseconds=5)
_SOURCE, _REPLICA, _COPY = "bench-source", "bench-replica", "bench-copy"
_MEGABYTE = 1e6


@dataclass(frozen=True, slots=True)
class Load:
    """So many objects of one size."""

    name: str
    count: int
    size: int


SMALL, LARGE = Load("small", 200, 1000), Load("large", 10, 8 << 20)


@dataclass(slots=True)
class Samples:
    """Seconds of each round, by load."""

    replicated: dict[str, list[float]] = field(default_factory=lambda: {"small": [], "large": []})
    copied: dict[str, list[float]] = field(default_factory=lambda: {"small": [], "large": []})


def main() -> None:
    """Replicate and copy in turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    samples = Samples()
    with tempfile.TemporaryDirectory(prefix="drdrill-replication-") as name, _mirror(Path(name)) as mirror:
        for number in range(1, rounds + 1):
            for load in (SMALL, LARGE):
                prefix = f"{load.name}/{number}/"
                samples.replicated[load.name].append(mirror.replicate(prefix, load))
                samples.copied[load.name].append(mirror.copy(prefix))
                say(
                    f"round {number} of {rounds}: {load.count} {load.name} objects replicated in "
                    f"{samples.replicated[load.name][-1]:.2f} s, copied in {samples.copied[load.name][-1]:.2f} s"
                )
    print_figures("replication", _figures(samples))


@contextlib.contextmanager
def _mirror(folder: Path) -> Iterator[_Mirror]:
    """Bring a mirror up in which nothing else is: it is built by a script that builds nothing."""
    for name in ("environments", "scenarios"):
        shutil.copytree(name, folder / name)
    (folder / "environments" / "embedded" / "build.py").write_text("", encoding="utf-8")
    plan = load_plan(folder / "scenarios" / "plan.yaml")
    with Embedded(folder, plan) as environment:
        yield _Mirror(environment, plan)


class _Mirror:
    """A mirror with a bucket that is replicated, and one to copy into."""

    def __init__(self, environment: Embedded, plan: Plan) -> None:
        self._environment = environment
        self._control = environment.world.control
        self._first, self._second = plan.regions.primary.name, plan.regions.recovery.name
        for bucket, region in ((_SOURCE, self._first), (_REPLICA, self._second), (_COPY, self._second)):
            self._run("make", bucket, region)
        self._environment.run_for_operator(
            [sys.executable, "-c", _RULES, _SOURCE, self._first, _REPLICA], within=_WITHIN
        )

    def replicate(self, prefix: str, load: Load) -> float:
        """Fill the source while the link is cut, and return the seconds from its mending until nothing is pending."""
        ends = (self._first, self._second)
        self._control.ask("shape_link", source=ends[0], destination=ends[1], cut=True)
        self._run("fill", _SOURCE, self._first, prefix, str(load.count), str(load.size))
        if self._read_pending() != load.count:
            raise RuntimeError(f"{self._read_pending()} objects are pending, not {load.count}.")
        self._control.ask("restore_link", source=ends[0], destination=ends[1])
        began = time.perf_counter()
        wait_until(lambda: self._read_pending() == 0, what="an empty backlog", within=_WITHIN, every=_EVERY)
        return time.perf_counter() - began

    def copy(self, prefix: str) -> float:
        """Copy what was replicated to another bucket, and return the seconds of the loop."""
        return float(self._run("copy", _SOURCE, self._first, prefix, _COPY, self._second))

    def _read_pending(self) -> int:
        (backlog,) = self._control.ask("object_backlog", bucket=_SOURCE)["backlogs"]
        if backlog["failed"]:
            raise RuntimeError(f"{backlog['failed']} objects could not be replicated.")
        return int(backlog["pending"])

    def _run(self, *arguments: str) -> str:
        command = [sys.executable, str(_LOOP), *arguments]
        return self._environment.run_for_operator(command, within=_WITHIN).strip()


_RULES = """
import sys, boto3
source, region, destination = sys.argv[1:]
rule = {"Status": "Enabled", "Prefix": "", "Destination": {"Bucket": f"arn:aws:s3:::{destination}"}}
boto3.client("s3", region_name=region).put_bucket_replication(
    Bucket=source,
    ReplicationConfiguration={"Role": "arn:aws:iam::000000000000:role/replication", "Rules": [rule]},
)
"""


def _figures(samples: Samples) -> list[Figure]:
    figures = []
    for load, unit, amount in (
        (SMALL, "objects/s", float(SMALL.count)),
        (LARGE, "MB/s", LARGE.count * LARGE.size / _MEGABYTE),
    ):
        replicated = [amount / seconds for seconds in samples.replicated[load.name]]
        copied = [amount / seconds for seconds in samples.copied[load.name]]
        what = f"{load.count} objects of {load.size} bytes"
        reference = Reference("loop of boto3", median(copied), unit)
        ratios = [one / other for one, other in zip(replicated, copied, strict=True)]
        figures += [
            Figure(
                f"replicated {unit} ÷ copied", median(ratios), "ratio", "higher",
                f"{what}: a backlog's way to the other region ÷ a loop that gets and puts them; median of the pairs.",
                round_all(ratios), 1.0, reference,
            ),
            Figure(
                f"{load.name} objects replicated", median(replicated), unit, "higher",
                f"{what}, from the mending of a cut link until nothing is pending; median.",
                round_all(replicated),
            ),
        ]  # fmt: skip
    return figures


if __name__ == "__main__":
    main()
