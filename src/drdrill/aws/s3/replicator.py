"""What is to be replicated, how far it is, and what became of it: the state of all buckets with rules.

It carries nothing by itself: `take_arrived` says what has come over the link between two regions, `carry` makes one of
it at its destination; `Movers` calls both. So what is pending is known at every moment, a region's loss included.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from drdrill.aws.keeping import NotKeptError
from drdrill.aws.s3.carrier import Outcome, Result
from drdrill.aws.s3.change import Change, ChangeKind
from drdrill.aws.s3.crossing import Crossing
from drdrill.aws.s3.model import Backlog, KeptReplication, Status
from drdrill.core.clock import NANOSECONDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drdrill.aws.s3.change import Version
    from drdrill.aws.s3.ports import Carries, Links
    from drdrill.aws.s3.replication_metrics import ReplicationMetrics
    from drdrill.aws.s3.rules import Configuration, Rule
    from drdrill.core.clock import Clock


@dataclass(slots=True)
class _Tally:
    replicated: int = 0
    failed: int = 0
    last_seconds: float | None = None


class Replicator:
    """Thread-safe."""

    def __init__(self, carrier: Carries, links: Links, clock: Clock, metrics: ReplicationMetrics) -> None:
        self._carrier = carrier
        self._links = links
        self._clock = clock
        self._metrics = metrics
        self._lock = threading.RLock()
        self._configurations: dict[str, Configuration] = {}
        self._crossings: defaultdict[tuple[str, str], Crossing] = defaultdict(Crossing)
        self._pending: dict[Change, None] = {}  # in the order of entering
        self._open: Counter[Version] = Counter()  # destinations that a version is pending for
        self._status: dict[Version, Status] = {}
        self._taken: dict[Version, tuple[Rule, ...]] = {}
        self._replicas: dict[tuple[Version, str], str] = {}  # a version's id at a destination
        self._tallies: defaultdict[tuple[str, str], _Tally] = defaultdict(_Tally)  # by bucket and rule
        self.entered = threading.Event()  # something is to be moved

    def configure(self, configuration: Configuration) -> None:
        """Put a bucket's rules in force for what is written from now on."""
        with self._lock:
            self._configurations[configuration.bucket] = configuration
        self.entered.set()

    def forget(self, bucket: str) -> None:
        """Have a bucket's rules take nothing more; what they took goes on."""
        with self._lock:
            self._configurations.pop(bucket, None)

    def find_configuration(self, bucket: str) -> Configuration | None:
        """Return a bucket's rules."""
        with self._lock:
            return self._configurations.get(bucket)

    def find_status(self, version: Version) -> Status | None:
        """Return the replication status of a version; None: replication has nothing to do with it."""
        with self._lock:
            return self._status.get(version)

    def take(
        self,
        kind: ChangeKind,
        source: Version,
        region: str,
        rules: Sequence[Rule],
        size_bytes: int,
        *,
        parts: tuple[int, ...] = (),
    ) -> None:
        """Note a change that these rules take; it is pending when this returns. `parts`: the numbers of an object's."""
        now_ns = self._clock.now_ns()
        if not rules:
            return
        with self._lock:
            self._status[source] = Status.PENDING
            self._taken[source] = tuple(rules)
            for rule in rules:
                change = Change(kind, source, region, rule, size_bytes, now_ns, parts)
                self._pending[change] = None
                self._open[source] += 1
                self._crossings[region, rule.destination_region].enter(change, now_ns)
        self.entered.set()

    def note_failed(self, source: Version, region: str, rules: Sequence[Rule]) -> None:
        """Note an object that these rules may take, of which nobody can tell whether they do."""
        now_ns = self._clock.now_ns()
        with self._lock:
            self._status[source] = Status.FAILED
            for rule in rules:
                self._tallies[source.bucket, rule.identifier].failed += 1
        for rule in rules:
            change = Change(ChangeKind.OBJECT, source, region, rule, 0, now_ns)
            self._metrics.note(change, 0.0, failed=True)

    def take_tags(self, source: Version, region: str) -> None:
        """Note that the tags of a version were changed, if that one is replicated."""
        with self._lock:
            failed = self._status.get(source) is Status.FAILED  # there is no replica to be tagged
            rules = () if failed else self._taken.get(source, ())
        self.take(ChangeKind.TAGS, source, region, rules, 0)

    def take_arrived(self) -> list[Change]:
        """Let time pass on all links, and return what has arrived at the other end, in order."""
        with self._lock:
            now_ns = self._clock.now_ns()
            arrived = []
            for (source, destination), crossing in self._crossings.items():
                condition = self._links.condition(source, destination)
                if self._links.is_dark(destination):
                    condition = replace(condition, cut=True)
                dark = self._links.is_dark(source)
                arrived += crossing.take_arrived(now_ns, condition, dark=dark)
            return arrived

    def is_dark(self, region: str) -> bool:
        """Tell whether a region is lost."""
        return self._links.is_dark(region)

    def may_carry(self, change: Change) -> bool:
        """Tell whether both ends of a change's way are there, and hear each other."""
        source, destination = change.region, change.rule.destination_region
        lost = self._links.is_dark(source) or self._links.is_dark(destination)
        return not lost and not self._links.condition(source, destination).cut

    def carry(self, change: Change) -> None:
        """Make a change that has arrived; raises `UpstreamError` when it must be tried again, or be given up."""
        with self._lock:
            replica_id = self._replicas.get((change.source, change.rule.destination))
            # Before it can be read: whoever sees a replica sees that it is one.
            expected = replace(change.source, bucket=change.rule.destination)
            if change.kind is ChangeKind.OBJECT:
                self._status.setdefault(expected, Status.REPLICA)
        outcome = self._carrier.carry(change, replica_id)
        seconds = (self._clock.now_ns() - change.at_ns) / NANOSECONDS
        with self._lock:
            self._conclude(change, outcome, seconds)
        self._metrics.note(change, seconds, failed=outcome.result is Result.FAILED)

    def give_up(self, change: Change) -> None:
        """Note that a change cannot be made: it has failed, and stays so."""
        with self._lock:
            self._conclude(change, Outcome(Result.FAILED), 0.0)
        self._metrics.note(change, 0.0, failed=True)

    def _conclude(self, change: Change, outcome: Outcome, seconds: float) -> None:
        self._pending.pop(change, None)
        self._open[change.source] -= 1
        tally = self._tallies[change.source.bucket, change.rule.identifier]
        if outcome.result is Result.REPLICATED:
            tally.replicated += 1
            tally.last_seconds = seconds
        if outcome.replica is not None:
            self._replicas[change.source, change.rule.destination] = outcome.replica.version_id
            self._status[outcome.replica] = Status.REPLICA
        if outcome.result is Result.FAILED:
            tally.failed += 1
            self._status[change.source] = Status.FAILED
        elif self._status.get(change.source) is Status.PENDING and not self._open[change.source]:
            self._status[change.source] = Status.COMPLETED

    def backlogs(self) -> tuple[Backlog, ...]:
        """Return what is pending now, for each rule that is in force or has something under way."""
        with self._lock:
            rules = {
                (one.bucket, rule.identifier): (one.region, rule)
                for one in self._configurations.values()
                for rule in one.rules
            }
            pending: defaultdict[tuple[str, str], list[Change]] = defaultdict(list)
            for change in self._pending:
                key = change.source.bucket, change.rule.identifier
                rules.setdefault(key, (change.region, change.rule))
                pending[key].append(change)
            return tuple(
                self._describe(key[0], region, rule, pending[key]) for key, (region, rule) in rules.items()
            )

    def _describe(self, bucket: str, region: str, rule: Rule, pending: Sequence[Change]) -> Backlog:
        tally = self._tallies[bucket, rule.identifier]
        return Backlog(
            bucket,
            region,
            rule.destination,
            rule.destination_region,
            rule.identifier,
            len(pending),
            sum(change.size_bytes for change in pending),
            min((change.at_ns for change in pending), default=None),
            tally.replicated,
            tally.failed,
            tally.last_seconds,
        )

    def measure(self) -> None:
        """Put the metrics of all rules that have them; of a source that is dark nobody knows anything."""
        now_ns = self._clock.now_ns()
        with self._lock:
            measured = {
                (one.bucket, rule.identifier)
                for one in self._configurations.values()
                for rule in one.rules
                if rule.enabled and rule.metrics and not self._links.is_dark(one.region)
            }
        for backlog in self.backlogs():
            if (backlog.bucket, backlog.rule) in measured:
                self._metrics.put(backlog, now_ns)

    @property
    def idle(self) -> bool:
        """Tell whether nothing is pending."""
        with self._lock:
            return not self._pending

    def keep(self) -> KeptReplication:
        """Return what there is to know; raises `NotKeptError` while something is pending."""
        with self._lock:
            if self._pending:
                raise NotKeptError(f"{len(self._pending)} changes of objects are not replicated yet.")
            configurations = tuple(self._configurations.values())
            return KeptReplication(
                configurations, dict(self._status), dict(self._taken), dict(self._replicas)
            )

    def restore(self, kept: KeptReplication) -> None:
        """Go on from what was kept."""
        with self._lock:
            self._status.update(kept.status)
            self._taken.update(kept.taken)
            self._replicas.update(kept.replicas)
        for configuration in kept.configurations:
            self.configure(configuration)
