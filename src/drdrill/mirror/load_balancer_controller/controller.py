"""Makes target groups have the targets that the cluster's bindings want, whenever one of both changes.

What nobody's binding names any more is let go of: also targets of an earlier cluster, whose pods had other addresses.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Protocol

from drdrill.core.clock import NANOSECONDS
from drdrill.mirror.load_balancer_controller.bindings import (
    Binding,
    BindingError,
    Target,
    find_targets,
    read_binding,
)
from drdrill.mirror.load_balancer_controller.lease import RENEW_SECONDS
from drdrill.mirror.load_balancer_controller.target_groups import GroupError

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Mapping

    from drdrill.core.clock import Clock
    from drdrill.mirror.load_balancer_controller.lease import Lease

_LOOK_AGAIN_NS = 60 * NANOSECONDS  # for what was changed beside us in the region
_log = logging.getLogger(__name__)
Key = tuple[str, str]


class Follows(Protocol):
    """All objects of a kind, as they are now."""

    def start(self) -> None:
        """Begin to follow."""
        ...

    def all(self) -> dict[Key, dict[str, Any]] | None:
        """Return them by namespace and name; None: not known yet."""
        ...


class TargetGroups(Protocol):
    """Target groups, by name or ARN."""

    def read(self, group: str, /) -> frozenset[Target]:
        """Return a group's targets."""
        ...

    def register(self, group: str, targets: Iterable[Target], /) -> None:
        """Register targets."""
        ...

    def deregister(self, group: str, targets: Iterable[Target], /) -> None:
        """Let targets go."""
        ...


class Controller:
    """For one thread, which `run` takes."""

    def __init__(
        self,
        *,
        bindings: Follows,
        slices: Follows,
        services: Follows,
        lease: Lease,
        groups: TargetGroups,
        clock: Clock,
    ) -> None:
        self._bindings = bindings
        self._slices = slices
        self._services = services
        self._lease = lease
        self._groups = groups
        self._clock = clock
        self._bound: dict[Key, Binding] = {}
        self._looked_ns: int | None = None
        self._said: dict[Key, str] = {}

    def run(self, changed: threading.Event) -> None:
        """Work for ever: when something changed, again after a failure, and every minute."""
        for each in (self._lease, self._bindings, self._slices, self._services):
            each.start()
        due = True
        while True:
            due = changed.wait(RENEW_SECONDS) or due
            changed.clear()
            if not self._lease.hold():
                due = True  # who begins to work looks at everything
                continue
            now_ns = self._clock.now_ns()
            if due or self._looked_ns is None or now_ns - self._looked_ns >= _LOOK_AGAIN_NS:
                self._looked_ns = now_ns
                due = not self.work()

    def work(self) -> bool:
        """Bring every target group to what its binding wants; false: something has to be tried again."""
        bindings, slices, services = self._bindings.all(), self._slices.all(), self._services.all()
        if bindings is None or slices is None or services is None:
            return False
        done = True
        for key, one in bindings.items():
            done = self._bind(key, one, services, slices.values()) and done
        for key in self._bound.keys() - bindings.keys():
            done = self._unbind(key) and done
        return done

    def _bind(
        self,
        key: Key,
        described: Mapping[str, Any],
        services: Mapping[Key, Mapping[str, Any]],
        slices: Iterable[Mapping[str, Any]],
    ) -> bool:
        try:
            binding = read_binding(described)
            wanted = find_targets(binding, services, slices)
            self._bound[key] = binding
            self._change(binding.group, wanted)
        except (BindingError, GroupError) as error:
            self._say(key, str(error))
            return False
        self._say(key, "")
        return True

    def _change(self, group: str, wanted: frozenset[Target]) -> None:
        there = self._groups.read(group)
        if missing := wanted - there:
            self._groups.register(group, missing)
            _log.info("%s: registered %s", group, _name(missing))
        if surplus := there - wanted:
            self._groups.deregister(group, surplus)
            _log.info("%s: deregistered %s", group, _name(surplus))

    def _unbind(self, key: Key) -> bool:
        try:
            self._change(self._bound[key].group, frozenset())
        except GroupError as error:
            self._say(key, str(error))
            return False
        del self._bound[key]
        self._said.pop(key, None)
        return True

    def _say(self, key: Key, problem: str) -> None:
        """Log a problem once, however often it is met."""
        if problem and self._said.get(key) != problem:
            _log.warning("%s/%s: %s", *key, problem)
        self._said[key] = problem


def _name(targets: Iterable[Target]) -> str:
    return ", ".join(sorted(f"{one.address}:{one.port}" for one in targets))
