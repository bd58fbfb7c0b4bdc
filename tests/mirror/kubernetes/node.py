"""A node without a kubelet: a host's namespaces with the container runtime in them, asked over its real socket."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import yaml

from drdrill.core.waiting import wait_until
from drdrill.mirror import host_init
from drdrill.mirror.kubernetes.runtime.cri import api_pb2 as cri

if TYPE_CHECKING:
    from collections.abc import Sequence

PYTHON = sys.executable
WITHIN = timedelta(seconds=30)  # measured 0.4 s; two cores are shared
EVERY = timedelta(milliseconds=10)
_NAMESPACES = ("--user", "--net", "--mount", "--pid", "--ipc", "--uts")
_RUNTIME_SERVICE = "RuntimeService"
_NAME = "web"


class Node:
    """One node. Everything on it ends with `stop`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.state = directory / "state"
        self.catalogue = directory / "images.yaml"
        self.logs = directory / "logs"
        self.socket = directory / "cri.sock"
        self._host: subprocess.Popen[str] | None = None
        self._runtime: subprocess.Popen[bytes] | None = None
        self._channel: grpc.Channel | None = None
        self.init_pid = 0
        self.write_catalogue({"shop/api": {"command": ["/bin/sh", "-c"], "args": ["exec sleep 1000"]}})

    def write_catalogue(self, images: dict[str, Any]) -> None:
        """Write the catalogue anew."""
        self.catalogue.write_text(yaml.safe_dump({"images": images}), encoding="utf-8")

    def boot(self) -> None:
        """Give it power: namespaces as a host of the world has them, for an ordinary user."""
        self._host = subprocess.Popen(
            ["unshare", "-Urnmiu", "-p", "-f", "--kill-child", "--mount-proc", PYTHON, "-I", "-S",
             str(host_init.__file__), "node"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert self._host.stdout is not None
        with self._host.stdout as said:
            assert said.readline() == "up\n"
        children = Path(f"/proc/{self._host.pid}/task/{self._host.pid}/children").read_text(encoding="ascii")
        self.init_pid = int(children.split()[0])
        self.run("ip", "link", "set", "lo", "up")
        self.run("ip", "addr", "add", "10.20.0.10/32", "dev", "lo")

    def start_runtime(self, *options: str) -> None:
        """Start the container runtime and wait until it answers."""
        with (self.directory / "runtime.log").open("ab") as log:
            self._runtime = subprocess.Popen(
                [*self.enter(), PYTHON, "-m", "drdrill.mirror.kubernetes.runtime", "--socket", str(self.socket),
                 "--state", str(self.state), "--catalogue", str(self.catalogue), "--pod-range", "10.20.64.0/24",
                 *options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self._channel = grpc.insecure_channel(f"unix://{self.socket}")
        grpc.channel_ready_future(self._channel).result(timeout=WITHIN.total_seconds())

    def kill_runtime(self) -> None:
        """Kill the runtime and its nursery as a crash would; pods go on."""
        assert self._runtime is not None
        if self._channel is not None:
            self._channel.close()
        for pid in self.find_processes("drdrill.mirror.kubernetes.runtime\0--socket"):
            os.kill(pid, signal.SIGKILL)
        self._runtime.wait()

    def stop(self) -> None:
        """Cut its power, and wait until nothing is left."""
        if self._channel is not None:
            self._channel.close()
        if self._host is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.init_pid, signal.SIGKILL)
            self._host.wait()
        if self._runtime is not None:
            self._runtime.wait()
        self._channel = self._host = self._runtime = None

    def enter(self) -> list[str]:
        """Return the command that runs what follows on the node."""
        return ["nsenter", "--target", str(self.init_pid), *_NAMESPACES, "--preserve-credentials", "--"]

    def run(self, *command: str) -> str:
        """Run a program on the node and return what it says."""
        return subprocess.run([*self.enter(), *command], capture_output=True, text=True, check=True).stdout

    def find_processes(self, words: str) -> list[int]:
        """Return the processes of the node, by their ids outside it, whose command has these words."""
        found = []
        for folder in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if folder.name.isdigit() and words.encode() in (folder / "cmdline").read_bytes():
                    own = (folder / "ns/user").readlink() == Path(f"/proc/{self.init_pid}/ns/user").readlink()
                    if own:
                        found.append(int(folder.name))
        return found

    def ask(self, verb: str, request: Any, *, service: str = _RUNTIME_SERVICE) -> Any:
        """Call one verb of CRI over the socket; raises `grpc.RpcError`."""
        assert self._channel is not None
        answer = getattr(cri, f"{verb}Response")
        call = self._channel.unary_unary(
            f"/runtime.v1.{service}/{verb}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=answer.FromString,
        )
        return call(request, timeout=WITHIN.total_seconds())

    def pull(self, image: str) -> str:
        """Pull an image and return its identity."""
        request = cri.PullImageRequest(image=cri.ImageSpec(image=image))
        return str(self.ask("PullImage", request, service="ImageService").image_ref)

    def describe_pod(self, name: str = _NAME, **fields: Any) -> cri.PodSandboxConfig:
        """Return the configuration of a pod as the kubelet writes it."""
        return cri.PodSandboxConfig(
            metadata=cri.PodSandboxMetadata(name=name, uid=f"uid-{name}", namespace="default", attempt=0),
            hostname=name,
            log_directory=str(self.logs / name),
            labels={"io.kubernetes.pod.name": name},
            **fields,
        )

    def run_pod(self, name: str = _NAME, **fields: Any) -> str:
        """Run a pod sandbox and return its id."""
        request = cri.RunPodSandboxRequest(config=self.describe_pod(name, **fields))
        return str(self.ask("RunPodSandbox", request).pod_sandbox_id)

    def create(
        self, pod: str, *command: str, image: str = "shop/api", name: str = "main", **fields: Any
    ) -> str:
        """Create a container that runs a command in a pod and return its id."""
        linux = {"linux": fields.pop("linux")} if "linux" in fields else {}
        if "linux" not in linux:
            options = cri.NamespaceOption(pid=cri.CONTAINER)
            context = cri.LinuxContainerSecurityContext(namespace_options=options)
            linux["linux"] = cri.LinuxContainerConfig(security_context=context)
        config = cri.ContainerConfig(
            metadata=cri.ContainerMetadata(name=name, attempt=0),
            image=cri.ImageSpec(image=self.pull(image)),
            command=command,
            log_path=f"{name}.log",
            **linux,
            **fields,
        )
        sandbox = cri.PodSandboxConfig(log_directory=str(self.logs / pod))
        request = cri.CreateContainerRequest(pod_sandbox_id=pod, config=config, sandbox_config=sandbox)
        return str(self.ask("CreateContainer", request).container_id)

    def start(self, pod: str, *command: str, **fields: Any) -> str:
        """Create and start a container and return its id."""
        container = self.create(pod, *command, **fields)
        self.ask("StartContainer", cri.StartContainerRequest(container_id=container))
        return container

    def status(self, container: str) -> cri.ContainerStatus:
        """Return the status of a container."""
        request = cri.ContainerStatusRequest(container_id=container)
        status: cri.ContainerStatus = self.ask("ContainerStatus", request).status
        return status

    def await_exit(self, container: str) -> cri.ContainerStatus:
        """Wait until a container has ended and return its status."""
        wait_until(
            lambda: self.status(container).state == cri.CONTAINER_EXITED,
            what="the end of a container", within=WITHIN, every=EVERY,
        )  # fmt: skip
        return self.status(container)

    def execute(self, container: str, *command: str, timeout: int = 0) -> cri.ExecSyncResponse:
        """Run a command in a container."""
        request = cri.ExecSyncRequest(container_id=container, cmd=command, timeout=timeout)
        answer: cri.ExecSyncResponse = self.ask("ExecSync", request)
        return answer

    def say(self, container: str, *command: str) -> str:
        """Run a command in a container and return what it says; it must end well."""
        done = self.execute(container, *command)
        assert done.exit_code == 0, done
        return str(done.stdout.decode())

    def log_lines(self, container: str) -> Sequence[list[str]]:
        """Return the lines of a container's log: time, stream, tag and text."""
        text = Path(self.status(container).log_path).read_text(encoding="utf-8")
        return [line.split(" ", 3) for line in text.splitlines()]
