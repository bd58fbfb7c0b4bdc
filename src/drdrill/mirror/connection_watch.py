"""Which connections a host tries to open, and whether anybody answers: calls to what is dark reach no API.

A packet socket on the host's port hears the first packets of TCP alone (a filter in the kernel lets nothing else
through). That a program gave up is not heard: it is seen in the host's own table of sockets, some times a second, and
only while an attempt is open.

::

    SYN ──▶ open ──▶ answered      SYN+ACK
                 ──▶ refused       RST
                 ──▶ unanswered    its socket waits no more, or the watch ends
"""

from __future__ import annotations

import contextlib
import ctypes
import ipaddress
import socket
import struct
import threading
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from drdrill.core.clock import NANOSECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from drdrill.core.clock import Clock
    from drdrill.mirror.host import WorldHost

_LOOK_EVERY_SECONDS = 0.1  # how exactly it is known when an attempt was given up
_LONGEST_PACKET = 128  # headers alone
_ETH_P_ALL = 0x0003  # only taps of everything hear what goes out, and what a bridge takes away
_ETH_P_IP = 0x0800
_TCP = 6
_SYN, _RST, _ACK = 0x02, 0x04, 0x10
_SYN_SENT = "02"
_SO_ATTACH_FILTER, _SO_TIMESTAMPNS = 26, 35  # asm-generic/socket.h
_TIMESPEC = struct.Struct("qq")
# Classic BPF (linux/filter.h), on packets that begin with the IP header: (code, jump if true, jump if false, value).
_FILTER = (
    (0x28, 0, 0, 0xFFFFF000),  # the packet's protocol: SKF_AD_PROTOCOL
    (0x15, 0, 7, _ETH_P_IP),
    (0x30, 0, 0, 9),  # what IP carries
    (0x15, 0, 5, _TCP),
    (0x28, 0, 0, 6),  # its fragment: only a first one has TCP's header
    (0x45, 3, 0, 0x1FFF),
    (0xB1, 0, 0, 0),  # X: the length of IP's header
    (0x50, 0, 0, 13),  # TCP's flags
    (0x45, 1, 0, _SYN | _RST),
    (0x06, 0, 0, 0),
    (0x06, 0, 0, _LONGEST_PACKET),
)


class Outcome(StrEnum):
    """What became of an attempt to connect."""

    ANSWERED = "answered"
    REFUSED = "refused"
    UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt to connect: when, where to, how often it was asked, what became of it, and how long that took."""

    at_ns: int
    address: str
    port: int
    tries: int
    outcome: Outcome
    waited_ns: int


@dataclass(slots=True)
class _Open:
    """An attempt of which nothing is known yet. `number`: TCP's own, by which a repetition is told."""

    at_ns: int
    address: str
    port: int
    number: int
    tries: int = 1


class ConnectionWatch:
    """Watches one host of the world, at the device that its packets pass."""

    def __init__(self, device: str, host: WorldHost, clock: Clock, tell: Callable[[Attempt], None]) -> None:
        self._device = device
        self._host = host
        self._address = ipaddress.IPv4Address(host.address).packed
        self._clock = clock
        self._tell = tell
        self._open: dict[tuple[int, int], _Open] = {}  # by the port on this side, and the one on the other
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to watch; what is opened after this returns is heard. Raises `OSError` where the kernel refuses."""
        tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        try:
            _attach_filter(tap)
            tap.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
            tap.bind((self._device, _ETH_P_ALL))
        except BaseException:
            tap.close()
            raise
        self._thread = threading.Thread(target=self._watch, args=(tap,), name="connections", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Watch no more; what is open still is told as unanswered."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self, tap: socket.socket) -> None:
        look_ns = 0
        with tap:
            while not self._ended.is_set():
                tap.settimeout(_LOOK_EVERY_SECONDS)
                with contextlib.suppress(OSError):  # none came in time; or the host lost its power, told once
                    self._hear(*self._receive(tap))
                now_ns = self._clock.now_ns()
                if self._open and now_ns >= look_ns:
                    self._find_given_up(tap)
                    look_ns = now_ns + round(_LOOK_EVERY_SECONDS * NANOSECONDS)
            self._drain(tap)
        for one in list(self._open):
            self._end(one, Outcome.UNANSWERED, self._clock.now_ns())

    def _drain(self, tap: socket.socket) -> None:
        """Hear what has come already."""
        tap.setblocking(False)
        with contextlib.suppress(OSError):  # no more is there
            while True:
                self._hear(*self._receive(tap))

    def _receive(self, tap: socket.socket) -> tuple[bytes, int]:
        """Return a packet, and when it passed by the kernel's own word: on a busy machine it is read much later."""
        packet, told, *_ = tap.recvmsg(_LONGEST_PACKET, socket.CMSG_SPACE(_TIMESPEC.size))
        ((_, _, stamp),) = told
        seconds, nanoseconds = _TIMESPEC.unpack(stamp)
        age_ns = time.time_ns() - (
            seconds * NANOSECONDS + nanoseconds
        )  # both of the wall clock, as the stamp is
        return packet, self._clock.now_ns() - max(age_ns, 0)

    def _hear(self, packet: bytes, at_ns: int) -> None:
        header = (packet[0] & 0x0F) * 4
        source, destination = packet[12:16], packet[16:20]
        port, other, number = struct.unpack_from("!HHI", packet, header)
        flags = packet[header + 13]
        if source == self._address and flags & (_SYN | _ACK | _RST) == _SYN:
            known = self._open.get((port, other))
            if known is not None and known.number == number:
                known.tries += 1
                return
            if known is not None:  # the port was used again before we saw that it was free
                self._end((port, other), Outcome.UNANSWERED, at_ns)
            address = str(ipaddress.IPv4Address(destination))
            self._open[port, other] = _Open(at_ns, address, other, number)
        elif destination == self._address and (other, port) in self._open:
            self._end((other, port), Outcome.REFUSED if flags & _RST else Outcome.ANSWERED, at_ns)

    def _find_given_up(self, tap: socket.socket) -> None:
        """End the attempts whose sockets wait no more. Heard after the look: whoever was answered before it."""
        now_ns = self._clock.now_ns()
        waiting = _read_waiting(self._host.init_pid)
        self._drain(tap)
        for key, one in list(self._open.items()):
            if key not in waiting and one.at_ns < now_ns:
                self._end(key, Outcome.UNANSWERED, now_ns)

    def _end(self, key: tuple[int, int], outcome: Outcome, now_ns: int) -> None:
        one = self._open.pop(key)
        self._tell(Attempt(one.at_ns, one.address, one.port, one.tries, outcome, now_ns - one.at_ns))


def _attach_filter(tap: socket.socket) -> None:
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in _FILTER))
    tap.setsockopt(
        socket.SOL_SOCKET,
        _SO_ATTACH_FILTER,
        struct.pack("HL", len(_FILTER), ctypes.addressof(program)),
    )


def _read_waiting(pid: int | None) -> set[tuple[int, int]]:
    """Return the ports, here and there, of the sockets beside a process that wait for a first answer; None: it is dead.

    Source of the table's form: `Documentation/networking/proc_net_tcp.rst` of the kernel.
    """
    waiting: set[tuple[int, int]] = set()
    if pid is None:
        return waiting
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):  # it died meanwhile
            for line in Path(f"/proc/{pid}/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
                _, local, remote, state, *_ = line.split()
                if state == _SYN_SENT:
                    waiting.add((int(local.rpartition(":")[2], 16), int(remote.rpartition(":")[2], 16)))
    return waiting
