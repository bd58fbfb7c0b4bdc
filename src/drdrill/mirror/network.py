"""The network of the world: zones (bridges) in regions (routers) on an internet, and the hosts attached to them.

::

    users, dns, operator ── internet bridge 198.18.0.0/16 ┐
                                                          core (the supervisor's own network namespace)
    AWS endpoints 198.19.<region>.<service>, on the core ─┤
                                                          ├── router of region 0 ── zone bridges 10.20.<zone>.0/24
                                                          └── router of region 1 ── zone bridges 10.40.<zone>.0/24

Machines that AWS runs for its customers in a whole region, such as a cluster's control plane, stand in a network of
their own (10.20.250.0/24) beside the zones.

A zone's bridge has one port to its router, the uplink. Detached, the zone is partitioned away: its hosts live on and
hear each other, and nobody else hears them.

A host that lost its power is silent: routers hold a permanent neighbour entry for every address, so that nobody
is told *host unreachable* where a dead machine gives no answer.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drdrill.core.errors import CommandFailedError
from drdrill.mirror.host import WorldHost
from drdrill.mirror.link_switch import LinkSwitch
from drdrill.mirror.zone_bridge import ZoneBridge

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from drdrill.dataplane.host import Host
    from drdrill.mirror.backup_store import FolderStore

INTERNET = "internet"
BLACK_HOLE = "198.19.255.1"  # routed nowhere: asked by the positive control
DNS_ADDRESS = "198.18.0.53"
VPC_OCTETS = (20, 40)
ROUTES_RULE = 200  # the priority of the rule by which the core looks for its own addresses; others follow it
_LONGEST_NAME = 44
_ELSEWHERE = 250  # the number of AWS's endpoints in regions that the mirror does not have
_MANAGED = 250  # its number beside those of the zones


@dataclass(frozen=True, slots=True)
class RegionLayout:
    """A region and its zones, as the plan names them."""

    name: str
    zones: tuple[str, ...]

    @property
    def networks(self) -> tuple[str, ...]:
        """Its zones, and the network of AWS's own machines."""
        return (*self.zones, managed_zone(self.name))


class Network:
    """Builds the world's network and attaches hosts to it. Thread-safe."""

    def __init__(self, regions: Sequence[RegionLayout], disks: Path) -> None:
        self.regions = tuple(regions)
        self._disks = disks
        self._lock = threading.Lock()
        self._silenced: set[str] = set()  # hosts whose links were set down
        self._power = threading.Lock()  # one change of power at a time: healing and fencing may meet
        self._lost: dict[str, set[str]] = {}  # zones without power, and their hosts that are to have it again
        self._zones: dict[str, ZoneBridge] = {}
        self._links: dict[str, LinkSwitch] = {}  # of each region
        self._hosts: dict[str, WorldHost] = {}
        self._endpoints: dict[str, list[str]] = {}  # addresses of a region's APIs
        self._silent: set[str] = set()

    def build(self) -> None:
        """Make core, internet, routers and zones."""
        _allow_forwarding(None)
        _ip(None, [
            "link set lo up",
            # By itself the kernel looks for them before any rule of ours (priority 0): nothing could be isolated.
            f"rule add priority {ROUTES_RULE} lookup local",
            "rule del priority 0",
            # A bridge without an address of its own takes the lowest of its ports': hosts that know their gateway by
            # an earlier one would be heard by nobody for up to a minute after another host came or went.
            f"link add name {INTERNET} address {_mac('198.18.0.1')} type bridge",
            f"addr add 198.18.0.1/16 dev {INTERNET}",
            f"link set dev {INTERNET} up",
            f"route add blackhole {BLACK_HOLE}/32",
        ])  # fmt: skip
        self._zones[INTERNET] = ZoneBridge(None, INTERNET, INTERNET, "", "198.18.0", 16)
        self._links[""] = LinkSwitch(None)  # what is on the internet is in no region
        with ThreadPoolExecutor() as pool:  # what each waits for is programs that start
            list(pool.map(self._build_region, range(len(self.regions)), self.regions))

    def _build_region(self, number: int, region: RegionLayout) -> None:
        router = WorldHost(f"router-{region.name}", region.name, INTERNET, f"169.254.{number}.2", self._disks)
        router.boot()
        _allow_forwarding(router)
        vpc = f"10.{VPC_OCTETS[number]}"
        _ip(None, [
            f"link add name region{number} type veth peer name core netns {router.init_pid}",
            f"addr add 169.254.{number}.1/30 dev region{number}",
            f"link set dev region{number} up",
        ])  # fmt: skip
        commands = [
            "link set lo up",
            f"addr add 169.254.{number}.2/30 dev core",
            "link set dev core up",
            f"route add default via 169.254.{number}.1",
        ]
        self._links[region.name] = LinkSwitch(router)
        for index, name in (*enumerate(region.zones), (_MANAGED, managed_zone(region.name))):
            zone = ZoneBridge(
                router, f"zone{index}", f"gateway{index}", f"uplink{index}", f"{vpc}.{index}", 24
            )
            self._zones[name] = zone
            commands += [
                f"link add name {zone.bridge} type bridge",
                f"link set dev {zone.bridge} up",
                # A pair of its own always has a carrier: without one the router would say *unreachable*.
                f"link add name {zone.gateway_device} type veth peer name {zone.uplink}",
                f"link set dev {zone.uplink} up",
                f"link set dev {zone.uplink} master {zone.bridge}",
                f"addr add {zone.gateway}/24 dev {zone.gateway_device}",
                f"link set dev {zone.gateway_device} up",
            ]
        _ip(router, commands)
        _ip(None, [f"route add {vpc}.0.0/16 via 169.254.{number}.2"])
        self._hosts[router.name] = router

    def add_endpoints(self, region: str, service_numbers: Iterable[int]) -> list[str]:
        """Give the core an address for each of these services of a region; one that is not here stands apart."""
        names = [layout.name for layout in self.regions]
        number = names.index(region) if region in names else _ELSEWHERE
        addresses = [f"198.19.{number}.{service}" for service in service_numbers]
        _ip(None, [f"addr add {address}/32 dev lo" for address in addresses])
        self._endpoints.setdefault(region, []).extend(addresses)
        return addresses

    def silence_endpoints(self, region: str) -> None:
        """Have a region's APIs give no answer, and open connections none either. Harmless when it is so."""
        with self._power:
            if region not in self._silent:
                # Routed nowhere before they are gone, or whoever calls would be told that there is no way there.
                routes = [f"route add blackhole {one}/32" for one in self._endpoints[region]]
                _ip(None, [*routes, *(f"addr del {one}/32 dev lo" for one in self._endpoints[region])])
                self._silent.add(region)

    def restore_endpoints(self, region: str) -> None:
        """Have a region's APIs answer again. Harmless when they do."""
        with self._power:
            if region in self._silent:
                addresses = [f"addr add {one}/32 dev lo" for one in self._endpoints[region]]
                _ip(None, [*addresses, *(f"route del blackhole {one}/32" for one in self._endpoints[region])])
                self._silent.discard(region)

    def is_silent(self, region: str) -> bool:
        """Tell whether a region's APIs are silenced."""
        return region in self._silent

    def endpoints(self) -> dict[str, str]:
        """Return an address of the APIs of each region, and of each that the mirror does not have but for its APIs."""
        return {region: addresses[0] for region, addresses in self._endpoints.items()}

    def create_host(
        self, name: str, zone_name: str, *, disk_bytes: int, address: str | None = None
    ) -> WorldHost:
        """Make a host with a disk, power and its place in a zone (or on the internet).

        A name that is too long is shortened; one that another host has is told apart by the region, and by a number
        where a renamed instance has left its host's name behind.
        """
        with self._lock:
            zone = self._zones[zone_name]
            region = next((one.name for one in self.regions if zone_name in one.networks), "")
            name = _shorten(name)
            names = itertools.chain([name, f"{name}.{region}"], (f"{name}.{n}" for n in itertools.count(2)))
            name = next(one for one in names if one not in self._hosts)
            address = address or zone.choose_address({one.address for one in self._hosts.values()})
            disk = self._disks / name
            disk.mkdir()
            _run(["mount", "-t", "tmpfs", "-o", f"size={disk_bytes},mode=755", "none", str(disk)])
            host = WorldHost(name, region, zone_name, address, disk)
            self._hosts[name] = host
        try:
            self.power_on(host)
        except BaseException:
            self.release(host)  # nobody else knows of it
            raise
        return host

    def power_on(self, host: WorldHost) -> None:
        """Boot a host and attach it to its zone. Harmless when it has power. In a lost zone it waits for that."""
        with self._power:
            if host.zone in self._lost:
                self._lost[host.zone].add(host.name)
            elif not host.powered:
                self._boot(host)

    def _boot(self, host: WorldHost) -> None:
        """Give a host power and its place in the network, or neither: then it can be booted again."""
        host.boot()
        try:
            self._attach(host)
        except BaseException:
            host.cut()
            with contextlib.suppress(CommandFailedError):  # it may not have come so far
                _ip(self._zones[host.zone].router, [f"link delete dev {port_of(host)}"])
            raise

    def _attach(self, host: WorldHost) -> None:
        zone = self._zones[host.zone]
        port = port_of(host)
        if host.name in self._silenced:
            # The kernel removes a dead host's link, but a while later, and it is in the way until then.
            with contextlib.suppress(CommandFailedError):
                _ip(zone.router, [f"link delete dev {port}"])
            self._silenced.discard(host.name)
        router = f"netns {zone.router.init_pid}" if zone.router else ""
        mac = _mac(host.address)
        # Attached from the core: the only place that sees both namespaces' processes.
        _ip(
            None,
            [f"link add name {port} {router} type veth peer name eth0 address {mac} netns {host.init_pid}"],
        )
        _ip(zone.router, [
            f"link set dev {port} master {zone.bridge}",
            f"link set dev {port} up",
            f"neigh replace {host.address} lladdr {mac} dev {zone.gateway_device} nud permanent",
        ])  # fmt: skip
        _ip(host, [
            "link set lo up",
            f"addr add {host.address}/{zone.length} dev eth0",
            "link set dev eth0 up",
            f"route add default via {zone.gateway}",
        ])  # fmt: skip

    def power_off(self, host: WorldHost) -> None:
        """Cut a host's power: nobody hears it any more, and it is dead a moment later. Harmless when it is off."""
        with self._power:
            self._lost.get(host.zone, set()).discard(host.name)
            self._cut(host)

    def _cut(self, host: WorldHost) -> None:
        if host.powered:
            # Down before anything on it dies, or clients would get a polite refusal. Deleting takes 20 ms more.
            self._links[host.region].set_down(port_of(host))
            self._silenced.add(host.name)
            host.cut()

    def lose_zone(self, zone_name: str) -> tuple[WorldHost, ...]:
        """Cut the power of all hosts of a zone, and of those that will be made there; return those that had it."""
        with self._power:
            lost = self._lost.setdefault(zone_name, set())
            hosts = tuple(host for host in self.hosts() if host.zone == zone_name and host.powered)
            for host in hosts:
                lost.add(host.name)
                self._cut(host)
        return hosts

    def is_lost(self, zone_name: str) -> bool:
        """Tell whether a zone is without power."""
        return zone_name in self._lost

    def return_zone(self, zone_name: str) -> tuple[WorldHost, ...]:
        """Give power to the hosts that had it, or were to have it since; return them."""
        with self._power:
            waiting = self._lost.get(zone_name, set())
            hosts = tuple(host for host in self.hosts() if host.name in waiting)
            for host in hosts:
                self._boot(host)
                # Not booted twice, when another one fails and this is asked for again.
                waiting.discard(host.name)
            self._lost.pop(zone_name, None)
        return hosts

    def route(self, region: str, destination: str, host: WorldHost) -> None:
        """Have a region's router, and so everybody in the world, reach a range of addresses through a host."""
        router = self._hosts[f"router-{region}"]
        _ip(router, [f"route replace {destination} via {host.address}"])

    def partition(self, zone_name: str) -> None:
        """Detach a zone from its region: whoever is in it hears only who is in it, too. Harmless when it is."""
        zone = self._zones[zone_name]
        _ip(zone.router, [f"link set dev {zone.uplink} nomaster"])

    def rejoin(self, zone_name: str) -> None:
        """Attach a zone to its region again. Harmless when it is."""
        zone = self._zones[zone_name]
        _ip(zone.router, [f"link set dev {zone.uplink} master {zone.bridge}"])

    def release(self, host: WorldHost) -> None:
        """Take a host out of the world, its disk included."""
        self.power_off(host)
        host.await_end()
        with self._lock:
            self._hosts.pop(host.name, None)
        _run(["umount", "--lazy", str(host.disk)])
        host.disk.rmdir()

    def range_of(self, zone_name: str) -> str:
        """Return the range of addresses of a zone's hosts, such as `10.20.0.0/24`."""
        zone = self._zones[zone_name]
        return f"{zone.prefix}.0/{zone.length}"

    def find_host(self, name: str) -> WorldHost:
        """Return a host by its name; raises KeyError."""
        return self._hosts[name]

    def hosts(self) -> tuple[WorldHost, ...]:
        """Return all hosts."""
        with self._lock:
            return tuple(self._hosts.values())


class RegionFleet:
    """The machines of one region, as `aws.ports.Fleet` wants them."""

    def __init__(self, network: Network, layout: RegionLayout, backups: FolderStore) -> None:
        self._network = network
        self.backups = backups
        self.region = layout.name
        self.zones = layout.zones

    @property
    def lit_zones(self) -> tuple[str, ...]:
        """Return the zones that have power."""
        return tuple(zone for zone in self.zones if not self._network.is_lost(zone))

    def create_host(self, name: str, zone: str, *, disk_bytes: int) -> WorldHost:
        """Make a machine in a zone."""
        return self._network.create_host(name, zone, disk_bytes=disk_bytes)

    def power_off(self, host: Host, /) -> None:
        """Cut a machine's power."""
        self._network.power_off(self._network.find_host(host.name))

    def power_on(self, host: Host, /) -> None:
        """Give a machine its power back."""
        self._network.power_on(self._network.find_host(host.name))

    def grow_disk(self, host: Host, /, *, disk_bytes: int) -> None:
        """Make a machine's data disk larger."""
        _run(["mount", "-o", f"remount,size={disk_bytes}", str(host.disk)])

    def release(self, host: Host, /) -> None:
        """Give a machine back."""
        self._network.release(self._network.find_host(host.name))


def managed_zone(region: str) -> str:
    """Return the network of a region in which AWS's own machines stand: in no zone, and lost only with the region."""
    return f"{region}-managed"


def _shorten(name: str) -> str:
    """Return a name that a host may have (64 bytes) and a standby may stream under (63), with a region behind it."""
    if len(name) <= _LONGEST_NAME:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: _LONGEST_NAME - len(digest) - 1]}-{digest}"


def port_of(host: WorldHost) -> str:
    """Return the name of the bridge port of a host: unique, and short enough for the kernel (15 characters)."""
    return "p" + host.address.replace(".", "x")


def _mac(address: str) -> str:
    return "02:00:" + ":".join(f"{int(octet):02x}" for octet in address.split("."))


def _ip(where: WorldHost | None, commands: Sequence[str]) -> None:
    """Run `ip` commands in one go in a host's network namespace, or in the core's."""
    enter = ["nsenter", "--target", str(where.init_pid), "--net", "--"] if where else []
    _run([*enter, "ip", "-batch", "-"], said="\n".join(commands) + "\n")


def _allow_forwarding(where: WorldHost | None) -> None:
    """Have a network namespace route, and answer ARP for an address only on the device that has it.

    A zone's bridge would answer for the gateway beside it, with a hardware address that changes when a host goes.
    """
    enter = ["nsenter", "--target", str(where.init_pid), "--net", "--mount", "--"] if where else []
    settings = "cd /proc/sys/net/ipv4; echo 1 > ip_forward; echo 1 > conf/all/arp_ignore"
    _run([*enter, "sh", "-e", "-c", settings])


def _run(command: Sequence[str], *, said: str = "") -> None:
    done = subprocess.run(command, input=said, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CommandFailedError([*command, *said.splitlines()], done.returncode, done.stderr)
