"""A cluster and a region for the controller, as tests make them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from drdrill.core.clock import NANOSECONDS
from drdrill.mirror.load_balancer_controller.bindings import Target
from drdrill.mirror.load_balancer_controller.cluster_api import ApiError
from drdrill.mirror.load_balancer_controller.target_groups import GroupError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Key = tuple[str, str]
SERVICE = {
    "metadata": {"name": "api", "namespace": "shop"},
    "spec": {"ports": [{"name": "http", "port": 80}]},
}


class ManualClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def now_ns(self) -> int:
        """Return the time."""
        return int(self.seconds * NANOSECONDS)

    def utc(self) -> datetime:
        """Return the time."""
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def sleep(self, seconds: float) -> None:
        """Let the time go by."""
        self.seconds += seconds


class Objects:
    """All objects of a kind, as a test has them."""

    def __init__(self, *objects: dict[str, Any]) -> None:
        self.known: dict[Key, dict[str, Any]] | None = {}
        self.put(*objects)

    def put(self, *objects: dict[str, Any]) -> None:
        """Have these, too."""
        self.known = {**(self.known or {}), **{_key(one): one for one in objects}}

    def start(self) -> None:
        """Do nothing: they are there."""

    def all(self) -> dict[Key, dict[str, Any]] | None:
        """Return them."""
        return self.known


class Groups:
    """Target groups of a region, and what was done to them."""

    def __init__(self, **groups: set[Target]) -> None:
        self.groups = groups
        self.lost = False

    def read(self, group: str) -> frozenset[Target]:
        """Return a group's targets."""
        if self.lost or group not in self.groups:
            raise GroupError("Could not connect to the endpoint URL")
        return frozenset(self.groups[group])

    def register(self, group: str, targets: Iterable[Target]) -> None:
        """Register targets."""
        self.groups[group] |= set(targets)

    def deregister(self, group: str, targets: Iterable[Target]) -> None:
        """Let targets go."""
        self.groups[group] -= set(targets)


class Api:
    """An API server with leases and one list; `silent`: it does not answer. `beside` happens before a write."""

    def __init__(self) -> None:
        self.leases: dict[str, dict[str, Any]] = {}
        self.version = 0
        self.silent = False
        self.taken = False
        self.listed: list[dict[str, Any]] = []
        self.events: list[list[dict[str, Any]]] = []
        self.watched: list[str] = []

    def ask(self, method: str, path: str, content: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Answer."""
        if self.silent:
            raise ApiError(0, "nobody answers")
        if "/leases" not in path:
            return {"items": self.listed, "metadata": {"resourceVersion": "1"}}
        name = path.rpartition("/")[2]
        if method == "GET":
            if name not in self.leases:
                raise ApiError(404, "there is none")
            return self.leases[name]
        assert content is not None
        name = content["metadata"]["name"]
        there = self.leases.get(name, {"metadata": {"resourceVersion": None}})
        if self.taken or there["metadata"]["resourceVersion"] != content["metadata"].get("resourceVersion"):
            raise ApiError(409, "conflict")
        self.version += 1
        metadata = {**content["metadata"], "resourceVersion": str(self.version)}
        self.leases[name] = {**content, "metadata": metadata}
        return self.leases[name]

    def watch(self, path: str, version: str) -> Iterator[dict[str, Any]]:
        """Yield the next events; without any left the server is gone."""
        self.watched.append(f"{path} from {version}")
        if not self.events:
            raise ApiError(0, "the watch ended")
        yield from self.events.pop(0)


def bind(group: str = "api", service: str = "api", port: int | str = "http") -> dict[str, Any]:
    """Return a binding."""
    reference = {"name": service, "port": port}
    return {
        "metadata": {"name": group, "namespace": "shop"},
        "spec": {"targetGroupName": group, "serviceRef": reference},
    }


def slice_of(*pods: tuple[str, bool | None], name: str = "api-1", service: str = "api") -> dict[str, Any]:
    """Return an endpoint slice of a service: addresses, and whether they are ready."""
    return {
        "metadata": {"name": name, "namespace": "shop", "labels": {"kubernetes.io/service-name": service}},
        "ports": [{"name": "http", "port": 8080}, {"name": "metrics", "port": 9090}],
        "endpoints": [
            {"addresses": [address], "conditions": {} if ready is None else {"ready": ready}}
            for address, ready in pods
        ],
    }


def at(*addresses: str) -> set[Target]:
    """Return targets at the pods' port."""
    return {Target(address, 8080) for address in addresses}


def _key(one: dict[str, Any]) -> Key:
    return one["metadata"]["namespace"], one["metadata"]["name"]
