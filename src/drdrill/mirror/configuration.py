"""`environments/embedded/environment.yaml`: how the embedded mirror is built for this company."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from drdrill.plan.model import Duration, Part

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.plan.model import Plan

_SIZE = re.compile(r"(\d+)\s*(KiB|MiB|GiB)")
_UNITS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


def parse_size(value: object) -> int:
    """Turn `512 MiB` into bytes; raises ValueError with what was expected."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    found = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if not found:
        raise ValueError("a size with its unit was expected, such as `512 MiB` or `2 GiB`")
    return int(found[1]) * _UNITS[found[2]]


Size = Annotated[int, BeforeValidator(parse_size, json_schema_input_type=str)]


class Rds(Part):
    """The emulated control plane of RDS: what a customer cannot set in reality.

    `failure_detection`: for how long a server is silent before it counts as lost; zero models that a loss of power
    is known when it happens, as no health check could, and then nothing else is noticed.

    `asynchronous`: the standby follows over a link that delays and loses what it holds: no AWS instance does
    this; it is there to prove that a drill finds the loss.

    `log_upload`: how often the open part of a database's log is closed and stored with its backups: how much a restore
    to a point in time can lack after a loss. AWS does it every five minutes.
    """

    failure_detection: Duration
    disk: Size
    fencing: bool = True
    standby: Literal["synchronous", "asynchronous"] = "synchronous"
    link_delay: Duration | None = None
    log_upload: Duration = timedelta(minutes=5)


class InterRegionLink(Part):
    """The link to read replicas in the other region: what is under way is lost with its source.

    `delay`: one way, as replicas see it. `throttle`: how much a second gets through; without it as much as comes.
    """

    delay: Duration = timedelta(0)
    throttle: Size | None = None


class Kubernetes(Part):
    """Clusters, which are started when somebody asks for one.

    `needed`: the system runs in clusters, so Kubernetes' programs are made ready before a mirror is built. `images`: a
    file beside this one that says which program each image is. `node_disk`: of each node.

    `instance_checks`: for how long a machine is silent before EC2's status checks fail, and its group replaces it.
    `launch_retry`: how long a group does not ask again in a zone that refused a launch. AWS does not publish its own.
    """

    needed: bool = False
    images: str = "images.yaml"
    node_disk: Size = 512 << 20
    instance_checks: Duration = timedelta(minutes=1)
    launch_retry: Duration = timedelta(seconds=30)


class ElastiCache(Part):
    """Caches, which are made when somebody asks for one.

    `failure_detection`: as of databases: for how long a node is silent before it is lost. `memory`: what every node
    holds, whatever its type.
    """

    failure_detection: Duration = timedelta(seconds=2)
    memory: Size = 64 << 20


class Delegated(Part):
    """Who answers for the AWS services that are not the mirror's own, such as S3, IAM, KMS, SQS and EC2's networks.

    `upstream`: moto, which every mirror brings and starts when it is first asked; or the LocalStack of this machine,
    where `localstack-client` finds it (AWS_ENDPOINT_URL or LOCALSTACK_HOST): what is in that outlives the mirror.
    """

    upstream: Literal["moto", "localstack"] = "moto"


class Ci(Part):
    """The machine that deploys; where the section is missing there is none until somebody asks for one.

    `zone`: where it stands, and with which it is lost; on the internet where nothing is said.
    """

    zone: str | None = None


class System(Part):
    """The whole system, built once on a machine and kept: the next mirror is made of what was kept.

    `built_from`: files and folders that the script reads, beside itself; a change in one builds the system anew.
    `needs`: what this machine must have for it. `deploy`: a script that brings the services into what was built, each
    time that a mirror comes up; the machine that deploys is there then.
    """

    build: Annotated[str, Field(description="A script of the company that builds all of it.")]
    built_from: tuple[str, ...] = ()
    needs: tuple[Literal["terraform"], ...] = ()
    deploy: str | None = None


class EmbeddedConfiguration(Part):
    """The whole file.

    `build`: what drills of databases need, and all there is where there is no section `system`.
    """

    build: Annotated[
        str, Field(description="A script of the company that builds its system through AWS's API.")
    ]
    system: System | None = None
    rds: Rds
    inter_region_link: InterRegionLink = InterRegionLink()
    kubernetes: Kubernetes = Kubernetes()
    elasticache: ElastiCache = ElastiCache()
    delegated: Delegated = Delegated()
    ci: Ci | None = None


def describe_world(configuration: EmbeddedConfiguration, plan: Plan, folder: Path) -> dict[str, Any]:
    """Return what a world's supervisor is told, as JSON has it; `folder`: of the configuration's file."""
    rds, link, kubernetes = configuration.rds, configuration.inter_region_link, configuration.kubernetes
    asynchronous = rds.standby == "asynchronous"
    regions = (plan.regions.primary, plan.regions.recovery)
    return {
        "regions": [{"name": region.name, "zones": list(region.zones)} for region in regions],
        "kubernetes": {
            "images": str(folder / kubernetes.images),
            "node_disk_bytes": kubernetes.node_disk,
            "instance_checks_seconds": kubernetes.instance_checks.total_seconds(),
            "launch_retry_seconds": kubernetes.launch_retry.total_seconds(),
        },
        "elasticache": {
            "failure_detection_seconds": configuration.elasticache.failure_detection.total_seconds(),
            "memory_bytes": configuration.elasticache.memory,
        },
        "delegated": configuration.delegated.upstream,
        "ci": configuration.ci.model_dump() if configuration.ci else None,
        "rds": {
            "failure_detection_seconds": rds.failure_detection.total_seconds(),
            "fencing": rds.fencing,
            "disk_bytes": rds.disk,
            "log_upload_seconds": rds.log_upload.total_seconds(),
            "inter_region_link": {
                "delay_seconds": link.delay.total_seconds(),
                "bytes_per_second": link.throttle,
            },
            "link_delay_seconds": (rds.link_delay or timedelta(0)).total_seconds() if asynchronous else None,
        },
    }
