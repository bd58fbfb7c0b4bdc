"""The nodes of a load balancer: one machine with a proxy in every enabled zone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from drdrill.dataplane.envoy import EnvoyProxy, knock

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from drdrill.aws.ports import Fleet
    from drdrill.dataplane.envoy import EndpointHealth, Place
    from drdrill.dataplane.envoy_configuration import ProxyConfiguration
    from drdrill.dataplane.host import Host

_DISK_BYTES = 64 << 20  # configuration, keys, a log of failed checks that begins anew at 4 MiB
_NO_LISTENER = 1  # a port that nobody listens on: a machine that is there says so


class Node(Protocol):
    """A proxy on a machine in a zone. For one thread."""

    @property
    def zone(self) -> str:
        """Its zone."""
        ...

    @property
    def address(self) -> str:
        """Its address, under which clients reach it."""
        ...

    def keep(self, configuration: ProxyConfiguration) -> None:
        """Have it run, if its machine has power, and do this; raises `DrdrillError`."""
        ...

    def look(self) -> Mapping[Place, EndpointHealth] | None:
        """Return what it sees of every endpoint; None when it is not heard from."""
        ...

    def release(self) -> None:
        """Take it away with its machine."""
        ...


class NodeFleet(Protocol):
    """Where nodes are made, of one region."""

    def create(self, name: str, zone: str) -> Node:
        """Make a node in a zone; raises `DrdrillError`."""
        ...


class EnvoyNode:
    """A node that is an Envoy on a host. Implements `Node`."""

    def __init__(self, fleet: Fleet, host: Host, logs: Path) -> None:
        self._fleet = fleet
        self._host = host
        self._proxy = EnvoyProxy(host, log=logs / f"{host.name}.log")
        self._live = False
        self._knock_at = _NO_LISTENER
        self.zone = host.zone
        self.address = host.address

    def __repr__(self) -> str:
        return f"EnvoyNode({self._host.name})"

    def keep(self, configuration: ProxyConfiguration) -> None:
        """Have it run and do this."""
        self._proxy.configure(configuration)
        ports = [listener.port for listener in configuration.listeners]
        self._knock_at = ports[0] if ports else _NO_LISTENER
        if self._host.powered and not self._proxy.runs:
            self._live = False
            self._proxy.start()

    def look(self) -> Mapping[Place, EndpointHealth] | None:
        """Return what it sees; it has to be heard over the network, as its clients hear it."""
        if not self._host.powered or not self._proxy.runs or not knock(self.address, self._knock_at):
            return None
        self._live = self._live or self._proxy.is_live()
        return self._proxy.read_health() if self._live else None

    def release(self) -> None:
        """Take it away."""
        self._fleet.release(self._host)


class EnvoyFleet:
    """Makes nodes on machines of a region. Implements `NodeFleet`."""

    def __init__(self, fleet: Fleet, logs: Path) -> None:
        self._fleet = fleet
        self._logs = logs

    def create(self, name: str, zone: str) -> EnvoyNode:
        """Make a node in a zone."""
        host = self._fleet.create_host(f"{name}-{zone}", zone, disk_bytes=_DISK_BYTES)
        return EnvoyNode(self._fleet, host, self._logs)
