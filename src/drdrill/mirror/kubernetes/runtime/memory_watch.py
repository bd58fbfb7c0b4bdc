"""Keeps containers within their memory limits: what takes more is killed, and Kubernetes shows OOMKilled.

An ordinary user has no control groups, so this looks four times a second. A program can take more than its limit for
that long; the kernel's own limit would have stopped it at the page.
"""

from __future__ import annotations

import logging
import signal
import threading
from typing import TYPE_CHECKING

from drdrill.core.errors import DrdrillError
from drdrill.mirror.kubernetes.runtime.cri import api_pb2 as cri
from drdrill.mirror.kubernetes.runtime.usage import add_up, read_exact_memory, read_members, read_resident

if TYPE_CHECKING:
    from drdrill.mirror.kubernetes.runtime.containers import Containers
    from drdrill.mirror.kubernetes.runtime.records import Container, Records

KILLED = "OOMKilled"  # the word that kubelet and kubectl show
_EVERY_SECONDS = 0.25
_log = logging.getLogger("drdrill.mirror.kubernetes.runtime")


class MemoryWatch:
    """Looks at the containers that have a limit, in a thread of its own."""

    def __init__(self, records: Records, containers: Containers) -> None:
        self._records = records
        self._containers = containers
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="memory", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Stop looking."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(_EVERY_SECONDS):
            try:
                self.look()
            except (DrdrillError, OSError, ValueError):
                _log.exception("a look at the memory of containers failed; there will be others")

    def look(self) -> None:
        """Kill what has more than its limit."""
        limited = [
            container
            for container in self._records.list_containers()
            if container.state == cri.CONTAINER_RUNNING and read_limit(container)
        ]
        if not limited:
            return
        members = read_members()
        for container in limited:
            processes = members.get(container.running.mounts, ()) if container.running else ()
            if _exceed(processes, read_limit(container)):
                _log.info("container %s has more than its memory limit: killed", container.id)
                self._containers.send_signal(container, signal.SIGKILL, KILLED)


def read_limit(container: Container) -> int:
    """Return the memory limit of a container in bytes; 0 for none."""
    return int(container.config.linux.resources.memory_limit_in_bytes)


def _exceed(processes: tuple[int, ...], limit: int) -> bool:
    """Tell whether processes use more than a limit; what costs more is asked only where the cheaper says it may be."""
    return (
        read_resident(processes) > limit
        and add_up(processes).memory_bytes > limit
        and read_exact_memory(processes) > limit
    )
