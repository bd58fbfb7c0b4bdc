"""What RDS keeps of the databases of all regions: their records, and a base backup of each that has no source.

Read replicas are made of their sources again, standbys of their primaries. Backups are not kept: a database that is
made again takes its first one, so that no backup is older than the mirror that it is restored in.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg

from drdrill.aws.errors import AwsError
from drdrill.aws.keeping import NotKeptError
from drdrill.aws.rds.instances import make_instance
from drdrill.aws.rds.model import Status
from drdrill.aws.rds.snapshots import SnapshotKind
from drdrill.core.waiting import wait_until
from drdrill.dataplane.postgresql_backup import verify_backup

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from drdrill.aws.rds.model import InstanceRecord
    from drdrill.aws.rds.parameter_groups import ParameterGroup
    from drdrill.aws.rds.reconciler import Reconciler
    from drdrill.aws.rds.region import RdsRegion
    from drdrill.aws.rds.subnet_groups import SubnetGroup
    from drdrill.dataplane.postgresql import PostgresServer

_QUIET_WITHIN = timedelta(minutes=2)  # measured 1 to 3 s: the first backups
_THERE_WITHIN = timedelta(minutes=2)  # measured 3 s for two databases with standby and replica
_POLL = timedelta(milliseconds=50)


@dataclass(frozen=True, slots=True)
class KeptRegion:
    """What RDS knows in one region."""

    instances: tuple[InstanceRecord, ...]
    parameter_groups: tuple[ParameterGroup, ...]
    subnet_groups: tuple[SubnetGroup, ...]


class RdsKeeper:
    """Keeps the databases of these regions. Implements `drdrill.aws.keeping.Keeper`."""

    name = "rds"
    after: tuple[str, ...] = ()

    def __init__(self, regions: Mapping[str, RdsRegion]) -> None:
        self._regions = regions

    def keep(self, folder: Path) -> Mapping[str, KeptRegion]:
        """Wait until nothing is under way, back up every database, and return what is known of all."""
        everyone = self._everyone()
        _await_quiet(everyone, within=_QUIET_WITHIN)
        for region in self._regions.values():
            if any(one.kind is SnapshotKind.MANUAL for one in region.snapshots.all()):
                raise NotKeptError(
                    f"a system with manual snapshots cannot be kept, and {region.name} has some."
                )
        there = {reconciler.record.arn for reconciler in everyone}
        for reconciler in everyone:
            record, primary = reconciler.record, reconciler.primary
            if primary is None or record.source_arn not in (None, *there):
                raise NotKeptError(f"{record.identifier} has no server, or follows a database that is gone.")
            if record.source_arn is None:
                primary.back_up(folder / record.resource_id)
        return {
            name: KeptRegion(
                tuple(one.record for one in region.instances()),
                region.parameter_groups.own(),
                region.subnet_groups.all(),
            )
            for name, region in self._regions.items()
        }

    def restore(self, kept: Mapping[str, KeptRegion], folder: Path) -> None:
        """Make every database of its backup, then its replicas; returns when all are available."""
        for name, region in kept.items():
            for parameters in region.parameter_groups:
                self._regions[name].parameter_groups.add(parameters)
            for subnets in region.subnet_groups:
                self._regions[name].subnet_groups.add(subnets)
        records = [record for region in kept.values() for record in region.instances]
        made: dict[str, Reconciler] = {}
        for record in records:
            if record.source_arn is None:
                made[record.arn] = self._begin(record, _fill_from(folder / record.resource_id))
        for record in records:
            if record.source_arn is not None:
                source = made[record.source_arn]
                _await_quiet([source], within=_THERE_WITHIN)
                self._begin(record, source)
        _await_quiet(self._everyone(), within=_THERE_WITHIN)

    def _begin(
        self, record: InstanceRecord, origin: Callable[[PostgresServer], None] | Reconciler
    ) -> Reconciler:
        region = self._regions[record.region]
        # Replicas say themselves that they follow, and the log is stored anew.
        new = replace(
            record, status=Status.CREATING, replica_arns=(), replication=None, latest_restorable=None
        )
        try:
            return region.add(new.identifier, lambda: make_instance(new, region, origin=origin))
        except AwsError as error:
            raise NotKeptError(f"{record.identifier} in {record.region}: {error}") from error

    def _everyone(self) -> list[Reconciler]:
        return [one for region in self._regions.values() for one in region.instances()]


def _fill_from(backup: Path) -> Callable[[PostgresServer], None]:
    def fill(server: PostgresServer) -> None:
        verify_backup(backup)
        try:
            server.start_from(backup)
        except psycopg.Error as error:
            raise NotKeptError(f"{server} does not start from what was kept: {error}") from error

    return fill


def _await_quiet(reconcilers: Sequence[Reconciler], *, within: timedelta) -> None:
    """Wait until all are available and nothing is pending; raises `NotKeptError` for one that failed."""

    def all_quiet() -> bool:
        for one in reconcilers:
            if one.record.status in (Status.FAILED, Status.INCOMPATIBLE_RESTORE):
                raise NotKeptError(f"the database {one.record.identifier} is {one.record.status}.")
        return all(
            one.record.status is Status.AVAILABLE and not one.record.pending.names() for one in reconcilers
        )

    what = f"databases at rest ({', '.join(one.record.identifier for one in reconcilers)})"
    wait_until(all_quiet, what=what, within=within, every=_POLL)
