"""The parameters of one instance: its group's values, given to its servers when RDS would give them.

A dynamic parameter that is changed `immediate` is in force a moment later. Everything else, and all of a group that
the instance did not have before, waits for a reboot (RDS User Guide, "DB parameter groups").

::

    in-sync ──group changed──▶ applying ──▶ in-sync, or pending-reboot ──reboot──▶ in-sync
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.dataplane.postgresql_parameters import read_parameters

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drdrill.aws.rds.instance import Instance
    from drdrill.dataplane.postgresql import PostgresServer

IN_SYNC, APPLYING, PENDING_REBOOT = "in-sync", "applying", "pending-reboot"


class ParameterKeeper:
    """Keeps an instance's servers at what its group says. Called from the reconciler's thread alone."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._group = instance.region.parameter_groups.find(instance.record.parameter_group)
        self._seen = self._group.version
        self._newly_associated = False
        self._untold = False  # something changed since the instance last said how it stands
        instance.parameters = self._group.values()

    def keep(self, servers: Iterable[PostgresServer | None]) -> None:
        """Look once and act once; raises psycopg's error while a server does not answer."""
        instance = self._instance
        name = instance.record.parameter_group
        in_force = dict(instance.parameters)
        if name and name != self._group.name:
            self._group = instance.region.parameter_groups.find(name)
            self._seen, self._newly_associated, self._untold = self._group.version, True, True
        version = self._group.version
        if version != self._seen:
            self._untold = True
            for parameter, value in self._group.changed_since(self._seen).items():
                if value is None:
                    in_force.pop(parameter, None)
                else:
                    in_force[parameter] = value
        for server in servers:
            if server is not None and server.parameters != in_force:
                server.use_parameters(in_force, now=True)
        instance.parameters, self._seen = in_force, version
        if self._untold:
            self._tell(version)

    def take_all(self) -> bool:
        """Be told that the instance starts anew: all values are its own from now on; true if static ones changed."""
        instance = self._instance
        before = instance.parameters
        if instance.record.parameter_group not in ("", self._group.name):
            self._group = instance.region.parameter_groups.find(instance.record.parameter_group)
        self._seen = self._group.version
        instance.parameters = self._group.values()
        self._newly_associated = False
        known = read_parameters()
        changed = dict(before.items() ^ instance.parameters.items())
        return any(known[name].static for name in changed)

    def settle(self) -> None:
        """Be told that the new start is over."""
        self._tell(self._seen)

    def _tell(self, version: int) -> None:
        same = not self._newly_associated and self._instance.parameters == self._group.values()
        status = IN_SYNC if same else PENDING_REBOOT
        self._untold = False
        # A deadlock is not possible: who changes a group takes its lock before an instance's, too.
        self._group.settle(version, lambda: self._instance.set(parameter_status=status))
