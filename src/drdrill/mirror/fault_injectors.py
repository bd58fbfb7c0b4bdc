"""What breaks hosts and zones of the world, and mends them: one class a kind of fault. Runs in the supervisor.

Injecting comes once; healing may come twice, and also where nobody knows whether the injection came to its end. So
every healer removes what its own injector adds, as far as it is there, and nothing else.
"""

from __future__ import annotations

import contextlib
import errno
import os
from typing import TYPE_CHECKING, Protocol

from drdrill.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from drdrill.mirror.host import WorldHost
    from drdrill.mirror.network import Network

_FILLER = "filler"  # the file that takes the rest of a disk
_STEP = 4 << 20  # a step that fails gives back what it took: little, so that nobody sees the disk empty again


class Injector(Protocol):
    """One kind of fault. `every_member`: it hits all hosts of a store, and not only the chosen member's."""

    every_member: bool

    def inject(self, hosts: Sequence[WorldHost]) -> Mapping[str, object]:
        """Break it, and say what is worth knowing of that."""
        ...

    def heal(self, hosts: Sequence[WorldHost]) -> Mapping[str, object]:
        """Mend it, and say what was done."""
        ...


class PowerLoss:
    """Hosts without power: processes and memory are gone, disks remain, addresses are silent.

    `when_silent` is called once nobody hears them any more; their last process dies 10 to 30 ms later.
    """

    def __init__(self, network: Network, when_silent: Callable[[], None], *, every_member: bool) -> None:
        self._network = network
        self._when_silent = when_silent
        self.every_member = every_member

    def inject(self, hosts: Sequence[WorldHost]) -> Mapping[str, object]:
        """Cut the power."""
        for host in hosts:
            self._network.power_off(host)
        self._when_silent()
        for host in hosts:
            host.await_end()
        return {}

    def heal(self, hosts: Sequence[WorldHost]) -> Mapping[str, object]:
        """Give power back; what its owner starts on a host then is the owner's."""
        dark = [host for host in hosts if not host.powered]
        for host in dark:
            self._network.power_on(host)
        return {"powered": [host.name for host in dark]}


class ProcessKill:
    """A server whose processes were killed: nothing stays behind that could be taken away again."""

    every_member = False

    def inject(self, hosts: Sequence[WorldHost]) -> Mapping[str, object]:
        """Kill all processes of the server."""
        killed = sum(host.kill_all() for host in hosts)
        if not killed:
            raise UsageError(f"no process runs on {', '.join(host.name for host in hosts)}.")
        return {"processes": killed}

    def heal(self, hosts: Sequence[WorldHost]) -> Mapping[str, object]:
        """Start nothing: a server is started again, or replaced, by the service that runs it."""
        del hosts
        return {}


class ProcessHang:
    """A server whose processes are stopped: its kernel takes connections in, and nobody answers."""

    every_member = False

    def inject(self, hosts: Sequence[WorldHost]) -> Mapping[str, object]:
        """Stop all processes of the server."""
        paused = sum(host.pause() for host in hosts)
        if not paused:
            raise UsageError(f"no process runs on {', '.join(host.name for host in hosts)}.")
        return {"processes": paused}

    def heal(self, hosts: Sequence[WorldHost]) -> Mapping[str, object]:
        """Let go on what is stopped still; of a host that was fenced meanwhile nothing is."""
        return {"processes": sum(host.resume() for host in hosts)}


class ZonePartition:
    """A zone that nobody outside hears any more: both sides live."""

    every_member = False

    def __init__(self, network: Network) -> None:
        self._network = network

    def inject(self, hosts: Sequence[WorldHost]) -> Mapping[str, object]:
        """Detach the hosts' zones."""
        zones = _zones_of(hosts)
        for zone in zones:
            self._network.partition(zone)
        return {"zones": zones}

    def heal(self, hosts: Sequence[WorldHost]) -> Mapping[str, object]:
        """Attach the hosts' zones again."""
        zones = _zones_of(hosts)
        for zone in zones:
            self._network.rejoin(zone)
        return {"zones": zones}


class DiskFull:
    """Disks without a free byte; what is on them can be read, and overwritten in place."""

    every_member = False

    def inject(self, hosts: Sequence[WorldHost]) -> Mapping[str, object]:
        """Put a file onto each disk that takes the rest of it."""
        return {"bytes": {host.name: _fill(host.disk / _FILLER) for host in hosts}}

    def heal(self, hosts: Sequence[WorldHost]) -> Mapping[str, object]:
        """Remove that file."""
        filled = [host for host in hosts if (host.disk / _FILLER).exists()]
        for host in filled:
            (host.disk / _FILLER).unlink(missing_ok=True)
        return {"emptied": [host.name for host in filled]}


def make_injectors(network: Network, when_silent: Callable[[], None]) -> Mapping[str, Injector]:
    """Return the injectors by the names of `drdrill.faults.catalogue`; `when_silent` as in `PowerLoss`."""
    return {
        "host_power_loss": PowerLoss(network, when_silent, every_member=False),
        "all_hosts_power_loss": PowerLoss(network, when_silent, every_member=True),
        "process_kill": ProcessKill(),
        "process_hang": ProcessHang(),
        "zone_partition": ZonePartition(network),
        "disk_full": DiskFull(),
    }


def _zones_of(hosts: Sequence[WorldHost]) -> list[str]:
    return sorted({host.zone for host in hosts})


def _fill(path: Path) -> int:
    """Make a file of all bytes that are free where it stands, and return its size."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    size = 0
    try:
        while step := min(_free_bytes(path), _STEP):
            try:
                os.posix_fallocate(descriptor, size, step)
                size += step
            except OSError as error:  # somebody else took the last page meanwhile
                if error.errno != errno.ENOSPC:
                    raise
    except BaseException:
        with contextlib.suppress(OSError):
            path.unlink()
        raise
    finally:
        os.close(descriptor)
    return size


def _free_bytes(path: Path) -> int:
    about = os.statvfs(path)
    return about.f_bfree * about.f_frsize
