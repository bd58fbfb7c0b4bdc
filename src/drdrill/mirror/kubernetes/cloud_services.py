"""EKS, EC2 and Auto Scaling of all regions over the mirror's clusters, and what can be broken in them."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from drdrill.aws.autoscaling import AutoScalingRegion, AutoScalingService, AutoScalingSettings
from drdrill.aws.ec2 import Ec2Region, Ec2Service, Ec2Settings, Refusal, make_zones
from drdrill.aws.eks import Authenticator, EksRegion, EksService
from drdrill.aws.rds import ACCOUNT
from drdrill.aws.sts import name_caller
from drdrill.aws.upstream_client import UpstreamClient
from drdrill.core.errors import UsageError
from drdrill.mirror.access_keys import ACCESS_KEY, SECRET_KEY
from drdrill.mirror.kubernetes.cloud import RegionClusters

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from drdrill.aws.eks.authenticator import Application
    from drdrill.aws.gate import Service
    from drdrill.aws.ports import Subnets
    from drdrill.aws.upstream import Upstream
    from drdrill.core.clock import Clock
    from drdrill.mirror.kubernetes.clusters import Clusters
    from drdrill.mirror.network import Network

_log = logging.getLogger("drdrill.mirror.kubernetes")
# AWS's own words (EC2 User Guide, "Troubleshoot Amazon EC2 instance launch issues"; API reference, "Error codes").
_REFUSALS = {
    "InsufficientInstanceCapacity": (
        "We currently do not have sufficient {type} capacity in the Availability Zone you requested ({zone}). "
        "Our system will be working on provisioning additional capacity."
    ),
    "VcpuLimitExceeded": (
        "You have requested more vCPU capacity than your current vCPU limit allows for the instance bucket that the "
        "specified instance type belongs to. Please visit http://aws.amazon.com/contact-us/ec2-request to request an "
        "adjustment to this limit."
    ),
    "InstanceLimitExceeded": (
        "You have requested more instances than your current instance limit allows for the specified instance type."
    ),
    "InsufficientFreeAddressesInSubnet": (
        "There are not enough free addresses in the subnet of {zone} to satisfy the requested number of instances."
    ),
}


class CloudServices:
    """The three services in every region, with the operations of the control socket that break them, in `table`."""

    def __init__(
        self,
        network: Network,
        clusters: Clusters,
        settings: Mapping[str, Any],
        clock: Clock,
        *,
        secrets: Path,
        upstream: Upstream,
    ) -> None:
        self._clock = clock
        self._lost: dict[str, Refusal] = {}  # what is refused in each zone that is lost
        self._ec2: dict[str, Ec2Region] = {}
        self._eks: dict[str, EksRegion] = {}
        self.services: dict[tuple[str, str], Service] = {}
        self.subnets: dict[str, Subnets] = {}  # of every region
        names = [layout.name for layout in network.regions]
        checks = Ec2Settings(timedelta(seconds=settings["instance_checks_seconds"]))
        scaling = AutoScalingSettings(timedelta(seconds=settings["launch_retry_seconds"]))
        for layout in network.regions:
            fleet = RegionClusters(network, layout, clusters, secrets, clock)
            zones = make_zones(layout.name, fleet.networks)
            client = UpstreamClient(upstream, layout.name)
            ec2 = self._ec2[layout.name] = Ec2Region(
                layout.name, ACCOUNT, zones, checks, clock, upstream=client
            )
            groups = AutoScalingRegion(ec2, ACCOUNT, scaling, clock)
            eks = self._eks[layout.name] = EksRegion(fleet, groups, ACCOUNT, clock)
            self.subnets[layout.name] = ec2.subnets
            self.services[layout.name, "ec2"] = Ec2Service(ec2, names)
            self.services[layout.name, "autoscaling"] = AutoScalingService(groups)
            self.services[layout.name, "eks"] = EksService(eks, name_caller(ACCOUNT))

    @property
    def eks(self) -> Mapping[str, EksRegion]:
        """EKS of every region."""
        return self._eks

    @property
    def ec2(self) -> Mapping[str, Ec2Region]:
        """EC2 of every region."""
        return self._ec2

    def authenticate(self, gate: Application) -> Authenticator:
        """Return what stands before the gate and answers API servers that ask whose a token is."""
        return Authenticator(
            gate, self._eks, secrets={ACCESS_KEY: SECRET_KEY}, clock=self._clock, report=_log.warning
        )

    def table(self) -> Mapping[str, Callable[..., Mapping[str, Any]]]:
        """Return the operations by name."""
        return {
            "refuse_launches": self.refuse_launches,
            "allow_launches": self.allow_launches,
        }

    def refuse_launches(
        self, region: str, code: str, zones: Sequence[str] | None = None
    ) -> Mapping[str, Any]:
        """Have EC2 refuse every launch in a region, or in some of its zones, with one of AWS's codes."""
        ec2 = self._find_region(region)
        if code not in _REFUSALS:
            raise UsageError(
                f"launches cannot be refused with `{code}`; they can with {', '.join(_REFUSALS)}."
            )
        for zone in zones or ():
            if zone not in {one.name for one in ec2.zones}:
                raise UsageError(f"there is no zone `{zone}` in {region}.")
        added = [Refusal(code, _REFUSALS[code], zone) for zone in zones or (None,)]
        ec2.refuse([*(one for one in ec2.refusals if one not in added), *added])
        return self._describe_refusals(ec2)

    def allow_launches(self, region: str) -> Mapping[str, Any]:
        """Have EC2 refuse no launch in a region any more, but in zones that are lost; harmless when it refuses none."""
        ec2 = self._find_region(region)
        ec2.refuse([one for one in ec2.refusals if one in self._lost.values()])
        return self._describe_refusals(ec2)

    def stop_launches(self, zone: str, /) -> None:
        """Launch nothing in a zone that is lost, as EC2 does: there is no capacity."""
        ec2 = self._find_region_of(zone)
        code = "InsufficientInstanceCapacity"
        self._lost[zone] = Refusal(code, _REFUSALS[code], zone, lost=True)
        ec2.refuse([*(one for one in ec2.refusals if one != self._lost[zone]), self._lost[zone]])

    def resume_launches(self, zone: str, /) -> None:
        """Launch there again, as far as nothing else is refused."""
        ec2 = self._find_region_of(zone)
        lost = self._lost.pop(zone, None)
        ec2.refuse([one for one in ec2.refusals if one != lost])

    def _find_region_of(self, zone: str) -> Ec2Region:
        return next(ec2 for ec2 in self._ec2.values() if zone in {one.name for one in ec2.zones})

    def _find_region(self, region: str) -> Ec2Region:
        if region not in self._ec2:
            raise UsageError(f"there is no region `{region}` in this mirror: {', '.join(self._ec2)}.")
        return self._ec2[region]

    @staticmethod
    def _describe_refusals(ec2: Ec2Region) -> Mapping[str, Any]:
        return {"refused": [{"code": one.code, "zone": one.zone} for one in ec2.refusals]}
