"""Keeps one load balancer what it is to be: a node in every enabled zone, its configuration, its name in the DNS.

A thread for each: a node that is not heard from holds nobody else up. The DNS answers with the nodes that are heard
from and whose zones have healthy targets; with all that are heard from when no zone has (fail-open); with all when
none is heard from (User Guide, "Target group health").
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from drdrill.aws.elbv2.health import NodeView, is_zone_healthy
from drdrill.aws.elbv2.model import Phase
from drdrill.aws.elbv2.proxying import make_configuration
from drdrill.core.clock import NANOSECONDS
from drdrill.core.errors import DrdrillError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drdrill.aws.elbv2.model import ElbSettings
    from drdrill.aws.elbv2.nodes import Node, NodeFleet
    from drdrill.aws.elbv2.proxying import Attached
    from drdrill.aws.ports import TargetNames
    from drdrill.core.clock import Clock
    from drdrill.dataplane.envoy_configuration import Certificate

TTL_SECONDS = 60  # of a load balancer's own name: User Guide, "How Elastic Load Balancing works"
_log = logging.getLogger(__name__)


class BalancerKeeper:
    """One load balancer's nodes. `look` and `end` are for one thread; what was seen may be read by any."""

    def __init__(
        self, name: str, fleet: NodeFleet, names: TargetNames, settings: ElbSettings, clock: Clock
    ) -> None:
        self._name = name
        self._fleet = fleet
        self._names = names
        self._settings = settings
        self._clock = clock
        self._nodes: dict[str, Node] = {}
        self._heard: dict[str, NodeView] = {}  # when each was last heard from
        self._published: tuple[str, ...] = ()
        self._reported: bool | None = None
        self.phase = Phase.PROVISIONING
        self.views: tuple[NodeView, ...] = ()

    def __repr__(self) -> str:
        return f"BalancerKeeper({self._name})"

    def look(self, attached: Attached, certificates: Mapping[str, Certificate]) -> None:
        """Make what is missing, take away what is too much, and see how everything is."""
        self._provide(attached.balancer.zones)
        views = []
        for zone in attached.balancer.zones:
            node, seen = self._nodes.get(zone), None
            taken_ns = self._clock.now_ns()
            if node is not None:
                try:
                    node.keep(make_configuration(attached, zone, certificates))
                    seen = node.look()
                except DrdrillError as error:  # its power was cut meanwhile
                    _log.info("%s: %s", node, error)
            views.append(NodeView(zone, seen is not None, taken_ns, seen or {}))
            if seen is not None:
                self._heard[zone] = views[-1]
        self.views = tuple(views)
        if all(view.answers for view in views):
            self.phase = Phase.ACTIVE
        self._publish(attached)

    def _provide(self, zones: tuple[str, ...]) -> None:
        for zone in zones:
            if zone not in self._nodes:
                try:
                    self._nodes[zone] = self._fleet.create(self._name, zone)
                except DrdrillError:
                    _log.exception("no node of %s could be made in %s", self._name, zone)
        for zone in self._nodes.keys() - set(zones):
            self._heard.pop(zone, None)
            self._nodes.pop(zone).release()

    def _publish(self, attached: Attached) -> None:
        patience_ns = int(self._settings.node_failure_detection.total_seconds() * NANOSECONDS)
        now_ns = self._clock.now_ns()
        known = [self._heard[view.zone] for view in self.views if view.zone in self._heard]
        heard = [view for view in known if now_ns - view.taken_ns < patience_ns]
        healthy = [view for view in heard if is_zone_healthy(attached, view)]
        chosen = tuple(self._nodes[view.zone].address for view in healthy or heard or known)
        if chosen != self._published:
            if chosen:
                self._names.publish(attached.balancer.dns_name, chosen, ttl_seconds=TTL_SECONDS)
            else:
                self._names.withdraw(attached.balancer.dns_name)
            self._published, self._reported = chosen, None
        if chosen and self._reported is not bool(healthy):  # for aliases that evaluate it
            self._names.report_health(attached.balancer.dns_name, healthy=bool(healthy))
            self._reported = bool(healthy)

    def end(self, dns_name: str) -> None:
        """Take the name and all nodes away."""
        if self._published:
            self._names.report_health(dns_name, healthy=None)
            self._names.withdraw(dns_name)
            self._published = ()
        self.views = ()
        for zone in tuple(self._nodes):
            self._nodes.pop(zone).release()
