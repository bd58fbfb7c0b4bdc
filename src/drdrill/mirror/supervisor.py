"""The supervisor: serves AWS in a world whose network is built, and obeys the control socket.

Started by `drdrill.mirror.world_init`, which imports it while it builds the network.
"""

from __future__ import annotations

import logging
import sys
import threading
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from drdrill.aws.cloudwatch import CloudWatchService, MetricStore
from drdrill.aws.delegation import Delegation
from drdrill.aws.ec2.security_groups import UpstreamSecurityGroups
from drdrill.aws.gate import Gate, Service
from drdrill.aws.kms import UpstreamKeys
from drdrill.aws.rds import ACCOUNT, RdsRegion, RdsService, RdsSettings
from drdrill.aws.route53 import REGION as ROUTE53_REGION
from drdrill.aws.route53 import Route53Service
from drdrill.aws.sts import StsService
from drdrill.aws.upstream_client import UpstreamClient
from drdrill.aws.web_identity import WebIdentities
from drdrill.core.clock import SystemClock
from drdrill.dataplane.link import LinkCondition
from drdrill.mirror.backup_store import FolderStore
from drdrill.mirror.caches import Caches
from drdrill.mirror.call_log import CallLog
from drdrill.mirror.call_record import CallRecord
from drdrill.mirror.capacity import CapacityReadings
from drdrill.mirror.control import ControlServer
from drdrill.mirror.control_plane_faults import ControlPlaneFaults
from drdrill.mirror.control_planes import ControlPlanes
from drdrill.mirror.delivery.machine import DeliveryMachine
from drdrill.mirror.endpoints import open_endpoints
from drdrill.mirror.global_dns import open_route53
from drdrill.mirror.isolation import Isolation
from drdrill.mirror.isolation_faults import IsolationFaults
from drdrill.mirror.keeping import Keeping, open_keepers
from drdrill.mirror.kubernetes.cloud_services import CloudServices
from drdrill.mirror.kubernetes.clusters import open_clusters
from drdrill.mirror.kubernetes.token_keys import TokenKeys
from drdrill.mirror.load_balancers import LoadBalancers
from drdrill.mirror.memory import MemoryReadings
from drdrill.mirror.network import RegionFleet
from drdrill.mirror.object_replication import MirrorLinks, ObjectReplication
from drdrill.mirror.operations import Operations
from drdrill.mirror.picture import Picture
from drdrill.mirror.picture_parts import (
    Databases,
    look_at_buckets,
    look_at_clusters,
    look_at_load_balancers,
    look_at_services,
)
from drdrill.mirror.place_faults import PlaceFaults
from drdrill.mirror.power import PowerOperations
from drdrill.mirror.upstream.opening import open_upstream, read_networks
from drdrill.mirror.zones import ZoneOperations

if TYPE_CHECKING:
    from drdrill.dataplane.dns import DnsServer
    from drdrill.mirror.directory import MirrorDirectory
    from drdrill.mirror.network import Network

_log = logging.getLogger("drdrill.mirror.supervisor")


def run_supervisor(
    directory: MirrorDirectory, settings: dict[str, Any], network: Network, names: DnsServer
) -> None:
    """Serve until `stop` is asked for."""
    clock = SystemClock()
    rds_settings = RdsSettings(
        failure_detection=timedelta(seconds=settings["rds"]["failure_detection_seconds"]),
        fencing=settings["rds"]["fencing"],
        asynchronous_delay=(
            None
            if settings["rds"]["link_delay_seconds"] is None
            else timedelta(seconds=settings["rds"]["link_delay_seconds"])
        ),
        disk_bytes=settings["rds"]["disk_bytes"],
        inter_region_link=LinkCondition(**settings["rds"]["inter_region_link"]),
        log_upload=timedelta(seconds=settings["rds"]["log_upload_seconds"]),
    )
    fleets = [
        RegionFleet(network, layout, FolderStore(directory.backups / layout.name))
        for layout in network.regions
    ]
    upstream = open_upstream(network, directory, ACCOUNT, settings["delegated"])
    subnets = read_networks(network, upstream, ACCOUNT)
    security_groups = {
        fleet.region: UpstreamSecurityGroups(UpstreamClient(upstream, fleet.region)) for fleet in fleets
    }
    rds = {
        fleet.region: RdsRegion(
            fleet, names, rds_settings, clock, directory.logs,
            subnets=subnets[fleet.region], keys=UpstreamKeys(UpstreamClient(upstream, fleet.region)),
            security_groups=security_groups[fleet.region],
        )
        for fleet in fleets
    }  # fmt: skip
    isolation = Isolation(network.regions)
    for region in rds.values():
        region.elsewhere = rds
        region.hears = partial(isolation.hear_each_other, region.name)
    services: dict[tuple[str, str], Service] = {}
    stores = {name: MetricStore(clock) for name in rds}
    for name, region in rds.items():
        metrics = stores[name]
        region.on_metric = metrics.put
        services[name, "rds"] = RdsService(region)
        services[name, "monitoring"] = CloudWatchService(metrics)
    route53 = open_route53(network, names, directory, clock)
    services[ROUTE53_REGION, "route53"] = Route53Service(route53)
    clusters = open_clusters(network, names, directory, settings["kubernetes"], clock)
    for name in (*rds, ROUTE53_REGION):  # who calls a global service asks there who it is
        identities = WebIdentities(UpstreamClient(upstream, name), TokenKeys(clusters), ACCOUNT, clock)
        services[name, "sts"] = StsService(ACCOUNT, identities)
    cloud = CloudServices(
        network, clusters, settings["kubernetes"], clock, secrets=directory.secrets, upstream=upstream
    )
    services |= cloud.services
    balancers = LoadBalancers(
        network, fleets, clusters, cloud.ec2, names=names, upstream=upstream, directory=directory, clock=clock
    )
    services |= balancers.services
    caches = Caches(
        fleets, names, settings["elasticache"], clock,
        logs=directory.logs, metrics=stores, subnets=cloud.subnets, security_groups=security_groups,
    )  # fmt: skip
    services |= caches.services
    delegation = Delegation(upstream, [layout.name for layout in network.regions])
    objects = ObjectReplication(delegation, network, MirrorLinks(network, isolation, rds), stores, clock)
    gate = Gate(services, report=_log.error, delegation=delegation)
    control_planes = ControlPlanes(
        cloud.authenticate(gate),
        knows=lambda region, service: (region, service) in services or delegation.covers(region, service),
    )
    calls = CallLog(control_planes, clock)
    endpoints = open_endpoints(network, names, directory.secrets, calls)
    stopped = threading.Event()
    operations = Operations(directory.name, network, rds, clock, stop=stopped.set)

    def notice_power(host: str) -> None:
        for region in rds.values():
            for instance in region.instances():
                instance.notice_power(host)

    delivery = DeliveryMachine(network, names, directory, clock)
    if settings.get("ci"):
        delivery.start(**settings["ci"])
    keeping = Keeping(
        lambda: open_keepers(
            upstream,
            rds=rds,
            eks=cloud.eks,
            elbv2=balancers.regions,
            apis=balancers.gateways,
            caches=caches.regions,
            objects=objects,
            route53=route53,
            home=directory.disks / "operator",
            delivery=delivery,
        )
    )
    picture = Picture(
        network,
        {
            "databases": Databases(rds, clock).look,
            "caches": caches.look,
            "clusters": lambda: look_at_clusters(clusters),
            "services": lambda: look_at_services(clusters),
            "load balancers": lambda: look_at_load_balancers(balancers.regions),
            "buckets": lambda: look_at_buckets(objects.read_backlog()["backlogs"]),
        },
    )
    zones = ZoneOperations(network, cloud, notice_power)
    tables = (
        operations.table(),
        keeping.table(),
        PowerOperations(network).table(),
        zones.table(),
        PlaceFaults(network, zones, clock).table(),
        IsolationFaults(network, isolation, clock).table(),
        control_planes.table(),
        CallRecord(calls, network, endpoints, rds, clock).table(),
        ControlPlaneFaults(
            control_planes,
            list(rds),
            clock,
            services_of=lambda region: (
                {s for at, s in services if at == region} | delegation.services_in(region)
            ),
            databases=lambda: [
                (one.record.region, one.record.endpoint)
                for region in rds.values()
                for one in region.instances()
            ],
            names=route53.find_names,
            global_region=ROUTE53_REGION,
        ).table(),
        clusters.table(),
        cloud.table(),
        delivery.table(),
        objects.table(),
        caches.table(),
        picture.table(),
        MemoryReadings(network.hosts).table(),
        CapacityReadings(clusters, [layout.name for layout in network.regions]).table(),
    )
    ControlServer(directory.control, {name: perform for table in tables for name, perform in table.items()})
    sys.stdout.write('{"ready": true}\n')
    sys.stdout.flush()
    stopped.wait()
