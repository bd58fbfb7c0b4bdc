"""The life of pod sandboxes: made with namespaces, an address and a keeper; stopped; removed."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

from drdrill.core.errors import DrdrillError, EnvironmentFailedError
from drdrill.core.waiting import wait_until
from drdrill.mirror import kernel
from drdrill.mirror.kubernetes.runtime.cri import api_pb2 as cri
from drdrill.mirror.kubernetes.runtime.errors import NotFoundError, NotOfferedError
from drdrill.mirror.kubernetes.runtime.keepers import ask_keeper
from drdrill.mirror.kubernetes.runtime.launching import describe_resolver
from drdrill.mirror.kubernetes.runtime.pod.launch import PodSetting
from drdrill.mirror.kubernetes.runtime.pod_network import default_sysctls
from drdrill.mirror.kubernetes.runtime.records import Pod

if TYPE_CHECKING:
    from drdrill.core.clock import Clock
    from drdrill.mirror.kubernetes.runtime.keepers import Nursery
    from drdrill.mirror.kubernetes.runtime.pod_network import PodNetwork
    from drdrill.mirror.kubernetes.runtime.records import Records

_ID_BYTES = 32
_SHM_SIZE = "64m"  # containerd's
_END_WITHIN = timedelta(seconds=10)  # measured 5 ms
_POLL = timedelta(milliseconds=2)


class Pods:
    """Runs, stops and removes pod sandboxes. Thread-safe; each verb may be repeated."""

    def __init__(self, records: Records, nursery: Nursery, network: PodNetwork, clock: Clock) -> None:
        self._records = records
        self._nursery = nursery
        self._network = network
        self._clock = clock
        self._lock = threading.Lock()
        self._locks: dict[str, threading.RLock] = {}

    def run(self, config: cri.PodSandboxConfig) -> Pod:
        """Make a pod and return it; raises `NotOfferedError`, `EnvironmentFailedError`."""
        options = config.linux.security_context.namespace_options
        own_network = options.network != cri.NODE
        if own_network and any(port.host_port for port in config.port_mappings):
            raise NotOfferedError(
                "hostPort is not offered: there is no address translation. Use hostNetwork."
            )
        identity = secrets.token_hex(_ID_BYTES)
        created_ns = int(self._clock.utc().timestamp() * 1e9)
        pod = Pod(identity, self._records.place_pod(identity), config, created_ns)
        pod.directory.mkdir(parents=True)
        try:
            self._write_files(pod, own_ipc=options.ipc != cri.NODE)
            pod.keeper = self._nursery.fork(PodSetting(
                directory=str(pod.directory),
                hostname=config.hostname or os.uname().nodename,
                own_network=own_network,
                own_ipc=options.ipc != cri.NODE,
                shares_processes=options.pid == cri.POD,
                sysctls={**default_sysctls(own_network=own_network), **config.linux.sysctls},
            ))  # fmt: skip
            if own_network:
                pod.address = self._network.attach(pod.keeper.pid)
            pod.save()
        except BaseException:
            self._records.pods[identity] = pod
            self.remove(identity)
            raise
        self._records.pods[identity] = pod
        return pod

    def _write_files(self, pod: Pod, *, own_ipc: bool) -> None:
        (pod.directory / "resolv.conf").write_text(describe_resolver(pod.config.dns_config), encoding="utf-8")
        (pod.directory / "hostname").write_text(f"{pod.config.hostname}\n", encoding="utf-8")
        shared = pod.directory / "shm"
        shared.mkdir()
        if own_ipc:
            kernel.mount(
                "shm", str(shared), "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, f"mode=1777,size={_SHM_SIZE}"
            )
        else:
            kernel.mount("/dev/shm", str(shared), flags=kernel.MS_BIND)  # noqa: S108  (the node's own)

    def find(self, identity: str) -> Pod:
        """Return a pod; raises `NotFoundError`."""
        pod = self._records.pods.get(identity)
        if pod is None:
            raise NotFoundError(f"there is no pod sandbox {identity}.")
        return pod

    def stop(self, identity: str) -> None:
        """Kill what runs in a pod and take its address away. Harmless when it was stopped, or is not there."""
        with self._hold(identity):
            pod = self._records.pods.get(identity)
            if pod is None or (pod.keeper is None and not pod.address):
                return
            keeper = pod.keeper
            if keeper is not None and keeper.lives():
                if pod.address:
                    self._network.release(pod.address)  # first: a stopped pod is silent, it does not refuse
                with contextlib.suppress(EnvironmentFailedError):
                    ask_keeper(pod.directory, {"do": "end"})
                if keeper.lives():
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(keeper.pid, signal.SIGKILL)
                wait_until(
                    lambda: not keeper.lives(), what="the end of a pod", within=_END_WITHIN, every=_POLL,
                    clock=self._clock,
                )  # fmt: skip
            self._records.list_containers(identity)  # note the end of each while its keeper is known
            if pod.address:
                self._network.release(pod.address)
            pod.keeper, pod.address = None, ""
            if (pod.directory / "pod.json").exists():
                pod.save()

    def remove(self, identity: str) -> None:
        """Stop a pod and forget it and its containers. Harmless when it is not there."""
        with self._hold(identity):
            self.stop(identity)
            pod = self._records.pods.get(identity)
            if pod is None:
                return
            for container in self._records.list_containers(identity):
                self._records.forget(container)
            with contextlib.suppress(OSError):  # not mounted any more after a power cut
                kernel.detach_mount(str(pod.directory / "shm"))
            self._records.forget(pod)
        with self._lock:
            self._locks.pop(identity, None)

    def settle(self) -> None:
        """Take note of the pods that ended while no runtime watched: their addresses are free again."""
        for pod in self._records.list_pods():
            if not pod.ready:
                with contextlib.suppress(DrdrillError):
                    self.stop(pod.id)

    def _hold(self, identity: str) -> threading.RLock:
        with self._lock:
            return self._locks.setdefault(identity, threading.RLock())
