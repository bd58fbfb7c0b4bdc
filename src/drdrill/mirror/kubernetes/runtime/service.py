"""The verbs of the CRI runtime service: each takes one message and returns one. Called by several threads."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from importlib.metadata import version
from typing import TYPE_CHECKING

from drdrill.mirror.kubernetes.runtime import answers
from drdrill.mirror.kubernetes.runtime.cri import api_pb2 as cri
from drdrill.mirror.kubernetes.runtime.streams import StreamingServer, run_command
from drdrill.mirror.kubernetes.runtime.usage import Usage, read_network, read_usage

if TYPE_CHECKING:
    from drdrill.core.clock import Clock
    from drdrill.mirror.kubernetes.runtime.containers import Containers
    from drdrill.mirror.kubernetes.runtime.pods import Pods
    from drdrill.mirror.kubernetes.runtime.records import Container, Pod, Records

_NAME = "drdrill"
_API = "v1"


class RuntimeService:
    """Answers the kubelet. A method is named like the call that it answers, which is how `server` finds it."""

    # ruff: noqa: N802, D102  (the names are CRI's, and api.proto describes each)

    def __init__(
        self, records: Records, pods: Pods, containers: Containers, streaming: StreamingServer, clock: Clock
    ) -> None:
        self._records = records
        self._pods = pods
        self._containers = containers
        self._streaming = streaming
        self._clock = clock

    def Version(self, _: cri.VersionRequest) -> cri.VersionResponse:
        return cri.VersionResponse(
            version="0.1.0", runtime_name=_NAME, runtime_version=version("drdrill"), runtime_api_version=_API
        )

    def Status(self, _: cri.StatusRequest) -> cri.StatusResponse:
        ready = [cri.RuntimeCondition(type=name, status=True) for name in ("RuntimeReady", "NetworkReady")]
        return cri.StatusResponse(status=cri.RuntimeStatus(conditions=ready), features=cri.RuntimeFeatures())

    def RuntimeConfig(self, _: cri.RuntimeConfigRequest) -> cri.RuntimeConfigResponse:
        return cri.RuntimeConfigResponse(linux=cri.LinuxRuntimeConfiguration(cgroup_driver=cri.CGROUPFS))

    def UpdateRuntimeConfig(self, _: cri.UpdateRuntimeConfigRequest) -> cri.UpdateRuntimeConfigResponse:
        return cri.UpdateRuntimeConfigResponse()

    def RunPodSandbox(self, request: cri.RunPodSandboxRequest) -> cri.RunPodSandboxResponse:
        return cri.RunPodSandboxResponse(pod_sandbox_id=self._pods.run(request.config).id)

    def StopPodSandbox(self, request: cri.StopPodSandboxRequest) -> cri.StopPodSandboxResponse:
        self._pods.stop(request.pod_sandbox_id)
        return cri.StopPodSandboxResponse()

    def RemovePodSandbox(self, request: cri.RemovePodSandboxRequest) -> cri.RemovePodSandboxResponse:
        self._pods.remove(request.pod_sandbox_id)
        return cri.RemovePodSandboxResponse()

    def PodSandboxStatus(self, request: cri.PodSandboxStatusRequest) -> cri.PodSandboxStatusResponse:
        return cri.PodSandboxStatusResponse(
            status=answers.describe_pod_status(self._pods.find(request.pod_sandbox_id))
        )

    def ListPodSandbox(self, request: cri.ListPodSandboxRequest) -> cri.ListPodSandboxResponse:
        found = [pod for pod in self._records.list_pods() if answers.fits_pod_filter(pod, request.filter)]
        return cri.ListPodSandboxResponse(items=[answers.describe_pod(pod) for pod in found])

    def UpdatePodSandboxResources(
        self, request: cri.UpdatePodSandboxResourcesRequest
    ) -> cri.UpdatePodSandboxResourcesResponse:
        self._pods.find(request.pod_sandbox_id)
        return cri.UpdatePodSandboxResourcesResponse()

    def CreateContainer(self, request: cri.CreateContainerRequest) -> cri.CreateContainerResponse:
        made = self._containers.create(request.pod_sandbox_id, request.config, request.sandbox_config)
        return cri.CreateContainerResponse(container_id=made.id)

    def StartContainer(self, request: cri.StartContainerRequest) -> cri.StartContainerResponse:
        self._containers.start(request.container_id)
        return cri.StartContainerResponse()

    def StopContainer(self, request: cri.StopContainerRequest) -> cri.StopContainerResponse:
        self._containers.stop(request.container_id, timedelta(seconds=request.timeout))
        return cri.StopContainerResponse()

    def RemoveContainer(self, request: cri.RemoveContainerRequest) -> cri.RemoveContainerResponse:
        self._containers.remove(request.container_id)
        return cri.RemoveContainerResponse()

    def ListContainers(self, request: cri.ListContainersRequest) -> cri.ListContainersResponse:
        found = self._records.list_containers()
        return cri.ListContainersResponse(containers=[
            answers.describe_container(one) for one in found if answers.fits_container_filter(one, request.filter)
        ])  # fmt: skip

    def ContainerStatus(self, request: cri.ContainerStatusRequest) -> cri.ContainerStatusResponse:
        found = self._containers.find(request.container_id)
        return cri.ContainerStatusResponse(status=answers.describe_container_status(found))

    def UpdateContainerResources(
        self, request: cri.UpdateContainerResourcesRequest
    ) -> cri.UpdateContainerResourcesResponse:
        self._containers.update_resources(request.container_id, request.linux)
        return cri.UpdateContainerResourcesResponse()

    def ReopenContainerLog(self, request: cri.ReopenContainerLogRequest) -> cri.ReopenContainerLogResponse:
        self._containers.reopen_log(request.container_id)
        return cri.ReopenContainerLogResponse()

    def ExecSync(self, request: cri.ExecSyncRequest) -> cri.ExecSyncResponse:
        container = self._containers.find_running(request.container_id)
        within = timedelta(seconds=request.timeout) if request.timeout > 0 else None
        pod = self._containers.pod_of(container)
        code, said, complained = run_command(pod, container, list(request.cmd), within, self._clock)
        return cri.ExecSyncResponse(stdout=said, stderr=complained, exit_code=code)

    def Exec(self, request: cri.ExecRequest) -> cri.ExecResponse:
        container = self._containers.find_running(request.container_id)
        return cri.ExecResponse(url=self._streaming.prepare_command(
            self._containers.pod_of(container), container, list(request.cmd), stdin=request.stdin,
            stdout=request.stdout, stderr=request.stderr, tty=request.tty,
        ))  # fmt: skip

    def Attach(self, request: cri.AttachRequest) -> cri.AttachResponse:
        container = self._containers.find_running(request.container_id)
        return cri.AttachResponse(url=self._streaming.prepare_attachment(
            self._containers.pod_of(container), container, stdin=request.stdin, stdout=request.stdout,
            stderr=request.stderr, tty=request.tty,
        ))  # fmt: skip

    def PortForward(self, request: cri.PortForwardRequest) -> cri.PortForwardResponse:
        pod = self._pods.find(request.pod_sandbox_id)
        return cri.PortForwardResponse(url=self._streaming.prepare_forwarding(pod))

    def ContainerStats(self, request: cri.ContainerStatsRequest) -> cri.ContainerStatsResponse:
        container = self._containers.find_running(request.container_id)
        ((_, usage),) = _pair([container], read_usage())
        return cri.ContainerStatsResponse(stats=answers.describe_usage(container, usage, self._wall_ns()))

    def ListContainerStats(self, request: cri.ListContainerStatsRequest) -> cri.ListContainerStatsResponse:
        wanted = request.filter
        found = [
            container
            for container in self._list_running(wanted.pod_sandbox_id)
            if container.id.startswith(wanted.id)
            and answers.has_labels(container.config.labels, wanted.label_selector)
        ]
        now = self._wall_ns()
        return cri.ListContainerStatsResponse(
            stats=[answers.describe_usage(one, usage, now) for one, usage in _pair(found, read_usage())]
        )

    def PodSandboxStats(self, request: cri.PodSandboxStatsRequest) -> cri.PodSandboxStatsResponse:
        pod = self._pods.find(request.pod_sandbox_id)
        return cri.PodSandboxStatsResponse(stats=self._measure_pod(pod, read_usage()))

    def ListPodSandboxStats(self, request: cri.ListPodSandboxStatsRequest) -> cri.ListPodSandboxStatsResponse:
        wanted, usage = request.filter, read_usage()
        return cri.ListPodSandboxStatsResponse(stats=[
            self._measure_pod(pod, usage)
            for pod in self._records.list_pods()
            if pod.ready and pod.id.startswith(wanted.id)
            and answers.has_labels(pod.config.labels, wanted.label_selector)
        ])  # fmt: skip

    def _measure_pod(self, pod: Pod, usage: dict[str, Usage]) -> cri.PodSandboxStats:
        network = (0, 0, 0, 0)
        if pod.keeper is not None:
            with contextlib.suppress(OSError):  # it ended meanwhile
                network = read_network(pod.keeper.pid)
        return answers.describe_pod_usage(
            pod, _pair(self._list_running(pod.id), usage), network, self._wall_ns()
        )

    def _list_running(self, pod: str) -> list[Container]:
        return [
            one for one in self._records.list_containers(pod or None) if one.state == cri.CONTAINER_RUNNING
        ]

    def _wall_ns(self) -> int:
        return int(self._clock.utc().timestamp() * 1e9)


def _pair(containers: list[Container], usage: dict[str, Usage]) -> list[tuple[Container, Usage]]:
    return [(one, usage.get(one.running.mounts, Usage())) for one in containers if one.running is not None]
