"""The network of a node's pods: an address each, out of the node's range, routed and not translated.

::

    pod eth0 (address/32) ── veth ── node: a route to address/32, and nothing for the rest of the range

The region's router sends the whole range to the node. An address whose pod is gone is silent, as in a VPC: without
the black hole the node would send what is for it back to the router.
"""

from __future__ import annotations

import ipaddress
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from drdrill.core.errors import CommandFailedError, EnvironmentFailedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_GATEWAY = "169.254.1.1"  # nobody has it: the pod's neighbour table says where it is
_ORDINARY_PORTS = "net.ipv4.ip_unprivileged_port_start"
_FIRST = 2


class PodNetwork:
    """Gives pods their addresses. Thread-safe. The node's own network namespace is this process's."""

    def __init__(self, range_: str, taken: Iterable[str]) -> None:
        self._range = ipaddress.IPv4Network(range_)
        self._taken = set(taken)
        self._next = _FIRST
        self._lock = threading.Lock()

    def prepare(self) -> None:
        """Have the node route for its pods. Harmless when it does."""
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1", encoding="ascii")
        _ip([], [f"route replace blackhole {self._range}"])

    def attach(self, keeper: int) -> str:
        """Give the network namespace of a keeper an address, and return it."""
        address = self._take()
        try:
            self._connect(keeper, address)
        except BaseException:
            self.release(address)
            raise
        return address

    def _connect(self, keeper: int, address: str) -> None:
        port, own, theirs = _port(address), _mac(address, 1), _mac(address, 0)
        _ip([], [
            f"link add name {port} address {own} type veth peer name eth0 address {theirs} netns {keeper}",
            f"link set dev {port} up",
            f"route replace {address}/32 dev {port}",
            f"neigh replace {address} lladdr {theirs} dev {port} nud permanent",
        ])  # fmt: skip
        _ip(["nsenter", "--target", str(keeper), "--net", "--"], [
            f"addr add {address}/32 dev eth0",
            "link set dev eth0 up",
            f"route add {_GATEWAY}/32 dev eth0 scope link",
            f"neigh replace {_GATEWAY} lladdr {own} dev eth0 nud permanent",
            f"route add default via {_GATEWAY} dev eth0 src {address}",
        ])  # fmt: skip

    def release(self, address: str) -> None:
        """Take an address back: nobody hears it any more when this returns. Harmless when it was taken back."""
        with self._lock:
            if address in self._taken:
                _ip([], [f"link del dev {_port(address)}"], force=True)
                self._taken.discard(address)

    def _take(self) -> str:
        """Return the next free address: not the one that was given back last, which others may still believe in."""
        with self._lock:
            for _ in range(self._range.num_addresses):
                address = str(self._range[self._next])
                self._next = self._next + 1 if self._next < self._range.num_addresses - 2 else _FIRST
                if address not in self._taken:
                    self._taken.add(address)
                    return address
        raise EnvironmentFailedError(f"the node's pod range {self._range} has no free address.")


def default_sysctls(*, own_network: bool) -> dict[str, str]:
    """Return what containerd sets for every pod: ports below 1024 are for everybody."""
    return {_ORDINARY_PORTS: "0"} if own_network else {}


def _port(address: str) -> str:
    return "c" + ipaddress.IPv4Address(address).packed.hex()


def _mac(address: str, side: int) -> str:
    return f"02:0{side + 1}:" + ":".join(f"{octet:02x}" for octet in ipaddress.IPv4Address(address).packed)


def _ip(enter: Sequence[str], commands: Sequence[str], *, force: bool = False) -> None:
    done = subprocess.run(
        [*enter, "ip", *(["-force"] if force else []), "-batch", "-"], input="\n".join(commands) + "\n",
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode and not force:
        raise CommandFailedError([*enter, "ip", *commands], done.returncode, done.stderr)
