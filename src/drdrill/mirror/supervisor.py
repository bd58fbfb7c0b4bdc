"""The supervisor: a world's first process. It builds the network, serves DNS and AWS, and obeys the control socket.

Started by `drdrill.mirror.seed` in fresh namespaces. Its standard input is the lifeline, whose first line says what it
is to build: when the owner dies, it ends, and the kernel ends everything in the world with it. A world that is to stand
by itself is let go of by one byte, when everything is built and noted.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

from drdrill.aws.cloudwatch import CloudWatchService, MetricStore
from drdrill.aws.delegation import Delegation
from drdrill.aws.gate import Gate, Service
from drdrill.aws.rds import ACCOUNT, RdsRegion, RdsService, RdsSettings
from drdrill.aws.route53 import Route53Service
from drdrill.aws.route53 import api as route53
from drdrill.aws.sts import StsService
from drdrill.core.clock import SystemClock
from drdrill.core.errors import DrdrillError
from drdrill.dataplane import dns
from drdrill.dataplane.link import LinkCondition
from drdrill.mirror.backup_store import FolderStore
from drdrill.mirror.control import ControlServer
from drdrill.mirror.delivery.machine import DeliveryMachine
from drdrill.mirror.directory import MirrorDirectory
from drdrill.mirror.endpoints import open_endpoints
from drdrill.mirror.kubernetes.cloud_services import CloudServices
from drdrill.mirror.kubernetes.clusters import open_clusters
from drdrill.mirror.load_balancers import LoadBalancers
from drdrill.mirror.network import DNS_ADDRESS, INTERNET, Network, RegionFleet, RegionLayout
from drdrill.mirror.object_replication import ObjectReplication
from drdrill.mirror.operations import Operations
from drdrill.mirror.power import PowerOperations
from drdrill.mirror.upstream.opening import open_upstream

_SMALL_DISK = 64 << 20
_log = logging.getLogger("drdrill.mirror.supervisor")


def run_supervisor(directory: MirrorDirectory, settings: dict[str, Any]) -> None:
    """Build the world and serve until the lifeline breaks or `stop` is asked for."""
    threading.Thread(target=_follow_lifeline, name="lifeline", daemon=True).start()
    clock = SystemClock()
    network = Network(
        [RegionLayout(r["name"], tuple(r["zones"])) for r in settings["regions"]], directory.disks
    )
    network.build()
    for name in ("operator", "users"):
        network.create_host(name, INTERNET, disk_bytes=_SMALL_DISK)
    names = _start_dns(network, directory)
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
    rds = {fleet.region: RdsRegion(fleet, names, rds_settings, clock, directory.logs) for fleet in fleets}
    for region in rds.values():
        region.elsewhere = rds
    services: dict[tuple[str, str], Service] = {}
    stores = {name: MetricStore(clock) for name in rds}
    for name, region in rds.items():
        metrics = stores[name]
        region.on_metric = metrics.put
        services[name, "rds"] = RdsService(region)
        services[name, "monitoring"] = CloudWatchService(metrics)
        services[name, "sts"] = StsService(ACCOUNT)
    services[route53.REGION, "route53"] = Route53Service(names, clock)
    clusters = open_clusters(network, names, directory, settings["kubernetes"], clock)
    upstream = open_upstream(network, directory, ACCOUNT)
    cloud = CloudServices(
        network, clusters, settings["kubernetes"], clock, secrets=directory.secrets, upstream=upstream
    )
    services |= cloud.services
    balancers = LoadBalancers(
        network, fleets, clusters, cloud.ec2, names=names, upstream=upstream, directory=directory, clock=clock
    )
    services |= balancers.services
    delegation = Delegation(upstream, [layout.name for layout in network.regions])
    objects = ObjectReplication(delegation, network, rds, stores, clock)
    gate = Gate(services, report=_log.error, delegation=delegation)
    open_endpoints(network, names, directory.secrets, cloud.authenticate(gate))
    stopped = threading.Event()
    operations = Operations(directory.name, network, rds, clock, stop=stopped.set)
    delivery = DeliveryMachine(network, names, directory, clock)
    if settings.get("ci"):
        delivery.start(**settings["ci"])
    tables = (
        operations.table(),
        PowerOperations(network).table(),
        clusters.table(),
        cloud.table(),
        delivery.table(),
        objects.table(),
    )
    ControlServer(directory.control, {name: perform for table in tables for name, perform in table.items()})
    sys.stdout.write('{"ready": true}\n')
    sys.stdout.flush()
    stopped.wait()


def _await_task() -> tuple[MirrorDirectory, dict[str, Any]]:
    """Return what the owner says is to be built, in the lifeline's first line; end with an owner that says nothing."""
    line = b""
    while not line.endswith(b"\n"):  # byte by byte: what comes after the line is not ours
        said = os.read(0, 1)
        if not said:
            sys.exit(0)
        line += said
    task = json.loads(line)
    return MirrorDirectory(Path(task["directory"])), task["settings"]


def _follow_lifeline() -> None:
    if os.read(0, 1):
        return  # it stands by itself from now on
    _log.warning("the owner of this mirror is gone")
    os._exit(0)  # at once, whatever is being built: the world ends with us


def _start_dns(network: Network, directory: MirrorDirectory) -> dns.DnsServer:
    host = network.create_host("dns", INTERNET, disk_bytes=_SMALL_DISK, address=DNS_ADDRESS)
    command = dns.server_command(DNS_ADDRESS)
    return dns.DnsServer(host.spawn_piped(command, log=directory.logs / "dns.log"))


def _give_the_world_its_files(directory: MirrorDirectory) -> None:
    """Bind the world's own resolver, names and authorities over the machine's: nothing asks the machine's resolver."""
    files = {
        "/etc/resolv.conf": f"nameserver {DNS_ADDRESS}\noptions timeout:1 attempts:2\n",
        "/etc/hosts": "127.0.0.1 localhost\n",
        "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
    }
    authorities = Path("/etc/ssl/certs/ca-certificates.crt")
    if authorities.exists():
        own = (directory.path / "authority.pem").read_text(encoding="ascii")
        files[str(authorities)] = authorities.read_text(encoding="utf-8") + own
    folder = directory.path / "etc"
    folder.mkdir()
    for target, content in files.items():
        source = folder / Path(target).name
        source.write_text(content, encoding="utf-8")
        if Path(target).exists():
            subprocess.run(["mount", "--bind", str(source), target], check=True, capture_output=True)


def _reap(child: int) -> int:
    """Wait for orphans of the world until the supervisor itself ends; return its exit status."""
    while True:
        pid, status = os.wait()
        if pid == child:
            return os.waitstatus_to_exitcode(status)


def main() -> None:
    """Stay as the world's init, and let a child be the supervisor: its waits and the init's must not mix."""
    # The terminal's Ctrl-C is for the runner, which ends us by the lifeline.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    directory, settings = _await_task()
    log = os.open(directory.logs / "supervisor.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, sys.stderr.fileno())
    os.close(log)
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    child = os.fork()
    if child:
        sys.exit(abs(_reap(child)))
    status = 0
    try:
        _give_the_world_its_files(directory)
        run_supervisor(directory, settings)
    except Exception as error:  # noqa: BLE001 (the process's main: nothing may end it without a word)
        _log.exception("this mirror ends")
        said = error.stderr if isinstance(error, subprocess.CalledProcessError) else b""
        words = str(error) if isinstance(error, DrdrillError) else f"{type(error).__name__}: {error}"
        sys.stdout.write(json.dumps({"error": f"{words} {(said or b'').decode()}".strip()}) + "\n")
        status = 1
    finally:
        with contextlib.suppress(BrokenPipeError):
            sys.stdout.flush()
        os._exit(status)  # threads of ours may sit in a call to a dead server


if __name__ == "__main__":
    main()
