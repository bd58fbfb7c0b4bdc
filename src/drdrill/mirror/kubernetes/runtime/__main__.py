"""Starts the container runtime of a node, in the node's own namespaces and before its kubelet.

python -m drdrill.mirror.kubernetes.runtime --socket /run/cri.sock --state /data/cri --catalogue images.yaml \
        --pod-range 10.20.64.0/24
"""

from __future__ import annotations

import argparse
import logging
import signal
import threading
from pathlib import Path

from drdrill.core.clock import SystemClock
from drdrill.mirror.kubernetes.runtime.catalogue import Catalogue, PulledImages
from drdrill.mirror.kubernetes.runtime.containers import Containers
from drdrill.mirror.kubernetes.runtime.image_service import ImageService
from drdrill.mirror.kubernetes.runtime.keepers import Nursery
from drdrill.mirror.kubernetes.runtime.memory_watch import MemoryWatch
from drdrill.mirror.kubernetes.runtime.pod_network import PodNetwork
from drdrill.mirror.kubernetes.runtime.pods import Pods
from drdrill.mirror.kubernetes.runtime.records import Records
from drdrill.mirror.kubernetes.runtime.server import Server
from drdrill.mirror.kubernetes.runtime.service import RuntimeService
from drdrill.mirror.kubernetes.runtime.streams import StreamingServer

_log = logging.getLogger("drdrill.mirror.kubernetes.runtime")


def main() -> None:
    """Serve until SIGTERM. Pods go on; the next runtime with the same state finds them again."""
    options = _parse()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    clock = SystemClock()
    options.state.mkdir(parents=True, exist_ok=True)
    records = Records(options.state)
    network = PodNetwork(options.pod_range, [pod.address for pod in records.list_pods() if pod.address])
    network.prepare()
    nursery = Nursery()
    pods = Pods(records, nursery, network, clock)
    pods.settle()
    images = PulledImages(options.state / "images.json", Catalogue(options.catalogue, options.authorities))
    containers = Containers(records, pods, images, clock)
    watch = MemoryWatch(records, containers)
    server = Server(
        {
            "RuntimeService": RuntimeService(
                records, pods, containers, StreamingServer(options.streaming_socket), clock
            ),
            "ImageService": ImageService(images, options.state, clock),
        },
        options.socket,
    )
    watch.start()
    server.start()
    _log.info("listening at %s with %d pods found again", options.socket, len(records.list_pods()))
    ended.wait()
    server.stop()
    watch.stop()
    nursery.stop()


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m drdrill.mirror.kubernetes.runtime", description=__doc__)
    parser.add_argument("--socket", type=Path, required=True, help="Unix socket that the kubelet connects to")
    parser.add_argument("--state", type=Path, required=True, help="directory on the node's disk")
    parser.add_argument(
        "--catalogue", type=Path, required=True, help="YAML file: which program an image stands for"
    )
    parser.add_argument(
        "--pod-range", required=True, help="IPv4 range of the pods' addresses, e.g. 10.20.64.0/24"
    )
    parser.add_argument("--authorities", type=Path, help="file of the certificates that every image trusts")
    parser.add_argument("--streaming-socket", type=Path, help="Unix socket of the node's streaming server")
    return parser.parse_args()


if __name__ == "__main__":
    main()
