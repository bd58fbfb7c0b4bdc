"""From the runtime's records to the messages that the kubelet reads. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.mirror.kubernetes.runtime.cri import api_pb2 as cri
from drdrill.mirror.kubernetes.runtime.memory_watch import read_limit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drdrill.mirror.kubernetes.runtime.catalogue import Image
    from drdrill.mirror.kubernetes.runtime.records import Container, Pod
    from drdrill.mirror.kubernetes.runtime.usage import Usage


def has_labels(labels: Mapping[str, str], selector: Mapping[str, str]) -> bool:
    """Say whether labels fit a selector."""
    return all(labels.get(key) == value for key, value in selector.items())


def fits_pod_filter(pod: Pod, wanted: cri.PodSandboxFilter) -> bool:
    """Say whether a pod is asked for."""
    return (
        pod.id.startswith(wanted.id)
        and (not wanted.HasField("state") or wanted.state.state == _pod_state(pod))
        and has_labels(pod.config.labels, wanted.label_selector)
    )


def fits_container_filter(container: Container, wanted: cri.ContainerFilter) -> bool:
    """Say whether a container is asked for."""
    return (
        container.id.startswith(wanted.id)
        and (not wanted.HasField("state") or wanted.state.state == container.state)
        and container.pod.startswith(wanted.pod_sandbox_id)
        and has_labels(container.config.labels, wanted.label_selector)
    )


def describe_pod(pod: Pod) -> cri.PodSandbox:
    """Return a pod as it stands in a list."""
    return cri.PodSandbox(
        id=pod.id, metadata=pod.config.metadata, state=_pod_state(pod), created_at=pod.created_ns,
        labels=pod.config.labels, annotations=pod.config.annotations,
    )  # fmt: skip


def describe_pod_status(pod: Pod) -> cri.PodSandboxStatus:
    """Return a pod in full."""
    options = pod.config.linux.security_context.namespace_options
    return cri.PodSandboxStatus(
        id=pod.id, metadata=pod.config.metadata, state=_pod_state(pod), created_at=pod.created_ns,
        network=cri.PodSandboxNetworkStatus(ip=pod.address),
        linux=cri.LinuxPodSandboxStatus(namespaces=cri.Namespace(options=options)),
        labels=pod.config.labels, annotations=pod.config.annotations,
    )  # fmt: skip


def describe_container(container: Container) -> cri.Container:
    """Return a container as it stands in a list."""
    config = container.config
    return cri.Container(
        id=container.id, pod_sandbox_id=container.pod, metadata=config.metadata, image=_image_spec(container),
        image_ref=container.image_id, image_id=container.image_id, state=container.state,
        created_at=container.created_ns, labels=config.labels, annotations=config.annotations,
    )  # fmt: skip


def describe_container_status(container: Container) -> cri.ContainerStatus:
    """Return a container in full."""
    config, ended = container.config, container.ended
    user, group = container.user
    return cri.ContainerStatus(
        id=container.id, metadata=config.metadata, state=container.state, created_at=container.created_ns,
        started_at=container.running.started_ns if container.running else 0,
        finished_at=ended.finished_ns if ended else 0,
        exit_code=ended.exit_code if ended else 0,
        reason=ended.reason if ended else "",
        message=ended.message if ended else "",
        image=_image_spec(container), image_ref=container.image_id, image_id=container.image_id,
        labels=config.labels, annotations=config.annotations, mounts=config.mounts, log_path=container.log,
        resources=cri.ContainerResources(linux=config.linux.resources),
        user=cri.ContainerUser(linux=cri.LinuxContainerUser(uid=user, gid=group)),
        stop_signal=config.stop_signal or cri.SIGTERM,
    )  # fmt: skip


def describe_image(image: Image, names: tuple[str, ...]) -> cri.Image:
    """Return an image. It has no size: nothing of it is stored on the node."""
    digests = [f"{name.partition('@')[0].rpartition(':')[0] or name}@{image.id}" for name in names]
    return cri.Image(
        id=image.id, repo_tags=[name for name in names if "@" not in name], repo_digests=digests, size=1,
        uid=cri.Int64Value(value=image.user), spec=cri.ImageSpec(image=image.id),
    )  # fmt: skip


def describe_usage(container: Container, usage: Usage, now_ns: int) -> cri.ContainerStats:
    """Return what a container uses."""
    limit = read_limit(container)
    memory = cri.MemoryUsage(
        timestamp=now_ns,
        working_set_bytes=_number(usage.memory_bytes),
        usage_bytes=_number(usage.resident_bytes),
        rss_bytes=_number(usage.resident_bytes),
        page_faults=_number(usage.minor_faults + usage.major_faults),
        major_page_faults=_number(usage.major_faults),
    )
    if limit:
        memory.available_bytes.value = max(0, limit - usage.memory_bytes)
    return cri.ContainerStats(
        attributes=cri.ContainerAttributes(
            id=container.id, metadata=container.config.metadata, labels=container.config.labels,
            annotations=container.config.annotations,
        ),
        cpu=cri.CpuUsage(timestamp=now_ns, usage_core_nano_seconds=_number(usage.processor_ns)),
        memory=memory,
    )  # fmt: skip


def describe_pod_usage(
    pod: Pod, containers: list[tuple[Container, Usage]], network: tuple[int, ...], now_ns: int
) -> cri.PodSandboxStats:
    """Return what a pod uses: the sum of its containers, and what went over its network."""
    used = [usage for _, usage in containers]
    received, received_bad, sent, sent_bad = network
    return cri.PodSandboxStats(
        attributes=cri.PodSandboxAttributes(
            id=pod.id, metadata=pod.config.metadata, labels=pod.config.labels, annotations=pod.config.annotations
        ),
        linux=cri.LinuxPodSandboxStats(
            cpu=cri.CpuUsage(
                timestamp=now_ns, usage_core_nano_seconds=_number(sum(one.processor_ns for one in used))
            ),
            memory=cri.MemoryUsage(
                timestamp=now_ns,
                working_set_bytes=_number(sum(one.memory_bytes for one in used)),
                usage_bytes=_number(sum(one.resident_bytes for one in used)),
                rss_bytes=_number(sum(one.resident_bytes for one in used)),
            ),
            network=cri.NetworkUsage(
                timestamp=now_ns,
                default_interface=cri.NetworkInterfaceUsage(
                    name="eth0", rx_bytes=_number(received), rx_errors=_number(received_bad),
                    tx_bytes=_number(sent), tx_errors=_number(sent_bad),
                ),
            ),
            process=cri.ProcessUsage(
                timestamp=now_ns, process_count=_number(sum(len(one.processes) for one in used))
            ),
            containers=[describe_usage(container, usage, now_ns) for container, usage in containers],
        ),
    )  # fmt: skip


def _image_spec(container: Container) -> cri.ImageSpec:
    spec = container.config.image
    return cri.ImageSpec(image=spec.user_specified_image or spec.image, annotations=spec.annotations)


def _pod_state(pod: Pod) -> cri.PodSandboxState:
    return cri.SANDBOX_READY if pod.ready else cri.SANDBOX_NOTREADY


def _number(value: int) -> cri.UInt64Value:
    return cri.UInt64Value(value=value)
