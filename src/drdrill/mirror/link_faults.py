"""Faults of the links from a database to its read replicas in other regions: delayed, throttled or cut.

A link is shaped by what serves it (`OutgoingLinks`). Whether that shows is seen from the other end, and never asked of
the link: how long an answer takes that comes over it, and how many bytes of the stream arrive. Runs in the supervisor.
"""

from __future__ import annotations

import json
import sys
from contextlib import closing
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psycopg

from drdrill.core.errors import EnvironmentFailedError, UsageError
from drdrill.dataplane.link import LinkCondition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from drdrill.aws.rds.reconciler import Reconciler
    from drdrill.aws.rds.replica_links import OutgoingLinks
    from drdrill.core.clock import Clock
    from drdrill.dataplane.postgresql import PostgresServer
    from drdrill.mirror.host import WorldHost

    Answer = Mapping[str, Any]

KINDS = frozenset({"link_delay", "link_throttle", "link_cut"})
_LOOK_WITHIN = timedelta(seconds=30)
_ANSWER_BEYOND_SECONDS = 1.0  # what an answer may take besides the delay: measured 0.05 s
_WATCHED_SECONDS = 1.0  # how long arriving bytes are counted: the mirror's users write ten times a second


class LinkFaults:
    """The operations, by name in `table`. Each is called from a thread of the control server.

    `find` returns the reconciler of a database instance, `everyone` all of them, `links_of` the links out of a region,
    `bystander` a machine in a zone that belongs to nobody.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        find: Callable[[str], Reconciler],
        everyone: Callable[[], Sequence[Reconciler]],
        links_of: Callable[[str], OutgoingLinks],
        bystander: Callable[[str], WorldHost],
    ) -> None:
        self._clock = clock
        self._find = find
        self._everyone = everyone
        self._links_of = links_of
        self._bystander = bystander

    def table(self) -> Mapping[str, Callable[..., Answer]]:
        """Return the operations by name."""
        return {"inject_link": self.inject, "heal_link": self.heal, "look_at_link": self.look}

    def inject(self, kind: str, resource: str, amount: str) -> Answer:
        """Shape every link from a database to another region; raises `UsageError` when it has no replica there."""
        wanted = read_condition(kind, amount)
        source = self._find(resource)
        replicas = list(self._replicas_elsewhere(source))
        if not replicas:
            raise UsageError(f"{resource} has no read replica in another region now.")
        region, links = source.record.region, self._links_of(source.record.region)
        before_ns = self._clock.now_ns()
        regions = sorted({one.record.region for one in replicas})
        was = {name: asdict(links.shape(name, wanted)) for name in regions}
        return {
            "resource": f"link-{region}-{'-'.join(regions)}",
            "before_ns": before_ns,
            "after_ns": self._clock.now_ns(),
            "details": {
                "source": resource,
                "region": region,
                "replicas": [one.record.identifier for one in replicas],
                "condition": asdict(wanted),
                "was": was,
            },
        }

    def heal(self, source: str, region: str | None = None) -> Answer:
        """Have all links out of the database's region be as usual; `region`: where it was, whatever became of it."""
        region = region or self._find(source).record.region
        regions = sorted({one.record.region for one in self._everyone()} - {region})
        return {"was": {name: asdict(self._links_of(region).shape(name, None)) for name in regions}}

    def look(self, source: str, patience_seconds: float, region: str | None = None) -> Answer:
        """Look at all links out of a database from their other ends; none where no replica streams over one now.

        Where it was renamed or deleted since, those out of every database of its `region` are looked at.
        """
        try:
            sources = [self._find(source)]
        except UsageError:
            if region is None:
                raise
            sources = [one for one in self._everyone() if one.record.region == region]
        links = self._links_of(region or sources[0].record.region)
        looks = []
        for of in sources:
            for one in self._replicas_elsewhere(of):
                port = None if of.primary is None else links.port_of(one.record.region, of.primary)
                if of.primary is None or port is None or one.primary is None:
                    continue
                looks.append(self._look_over(of.primary, port, one.primary, patience_seconds))
        return {"usual": asdict(links.usual), "looks": looks}

    def _look_over(
        self, writer: PostgresServer, port: int, reader: PostgresServer, patience_seconds: float
    ) -> Answer:
        waits = f"{patience_seconds + _ANSWER_BEYOND_SECONDS:g}"
        command = [sys.executable, "-m", "drdrill.load.reach", writer.host.address, str(port), waits]
        answer = json.loads(self._bystander(reader.host.zone).run(command, within=_LOOK_WITHIN))
        return {"replica": reader.host.name, "answer": answer, "stream": _watch_stream(writer, reader)}

    def _replicas_elsewhere(self, source: Reconciler) -> Iterator[Reconciler]:
        for one in self._everyone():
            if one.record.source_arn == source.record.arn and one.record.region != source.record.region:
                yield one


def read_condition(kind: str, amount: str) -> LinkCondition:
    """Return how a link is under a fault; raises `UsageError` for an amount that says nothing."""
    # 0.13 s that a mirror would come up later: what reads people's files brings their schemas along.
    from drdrill.mirror.configuration import parse_size  # noqa: PLC0415
    from drdrill.plan.duration import parse_duration  # noqa: PLC0415

    try:
        match kind:
            case "link_delay":
                seconds = parse_duration(amount).total_seconds()
                if seconds <= 0:
                    raise ValueError("a time above zero was expected")  # noqa: TRY301 (said below)
                return LinkCondition(delay_seconds=seconds)
            case "link_throttle":
                return LinkCondition(bytes_per_second=parse_size(amount))
            case _:
                return LinkCondition(cut=True)
    except ValueError as error:
        raise UsageError(f"`{amount}` does not say how much a {kind} is to be: {error}.") from error


def _watch_stream(source: PostgresServer, replica: PostgresServer) -> dict[str, float]:
    """Count what of the source's log arrives at the replica in a while, and what is still on its way then."""
    received = (
        "select extract(epoch from clock_timestamp())::float8, pg_last_wal_receive_lsn() - '0/0'::pg_lsn"
    )
    try:
        with closing(replica.connect()) as own, closing(source.connect()) as asked:
            first = own.execute(received).fetchone()
            own.execute("select pg_sleep(%s)", (_WATCHED_SECONDS,))
            last = own.execute(received).fetchone()
            wrote = asked.execute("select pg_current_wal_flush_lsn() - '0/0'::pg_lsn").fetchone()
    except psycopg.Error as error:
        raise EnvironmentFailedError(f"a server did not tell how far its log is: {error}") from error
    assert first is not None  # noqa: S101  (a select without a table has one row)
    assert last is not None  # noqa: S101  (likewise)
    assert wrote is not None  # noqa: S101  (likewise)
    arrived = float(last[1] - first[1]) / float(last[0] - first[0])
    return {"bytes_per_second": round(arrived, 1), "behind_bytes": float(wrote[0] - last[1])}
