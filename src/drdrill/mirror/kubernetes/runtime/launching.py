"""From the kubelet's words to what a keeper starts: program, environment, mounts and user."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from drdrill.mirror.kubernetes.runtime.cri import api_pb2 as cri
from drdrill.mirror.kubernetes.runtime.errors import NotOfferedError, WrongStateError
from drdrill.mirror.kubernetes.runtime.pod.identity import choose_capabilities
from drdrill.mirror.kubernetes.runtime.pod.launch import Bind, Launch

if TYPE_CHECKING:
    from drdrill.mirror.kubernetes.runtime.catalogue import Image
    from drdrill.mirror.kubernetes.runtime.records import Container, Pod

_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_HIDDEN = ("/tmp", "/run")  # noqa: S108  (a container has its own)
_PROCESSES = {cri.POD: "pod", cri.CONTAINER: "own", cri.NODE: "node"}


def describe_launch(pod: Pod, container: Container, image: Image) -> Launch:
    """Return how a container is to be started; raises `NotOfferedError`, `WrongStateError`."""
    config, context = container.config, container.config.linux.security_context
    options = context.namespace_options
    user, group = container.user
    asked = context.capabilities
    try:
        capabilities = choose_capabilities(list(asked.add_capabilities), list(asked.drop_capabilities))
    except ValueError as error:
        raise WrongStateError(f"container {config.metadata.name}: {error}") from error
    return Launch(
        directory=str(container.directory),
        arguments=_choose_arguments(config, image),
        environment=_choose_environment(pod, config, image, user),
        working_directory=config.working_dir or image.working_directory,
        log=container.log,
        binds=[*_bind_own_files(pod), *_bind_hidden(image), *_bind_mounts(config)],
        processes=options.target_id if options.pid == cri.TARGET else _PROCESSES[options.pid],
        read_only_root=context.readonly_rootfs,
        user=user,
        group=group,
        privileged=context.privileged,
        capabilities=capabilities,
        forbid_new_privileges=context.no_new_privs,
        stdin=config.stdin,
        stdin_once=config.stdin_once,
        terminal=config.tty,
    )


def choose_user(config: cri.ContainerConfig, image: Image) -> tuple[int, int]:
    """Return the user and group that a container runs as; raises `NotOfferedError` for a user by name."""
    context = config.linux.security_context
    if context.run_as_username and not context.run_as_username.isdigit():
        raise NotOfferedError(f"a user by name (`{context.run_as_username}`) cannot be had; give runAsUser.")
    user = context.run_as_user.value if context.HasField("run_as_user") else image.user
    group = context.run_as_group.value if context.HasField("run_as_group") else 0
    return user, group


def describe_resolver(dns: cri.DNSConfig) -> str:
    """Return the `resolv.conf` of a pod; the node's own where the kubelet says nothing."""
    if not (dns.servers or dns.searches or dns.options):
        return Path("/etc/resolv.conf").read_text(encoding="utf-8")
    lines = [f"search {' '.join(dns.searches)}"] if dns.searches else []
    lines += [f"nameserver {server}" for server in dns.servers]
    lines += [f"options {' '.join(dns.options)}"] if dns.options else []
    return "\n".join(lines) + "\n"


def _choose_arguments(config: cri.ContainerConfig, image: Image) -> list[str]:
    if config.command:
        return [*config.command, *config.args]
    return [*image.command, *(config.args or image.args)]


def _choose_environment(pod: Pod, config: cri.ContainerConfig, image: Image, user: int) -> dict[str, str]:
    own = Path(sys.executable).parent  # `python` is the one that has what services are made of
    environment = {
        "PATH": os.pathsep.join((str(own), os.environ.get("PATH", _DEFAULT_PATH))),
        "HOME": "/" if user else "/root",
        "HOSTNAME": pod.config.hostname,
    }
    if config.tty:
        environment["TERM"] = "xterm"
    return {**environment, **image.environment, **{one.key: one.value for one in config.envs}}


def _bind_own_files(pod: Pod) -> list[Bind]:
    folder = pod.directory
    return [
        Bind(str(folder / "resolv.conf"), "/etc/resolv.conf", read_only=False),
        Bind(str(folder / "hostname"), "/etc/hostname", read_only=False),
        Bind(str(folder / "shm"), "/dev/shm", read_only=False),  # noqa: S108  (the pod's own)
    ]


def _bind_hidden(image: Image) -> list[Bind]:
    paths = [*image.files]
    if Path(image.working_directory).is_dir() and image.working_directory.startswith(_HIDDEN):
        paths.append(image.working_directory)
    return [Bind(path, path, read_only=True) for path in paths]


def _bind_mounts(config: cri.ContainerConfig) -> list[Bind]:
    binds = []
    for mount in config.mounts:
        if mount.HasField("image") and mount.image.image:
            raise NotOfferedError(
                f"the volume at {mount.container_path} is an image: there are no image layers here."
            )
        source = Path(mount.host_path)
        if not source.exists():
            source.mkdir(parents=True)  # as containerd does for a hostPath without a type
        binds.append(Bind(mount.host_path, mount.container_path, mount.readonly))
    binds += [
        Bind(device.host_path, device.container_path, "w" not in device.permissions)
        for device in config.devices
    ]
    # A volume that is mounted inside another one comes after it.
    return sorted(binds, key=lambda bind: Path(bind.target).parts)
