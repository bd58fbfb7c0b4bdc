"""The life of containers: created, started, stopped with grace, removed; and commands beside them."""

from __future__ import annotations

import secrets
import signal
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from drdrill.core.errors import EnvironmentFailedError, NotObservedError
from drdrill.core.waiting import wait_until
from drdrill.mirror.kubernetes.runtime.cri import api_pb2 as cri
from drdrill.mirror.kubernetes.runtime.errors import NotFoundError, WrongStateError
from drdrill.mirror.kubernetes.runtime.keepers import ask_keeper
from drdrill.mirror.kubernetes.runtime.launching import choose_user, describe_launch
from drdrill.mirror.kubernetes.runtime.records import Container

if TYPE_CHECKING:
    from drdrill.core.clock import Clock
    from drdrill.mirror.kubernetes.runtime.catalogue import PulledImages
    from drdrill.mirror.kubernetes.runtime.pods import Pods
    from drdrill.mirror.kubernetes.runtime.records import Pod, Records

_ID_BYTES = 32
_POLL = timedelta(milliseconds=10)
_KILLED_WITHIN = timedelta(seconds=10)  # measured 3 ms
_NOWHERE = "/dev/null"


class Containers:
    """Creates, starts, stops and removes containers. Thread-safe; each verb is as repeatable as CRI wants it."""

    def __init__(self, records: Records, pods: Pods, images: PulledImages, clock: Clock) -> None:
        self._records = records
        self._pods = pods
        self._images = images
        self._clock = clock

    def create(self, pod_id: str, config: cri.ContainerConfig, sandbox: cri.PodSandboxConfig) -> Container:
        """Make a container that does not run yet; raises `NotFoundError`, `WrongStateError`, `NotOfferedError`."""
        pod = self._pods.find(pod_id)
        if not pod.ready:
            raise WrongStateError(f"the pod sandbox {pod_id} does not run.")
        image = self._images.find(config.image.image)
        if image is None:
            raise NotFoundError(f"the image `{config.image.image}` has not been pulled to this node.")
        identity = secrets.token_hex(_ID_BYTES)
        folder = sandbox.log_directory or pod.config.log_directory
        container = Container(
            identity, self._records.place_container(identity), pod_id, config,
            str(Path(folder) / config.log_path) if folder and config.log_path else _NOWHERE,
            image.id, choose_user(config, image), int(self._clock.utc().timestamp() * 1e9),
        )  # fmt: skip
        launch = describe_launch(pod, container, image)
        container.save()
        launch.write(container.directory / "launch.json")
        self._records.containers[identity] = container
        return container

    def find(self, identity: str) -> Container:
        """Return a container as it is now; raises `NotFoundError`."""
        container = self._records.find_container(identity)
        if container is None:
            raise NotFoundError(f"there is no container {identity}.")
        return container

    def start(self, identity: str) -> None:
        """Start a container; raises `WrongStateError`, or `EnvironmentFailedError` with why its program did not."""
        container = self.find(identity)
        if container.state != cri.CONTAINER_CREATED:
            raise WrongStateError(
                f"the container {identity} is {cri.ContainerState.Name(container.state)}, not created."
            )
        request = {"do": "start", "container": identity, "directory": str(container.directory)}
        ask_keeper(self.pod_of(container).directory, request)

    def pod_of(self, container: Container) -> Pod:
        """Return the pod of a container."""
        return self._pods.find(container.pod)

    def find_running(self, identity: str) -> Container:
        """Return a container that runs; raises `NotFoundError`, `WrongStateError`."""
        container = self.find(identity)
        if container.state != cri.CONTAINER_RUNNING:
            raise WrongStateError(
                f"the container {identity} is {cri.ContainerState.Name(container.state)}, not running."
            )
        return container

    def stop(self, identity: str, grace: timedelta) -> None:
        """Ask a container to end, and kill it when its grace is over. Harmless when it has ended or is not there."""
        container = self._records.find_container(identity)
        if container is None or container.state != cri.CONTAINER_RUNNING:
            return
        if grace > timedelta():
            self.send_signal(container, _choose_stop_signal(container))
            try:
                self._await_end(identity, grace)
            except NotObservedError:
                pass
            else:
                return
        self.send_signal(container, signal.SIGKILL)
        self._await_end(identity, _KILLED_WITHIN)

    def send_signal(self, container: Container, number: int, reason: str = "") -> None:
        """Send a container's first process a signal; `reason` is what its end will be put down to."""
        request = {"do": "signal", "container": container.id, "number": number, "reason": reason}
        try:
            ask_keeper(self.pod_of(container).directory, request)
        except (EnvironmentFailedError, NotFoundError):
            if self._runs(container.id):
                raise

    def _await_end(self, identity: str, within: timedelta) -> None:
        wait_until(
            lambda: not self._runs(identity), what=f"the end of container {identity}", within=within, every=_POLL,
            clock=self._clock,
        )  # fmt: skip

    def _runs(self, identity: str) -> bool:
        found = self._records.find_container(identity)
        return found is not None and found.state == cri.CONTAINER_RUNNING

    def remove(self, identity: str) -> None:
        """Kill a container and forget it; its log stays. Harmless when it is not there."""
        self.stop(identity, timedelta())
        container = self._records.find_container(identity)
        if container is None:
            return
        pod = self._records.pods.get(container.pod)
        self._records.forget(container)
        if pod is not None and pod.ready:
            ask_keeper(pod.directory, {"do": "forget", "container": identity})

    def reopen_log(self, identity: str) -> None:
        """Have a container's log go on in a new file; raises `WrongStateError` when it does not run."""
        container = self.find_running(identity)
        ask_keeper(self.pod_of(container).directory, {"do": "reopen_log", "container": identity})

    def update_resources(self, identity: str, resources: cri.LinuxContainerResources) -> None:
        """Take new limits; that of memory is kept from the next look on, those of the processor are only noted."""
        container = self.find(identity)
        container.config.linux.resources.MergeFrom(resources)
        container.save()


def _choose_stop_signal(container: Container) -> int:
    """Return the signal that a pod's `stopSignal` names; CRI has numbers of its own, and names as `SIGRTMINPLUS2`."""
    name = cri.Signal.Name(container.config.stop_signal)
    if name == "RUNTIME_DEFAULT":
        return signal.SIGTERM
    base, _, offset = name.replace("MINUS", "PLUS-").partition("PLUS")
    return signal.Signals[base] + int(offset or 0)
