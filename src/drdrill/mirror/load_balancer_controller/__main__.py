"""Runs in a pod: `python -m drdrill.mirror.load_balancer_controller`."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading

from drdrill.core.clock import SystemClock
from drdrill.mirror.load_balancer_controller.cluster_api import ClusterApi
from drdrill.mirror.load_balancer_controller.controller import Controller
from drdrill.mirror.load_balancer_controller.lease import Lease
from drdrill.mirror.load_balancer_controller.target_groups import RegionTargetGroups
from drdrill.mirror.load_balancer_controller.watched import Watched

_NAME = "aws-load-balancer-controller"


def main() -> None:
    """Work until SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stdout)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    api, clock, changed = ClusterApi.in_pod(), SystemClock(), threading.Event()
    bindings, slices, services = (
        Watched(api, path, changed.set, clock)
        for path in (
            "/apis/elbv2.k8s.aws/v1beta1/targetgroupbindings",
            "/apis/discovery.k8s.io/v1/endpointslices",
            "/api/v1/services",
        )
    )
    lease = Lease(api, _NAME, os.environ.get("HOSTNAME", _NAME), clock)
    Controller(
        bindings=bindings,
        slices=slices,
        services=services,
        lease=lease,
        groups=RegionTargetGroups(),
        clock=clock,
    ).run(changed)


if __name__ == "__main__":
    main()
