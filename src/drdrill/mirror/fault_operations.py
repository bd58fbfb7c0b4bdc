"""What the supervisor does about faults when it is asked over the control socket: break, heal, look from inside."""

from __future__ import annotations

import json
import sys
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from drdrill.core.errors import UsageError
from drdrill.dataplane.postgresql_programs import PORT
from drdrill.environment.port import StoreRole
from drdrill.mirror.fault_injectors import make_injectors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drdrill.aws.rds.reconciler import Reconciler
    from drdrill.core.clock import Clock
    from drdrill.mirror.fault_injectors import Injector
    from drdrill.mirror.host import WorldHost
    from drdrill.mirror.network import Network

    Answer = Mapping[str, Any]

_LOOK_WITHIN = timedelta(seconds=10)
_LOOK_TIMEOUT_SECONDS = "0.5"  # a host of the mirror answers within 1 ms when it lives
_SMALL_DISK = 16 << 20
_TRY_TO_WRITE = 'if head -c 65536 /dev/zero > "$0/try"; then echo yes; else echo no; fi 2>&1; rm -f "$0/try"'


class FaultOperations:
    """The operations, by name in `table`. Each is called from a thread of the control server.

    `find` returns the reconciler of a database instance, `everyone` all of them.
    """

    def __init__(
        self,
        network: Network,
        clock: Clock,
        *,
        find: Callable[[str], Reconciler],
        everyone: Callable[[], Sequence[Reconciler]],
    ) -> None:
        self._network = network
        self._clock = clock
        self._find = find
        self._everyone = everyone
        self._injectors = make_injectors(network, self._look_now)
        self._making_bystanders = threading.Lock()

    def table(self) -> Mapping[str, Callable[..., Answer]]:
        """Return the operations by name."""
        return {
            "inject": self.inject,
            "heal": self.heal,
            "hosts_of": self.hosts_of,
            "bystander": self.bystander,
            "look_from_zone": self.look_from_zone,
            "read_disk": self.read_disk,
        }

    def inject(self, kind: str, resource: str, role: str) -> Answer:
        """Break the host that holds `role` of a database instance now, or all that hold one."""
        injector, reconciler = self._injector(kind), self._find(resource)
        hosts = self._choose(reconciler, StoreRole(role), every_member=injector.every_member)
        for host in hosts:
            if not host.powered:
                raise UsageError(f"the host {host.name} of {resource} has no power already.")
        before_ns = self._clock.now_ns()
        said = injector.inject(hosts)
        after_ns = self._clock.now_ns()
        return {
            "resource": hosts[0].name,
            "before_ns": before_ns,
            "after_ns": after_ns,
            "details": {"hosts": [_describe(host) for host in hosts], **said},
        }

    def _look_now(self) -> None:
        for reconciler in self._everyone():
            reconciler.look_now()

    def heal(self, kind: str, hosts: Sequence[str]) -> Answer:
        """Mend these hosts; one that does not exist any more needs no mending."""
        there = {host.name: host for host in self._network.hosts()}
        found = [there[name] for name in hosts if name in there]
        done = self._injector(kind).heal(found)
        for reconciler in self._everyone():
            for host in found:
                if host.powered:
                    reconciler.notice_power(host.name)
        return {**done, "gone": [name for name in hosts if name not in there]}

    def hosts_of(self, resource: str) -> Answer:
        """List the hosts that a database instance has now, those that it lost included."""
        names = self._find(resource).host_names
        return {"hosts": [_describe(host) for host in self._network.hosts() if host.name in names]}

    def bystander(self, zone: str) -> Answer:
        """Name the machine in a zone that belongs to nobody's database; it is made when it is first asked for."""
        return {"host": self.find_bystander(zone).name}

    def look_from_zone(self, zone: str, address: str) -> Answer:
        """Look at a server from a machine that stands in a zone."""
        command = [sys.executable, "-m", "drdrill.load.reach", address, str(PORT), _LOOK_TIMEOUT_SECONDS]
        return {"look": json.loads(self.find_bystander(zone).run(command, within=_LOOK_WITHIN))}

    def read_disk(self, host: str) -> Answer:
        """Ask a host's own programs how much of its disk is free, and whether it takes a file."""
        found = self._network.find_host(host)
        free = found.run(
            ["df", "--output=avail", "--block-size=1", str(found.disk)], within=_LOOK_WITHIN
        ).splitlines()[-1]
        said = found.run(["sh", "-c", _TRY_TO_WRITE, str(found.disk)], within=_LOOK_WITHIN).splitlines()
        return {"host": host, "free_bytes": int(free), "takes_a_file": "yes" in said, "said": said}

    def find_bystander(self, zone: str) -> WorldHost:
        """Return the machine in a zone that belongs to nobody's database."""
        name = f"bystander-{zone}"
        with self._making_bystanders:  # who looks around asks for it many times at once
            try:
                return self._network.find_host(name)
            except KeyError:
                return self._network.create_host(name, zone, disk_bytes=_SMALL_DISK)

    def _injector(self, kind: str) -> Injector:
        if kind not in self._injectors:
            raise UsageError(f"the embedded mirror cannot inject `{kind}`.")
        return self._injectors[kind]

    def _choose(
        self, reconciler: Reconciler, role: StoreRole, *, every_member: bool
    ) -> tuple[WorldHost, ...]:
        record = reconciler.record
        members = {StoreRole.PRIMARY: reconciler.primary, StoreRole.STANDBY: reconciler.standby}
        if record.source_arn is not None:
            members = {StoreRole.REPLICA: reconciler.primary}
        elif role is StoreRole.REPLICA:
            followers = [one for one in self._everyone() if one.record.source_arn == record.arn]
            if len(followers) > 1:
                names = ", ".join(one.record.identifier for one in followers)
                raise UsageError(
                    f"{record.identifier} has several read replicas: name one of {names} itself."
                )
            members |= {role: followers[0].primary if followers else None}
        chosen = list(members.values()) if every_member else [members.get(role)]
        hosts = tuple(self._network.find_host(server.host.name) for server in chosen if server is not None)
        if len(hosts) < len(chosen):
            raise UsageError(f"{record.identifier} has no {role} now.")
        return hosts


def _describe(host: WorldHost) -> Mapping[str, Any]:
    return {"host": host.name, "zone": host.zone, "address": host.address, "powered": host.powered}
