"""All objects of one kind in a cluster, followed: listed once, then as each changes."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any, Protocol

from drdrill.mirror.load_balancer_controller.cluster_api import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from drdrill.core.clock import Clock

_AGAIN_SECONDS = 1.0
_log = logging.getLogger(__name__)
Key = tuple[str, str]


class Lists(Protocol):
    """The part of a cluster's API that lists and watches."""

    def ask(self, method: str, path: str, /) -> dict[str, Any]:
        """Return a list."""
        ...

    def watch(self, path: str, version: str, /) -> Iterator[dict[str, Any]]:
        """Yield what changes from a version on."""
        ...


class Watched:
    """Thread-safe. `changed` is called after every change; what is known stays while the API does not answer."""

    def __init__(self, api: Lists, path: str, changed: Callable[[], None], clock: Clock) -> None:
        self._api = api
        self._path = path
        self._changed = changed
        self._clock = clock
        self._lock = threading.Lock()
        self._objects: dict[Key, dict[str, Any]] | None = None

    def start(self) -> None:
        """Follow from now on, in a thread."""
        threading.Thread(target=self._follow, name=self._path, daemon=True).start()

    def all(self) -> dict[Key, dict[str, Any]] | None:
        """Return all objects by namespace and name; None until they were listed."""
        with self._lock:
            return None if self._objects is None else dict(self._objects)

    def _follow(self) -> None:
        while True:
            try:
                self.follow_once()
            except ApiError as error:
                _log.warning("%s", error)
                self._clock.sleep(_AGAIN_SECONDS)

    def follow_once(self) -> None:
        """List, and take changes until the watch ends; raises `ApiError`."""
        listed = self._api.ask("GET", self._path)
        self._set({_key(one): one for one in listed["items"]})
        version = listed["metadata"]["resourceVersion"]
        while True:
            for event in self._api.watch(self._path, version):
                if event["type"] == "ERROR":  # the version is too old, for one: the next list begins anew
                    return
                version = event["object"]["metadata"]["resourceVersion"]
                if event["type"] != "BOOKMARK":
                    self._take(event)

    def _take(self, event: dict[str, Any]) -> None:
        key = _key(event["object"])
        with self._lock:
            objects = dict(self._objects or {})
        if event["type"] == "DELETED":
            objects.pop(key, None)
        else:
            objects[key] = event["object"]
        self._set(objects)

    def _set(self, objects: dict[Key, dict[str, Any]]) -> None:
        with self._lock:
            self._objects = objects
        self._changed()


def _key(one: dict[str, Any]) -> Key:
    return one["metadata"].get("namespace", ""), one["metadata"]["name"]
