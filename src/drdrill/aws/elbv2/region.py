"""Elastic Load Balancing in one region: what it was told, the load balancers' keepers, and where targets are."""

from __future__ import annotations

import ipaddress
import logging
from typing import TYPE_CHECKING, Protocol

from drdrill.aws.ec2.model import State as InstanceState
from drdrill.aws.ec2.region import spawn_thread
from drdrill.aws.elbv2.health import NOT_IN_USE, judge_target
from drdrill.aws.elbv2.keeper import BalancerKeeper
from drdrill.aws.elbv2.model import Phase
from drdrill.aws.elbv2.proxying import Attached, Standing
from drdrill.aws.elbv2.records import Arns, Records
from drdrill.aws.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drdrill.aws.ec2.region import Ec2Region
    from drdrill.aws.elbv2.health import TargetHealth
    from drdrill.aws.elbv2.model import ElbSettings, LoadBalancer, Target, TargetGroup
    from drdrill.aws.elbv2.nodes import NodeFleet
    from drdrill.aws.ports import SecurityGroups, Subnets, TargetNames
    from drdrill.core.clock import Clock
    from drdrill.dataplane.envoy_configuration import Certificate

_LOOK_EVERY_SECONDS = 0.3
_log = logging.getLogger(__name__)


class Certificates(Protocol):
    """The certificates of ACM in one region."""

    def find(self, arn: str, /) -> Certificate | None:
        """Return a certificate that is issued, with its key; None: there is none."""
        ...


class Neighbourhood(Protocol):
    """Where addresses are, in one region."""

    def find_zone(self, address: str, /) -> str | None:
        """Return the zone in which an address is; None: in none that the region knows of."""
        ...


class ElbRegion:
    """Thread-safe. A load balancer's thread begins with it, and ends when it is gone."""

    def __init__(
        self,
        name: str,
        account: str,
        *,
        ec2: Ec2Region,
        subnets: Subnets,
        security_groups: SecurityGroups,
        neighbourhood: Neighbourhood,
        certificates: Certificates,
        fleet: NodeFleet,
        names: TargetNames,
        settings: ElbSettings,
        clock: Clock,
        spawn: Callable[[Callable[[], None]], None] = spawn_thread,
    ) -> None:
        self.name = name
        self.arns = Arns(name, account)
        self.records = Records()
        self.subnets = subnets
        self.clock = clock
        self._ec2 = ec2
        self._security_groups = security_groups
        self._neighbourhood = neighbourhood
        self._certificates = certificates
        self._fleet = fleet
        self._names = names
        self._settings = settings
        self._spawn = spawn
        self._keepers: dict[str, BalancerKeeper] = {}
        self._issued: dict[str, Certificate] = {}

    # -- load balancers -------------------------------------------------------------------------------------------

    def add(self, balancer: LoadBalancer) -> None:
        """Have a load balancer: its nodes are made from now on."""
        keeper = BalancerKeeper(f"elb-{balancer.name}", self._fleet, self._names, self._settings, self.clock)
        with self.records.lock:
            self.records.balancers[balancer.arn] = balancer
            self._keepers[balancer.arn] = keeper
        self._spawn(lambda: self._live(balancer, keeper))

    def remove(self, arn: str) -> None:
        """Have a load balancer no more: its nodes are taken away by its thread."""
        with self.records.lock:
            self.records.drop_balancer(arn)
            self._keepers.pop(arn, None)

    def phase_of(self, balancer: LoadBalancer) -> Phase:
        """Return a load balancer's state."""
        keeper = self._keepers.get(balancer.arn)
        return keeper.phase if keeper else Phase.PROVISIONING

    def look(self) -> None:
        """Look at every load balancer once."""
        for arn, keeper in tuple(self._keepers.items()):
            self._look_at(arn, keeper)

    def _look_at(self, arn: str, keeper: BalancerKeeper) -> bool:
        """Look at a load balancer once; False when it is gone."""
        with self.records.lock:
            attached = self.attach(arn)
            certificates = dict(self._issued)
        if attached is None:
            return False
        keeper.look(attached, certificates)
        return True

    def _live(self, balancer: LoadBalancer, keeper: BalancerKeeper) -> None:
        while True:
            try:
                if not self._look_at(balancer.arn, keeper):
                    keeper.end(balancer.dns_name)
                    return
            except Exception:  # noqa: BLE001 (the thread's main: one look that fails must not be the last)
                _log.exception("a look at %s failed", balancer.arn)
            self.clock.sleep(_LOOK_EVERY_SECONDS)

    def attach(self, arn: str) -> Attached | None:
        """Return a load balancer with everything that it serves now; None when it is gone."""
        with self.records.lock:
            balancer = self.records.balancers.get(arn)
            if balancer is None:
                return None
            listeners = tuple(
                (listener, self.records.rules_of(listener.arn)) for listener in self.records.listeners_of(arn)
            )
            groups = tuple(self.settle(group) for group in self.records.groups_of(arn))
        standings = {target: self.locate(target, group) for group in groups for target in group.targets}
        return Attached(balancer, listeners, groups, standings)

    # -- targets --------------------------------------------------------------------------------------------------

    def settle(self, group: TargetGroup) -> TargetGroup:
        """Return a target group without the targets that have drained."""
        now_ns = self.clock.now_ns()
        left = tuple(
            one for one in group.targets if one.drains_until_ns is None or one.drains_until_ns > now_ns
        )
        return group if left == group.targets else self.records.change_group(group.arn, targets=left)

    def locate(self, target: Target, group: TargetGroup) -> Standing:
        """Say where a target is."""
        if group.target_type == "ip":
            zone = None if target.everywhere else self._neighbourhood.find_zone(target.identifier)
            return Standing(target.identifier, zone)
        try:
            instance = self._ec2.find(target.identifier)
        except AwsError:  # terminated, and forgotten since
            return Standing("", None, gone=True)
        ended = instance.state in (InstanceState.SHUTTING_DOWN, InstanceState.TERMINATED)
        if instance.machine is None or ended:
            return Standing("", instance.zone, gone=True)
        return Standing(instance.machine.address, instance.zone)

    def judge(self, targets: Sequence[Target], group: TargetGroup) -> list[TargetHealth]:
        """Return the health of a group's targets; in several load balancers, as the first of them sees it."""
        used_by = self.records.balancers_of(group.arn)
        attached = self.attach(used_by[0]) if used_by else None
        keeper = self._keepers.get(used_by[0]) if used_by else None
        if attached is None or keeper is None:
            return [NOT_IN_USE for _ in targets]
        return [judge_target(target, group, attached, keeper.views) for target in targets]

    def require_instance(self, identifier: str) -> None:
        """Raise AWS's error for an instance that is none, or does not run."""
        try:
            state = self._ec2.find(identifier).state
        except AwsError as error:
            text = f"Instance ID '{identifier}' is not valid"
            raise AwsError("InvalidTarget", text) from error
        if state not in (InstanceState.PENDING, InstanceState.RUNNING, InstanceState.STOPPED):
            text = (
                f"The following targets are not in a running state and cannot be registered: '{identifier}'"
            )
            raise AwsError("InvalidTarget", text)

    def require_security_groups(self, wanted: Sequence[str]) -> tuple[str, ...]:
        """Return security groups, each once; raises AWS's error for one that there is not."""
        chosen = tuple(dict.fromkeys(wanted))
        for missing in self._security_groups.find_missing(chosen):
            raise AwsError("InvalidSecurityGroup", f"The security group '{missing}' does not exist")
        return chosen

    def require_address(self, address: str, vpc: str, *, placed: bool) -> None:
        """Raise AWS's error for an address that cannot be a target: only private ones can.

        `placed`: a zone is named for it, as outside the VPC it has to be. Inside is where hosts and pods are, too,
        whatever the VPC's subnets are.
        """
        try:
            parsed = ipaddress.IPv4Address(address)
        except ValueError as error:
            raise AwsError("ValidationError", f"The IP address '{address}' is not valid") from error
        if not any(parsed in network for network in _PRIVATE):
            text = f"The IP address '{address}' is not within a range that can be registered"
            raise AwsError("InvalidTarget", text)
        if not placed and self._neighbourhood.find_zone(address) is None and not self._covers(vpc, parsed):
            text = (
                "You must specify a valid Availability Zone or select 'all' for all enabled Availability zones, since "
                f"the IP address '{address}' is outside the VPC"
            )
            raise AwsError("ValidationError", text)

    def _covers(self, vpc: str, address: ipaddress.IPv4Address) -> bool:
        subnets = [one for one in self._ec2.subnets.describe_subnets() if one["VpcId"] == vpc]
        return any(address in ipaddress.IPv4Network(one["CidrBlock"]) for one in subnets)

    # -- certificates ---------------------------------------------------------------------------------------------

    def require_certificates(self, arns: Mapping[str, bool] | tuple[str, ...]) -> None:
        """Have certificates at hand; raises AWS's error for one that there is not, or that is not issued."""
        for arn in arns:
            if arn not in self._issued:
                found = self._certificates.find(arn)
                if found is None:
                    raise AwsError("CertificateNotFound", f"Certificate '{arn}' not found")
                with self.records.lock:
                    self._issued[arn] = found


# RFC 1918, and RFC 6598 for shared ones: API reference, CreateTargetGroup, TargetType `ip`.
_PRIVATE = tuple(
    map(ipaddress.IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"))
)
