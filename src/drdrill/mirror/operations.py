"""What the supervisor does when it is asked over the control socket: look, break, heal, sample, stop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drdrill.core.errors import UsageError
from drdrill.environment.port import StoreRole
from drdrill.mirror.sampling import Sampling

if TYPE_CHECKING:
    from drdrill.aws.rds import RdsRegion
    from drdrill.aws.rds.reconciler import Reconciler
    from drdrill.core.clock import Clock
    from drdrill.mirror.network import Network

Answer = Mapping[str, Any]


class Operations:
    """The operations, by name in `table`. Each is called from a thread of the control server."""

    def __init__(
        self,
        mirror: str,
        network: Network,
        rds: Mapping[str, RdsRegion],
        clock: Clock,
        stop: Callable[[], None],
    ) -> None:
        self._mirror = mirror
        self._network = network
        self._rds = rds
        self._clock = clock
        self._stop = stop
        self._sampling = Sampling()
        for region in rds.values():
            region.on_reading = self._sampling.take

    def table(self) -> Mapping[str, Callable[..., Answer]]:
        """Return the operations by name."""
        return {
            "identity": self.identity,
            "hosts": self.hosts,
            "hosts_of": self.hosts_of,
            "stores": self.stores,
            "store": self.store,
            "cut_power": self.cut_power,
            "restore_power": self.restore_power,
            "restore_power_of": self.restore_power_of,
            "start_sampling": self.start_sampling,
            "stop_sampling": self.stop_sampling,
            "stop": self.stop,
        }

    def identity(self) -> Answer:
        """Say who this is. A mirror that drdrill built may be broken: that is what it is for."""
        return {"environment": "embedded", "instance": self._mirror, "expendable": True}

    def hosts(self) -> Answer:
        """List the hosts with zone, address, power, and init's pid in the world."""
        return {
            "hosts": [
                {
                    "name": host.name,
                    "region": host.region,
                    "zone": host.zone,
                    "address": host.address,
                    "powered": host.powered,
                    "init_pid": host.init_pid,
                }
                for host in self._network.hosts()
            ]
        }

    def stores(self) -> Answer:
        """Describe all database instances."""
        return {
            "stores": [
                self._describe(reconciler)
                for region in self._rds.values()
                for reconciler in region.instances()
            ]
        }

    def store(self, resource: str) -> Answer:
        """Describe one database instance as it is now."""
        return self._describe(self._find(resource))

    def cut_power(self, resource: str, role: str) -> Answer:
        """Cut the power of the host that holds `role` of a database instance now."""
        reconciler = self._find(resource)
        server = reconciler.primary if StoreRole(role) is StoreRole.PRIMARY else reconciler.standby
        if server is None:
            raise UsageError(f"{resource} has no {role} now.")
        host = self._network.find_host(server.host.name)
        if not host.powered:
            raise UsageError(f"the host {host.name} of the {role} of {resource} has no power already.")
        before_ns = self._clock.now_ns()
        self._network.power_off(host)
        reconciler.look_now()
        host.await_end()
        after_ns = self._clock.now_ns()
        return {
            "resource": host.name,
            "before_ns": before_ns,
            "after_ns": after_ns,
            "details": {"address": host.address, "zone": host.zone},
        }

    def restore_power(self, host: str) -> Answer:
        """Give a host its power back; what its owner starts on it then is the owner's."""
        try:
            found = self._network.find_host(host)
        except KeyError:
            return {"powered": False, "reason": f"the host {host} does not exist any more"}
        self._network.power_on(found)
        for region in self._rds.values():
            for reconciler in region.instances():
                reconciler.notice_power(found.name)
        return {"powered": True}

    def restore_power_of(self, resource: str) -> Answer:
        """Give every dark host of a database instance its power back."""
        dark = [host["name"] for host in self.hosts_of(resource)["hosts"] if not host["powered"]]
        for name in dark:
            self.restore_power(name)
        return {"powered": True, "restored": dark}

    def hosts_of(self, resource: str) -> Answer:
        """List the hosts that a database instance has now, those that it lost included."""
        names = self._find(resource).host_names
        return {"hosts": [host for host in self.hosts()["hosts"] if host["name"] in names]}

    def start_sampling(self, resource: str, output: str) -> Answer:
        """Append every reading of an instance's replication to a file, while whoever asks holds it."""
        self._sampling.start(self._find(resource).record.arn, Path(output))
        return {}

    def stop_sampling(self) -> Answer:
        """Stop all sampling."""
        self._sampling.stop()
        return {}

    def stop(self) -> Answer:
        """End the world, a moment after this answer is on its way."""
        threading.Timer(0.05, self._stop).start()
        return {}

    def _find(self, resource: str) -> Reconciler:
        for region in self._rds.values():
            for reconciler in region.instances():
                if reconciler.record.identifier == resource:
                    return reconciler
        raise UsageError(f"there is no database instance `{resource}` in this mirror.")

    def _describe(self, reconciler: Reconciler) -> Answer:
        record, sync_state = reconciler.record, reconciler.sync_state()
        servers = (
            (StoreRole.PRIMARY, reconciler.primary, ""),
            (StoreRole.STANDBY, reconciler.standby, sync_state),
        )
        members = [
            {
                "host": server.host.name,
                "zone": server.host.zone,
                "address": server.host.address,
                "role": role.value,
                "sync_state": state,
            }
            for role, server, state in servers
            if server is not None
        ]
        events = [
            {"at_ns": event.at_ns, "code": event.code, "message": event.message}
            for event in self._rds[record.region].events()
            if event.identifier == record.identifier
        ]
        return {
            "resource": record.identifier,
            "region": record.region,
            "status": record.status.value,
            "endpoint": record.endpoint,
            "members": members,
            "protected": record.secondary_zone is not None and sync_state == "sync",
            "promotions": sum(event["code"] == "RDS-EVENT-0049" for event in events),
            "events": events,
        }
