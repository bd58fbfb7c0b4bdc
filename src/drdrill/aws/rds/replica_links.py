"""The links that lead out of a region to the replicas of its instances elsewhere: one on each host that is read from.

A link stands on the source's own host, so that what is under way is lost with it.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from drdrill.dataplane.link import Link, LinkCondition
from drdrill.dataplane.postgresql import Upstream
from drdrill.dataplane.postgresql_programs import PORT

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.dataplane.postgresql import PostgresServer

_FIRST_PORT = 5434


class OutgoingLinks:
    """All links of one region, and how they are. Thread-safe."""

    def __init__(self, condition: LinkCondition, logs: Path) -> None:
        self._usual = condition
        self._logs = logs
        self._lock = threading.Lock()
        self._conditions: dict[str, LinkCondition] = {}
        self._links: dict[tuple[str, str], Link] = {}

    def lead_to(self, region: str, server: PostgresServer) -> Upstream:
        """Return where a replica in another region streams from; the link stands when this returns."""
        key = (server.host.name, region)
        with self._lock:
            link = self._links.get(key)
            if link is None or not link.lives:
                port = _FIRST_PORT + list(dict.fromkeys([*self._conditions, region])).index(region)
                log = self._logs / f"link-{server.host.name}.log"
                link = Link(server.host, port, PORT, log=log)
                link.shape(self._conditions.setdefault(region, self._usual))
                self._links[key] = link
        return Upstream(server.host.address, link.port, backup_port=link.port)

    @property
    def usual(self) -> LinkCondition:
        """How links are when nobody shapes them."""
        return self._usual

    def condition(self, region: str) -> LinkCondition:
        """Return how links to a region are now, without waiting for one that is being shaped and hangs."""
        return self._conditions.get(region, self._usual)

    def port_of(self, region: str, server: PostgresServer) -> int | None:
        """Return the port at which the link of a server to another region listens; None: there is none that stands."""
        with self._lock:
            link = self._links.get((server.host.name, region))
            return link.port if link is not None and link.lives else None

    def lives(self, region: str, server: PostgresServer) -> bool:
        """Tell whether the link of a server to another region stands: it falls with the power of its host."""
        with self._lock:
            link = self._links.get((server.host.name, region))
            return link is not None and link.lives

    def shape(self, region: str, condition: LinkCondition | None) -> LinkCondition:
        """Change how all links to a region are, those that come later too; None: as usual. Returns what was."""
        wanted = condition or self._usual
        with self._lock:
            before = self._conditions.get(region, self._usual)
            self._conditions[region] = wanted
            self._links = {key: link for key, link in self._links.items() if link.lives}
            for (_, destination), link in self._links.items():
                if destination == region:
                    link.shape(wanted)
        return before
