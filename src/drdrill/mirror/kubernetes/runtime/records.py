"""What the runtime knows of pods and containers, and how it is kept on the node's disk.

::

    <state>/pods/<id>/        config.pb, pod.json, keeper (socket), hostname, resolv.conf
    <state>/containers/<id>/  config.pb, container.json, launch.json, and by the keeper: running.json, exit.json

So a runtime that starts anew knows what the one before it knew; what runs is asked of `/proc`: a process is the same
only when its start time is.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drdrill.core.process import ProcessId
from drdrill.mirror.kubernetes.runtime.cri import api_pb2 as cri
from drdrill.mirror.kubernetes.runtime.pod.container import EXIT, RUNNING

if TYPE_CHECKING:
    from pathlib import Path

_LOST = 255  # containerd's exit status of a container of which nobody knows how it ended


@dataclass(frozen=True, slots=True)
class Ended:
    """How a container ended."""

    exit_code: int
    reason: str
    message: str
    finished_ns: int


@dataclass(frozen=True, slots=True)
class Running:
    """The first process of a container that was started, and the mount namespace that tells its processes apart."""

    process: ProcessId
    mounts: str
    started_ns: int


@dataclass(slots=True)
class Pod:
    """A pod sandbox. `address` is empty where it shares the node's network; `keeper` is None once it was stopped."""

    id: str
    directory: Path
    config: cri.PodSandboxConfig
    created_ns: int
    address: str = ""
    keeper: ProcessId | None = None

    @property
    def ready(self) -> bool:
        """Whether its keeper lives."""
        return self.keeper is not None and self.keeper.lives()

    def save(self) -> None:
        """Store it."""
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / "config.pb").write_bytes(self.config.SerializeToString())
        _write(self.directory / "pod.json", {
            "created_ns": self.created_ns, "address": self.address,
            "keeper": self.keeper.to_json() if self.keeper else None,
        })  # fmt: skip

    @classmethod
    def load(cls, directory: Path) -> Pod:
        """Return what `save` stored."""
        noted = _read(directory / "pod.json")
        config = cri.PodSandboxConfig.FromString((directory / "config.pb").read_bytes())
        keeper = ProcessId.parse(noted["keeper"])
        return cls(directory.name, directory, config, noted["created_ns"], noted["address"], keeper)


@dataclass(slots=True)
class Container:
    """A container of a pod."""

    id: str
    directory: Path
    pod: str
    config: cri.ContainerConfig
    log: str
    image_id: str
    user: tuple[int, int]
    created_ns: int
    running: Running | None = None
    ended: Ended | None = None

    def save(self) -> None:
        """Store it."""
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / "config.pb").write_bytes(self.config.SerializeToString())
        _write(self.directory / "container.json", {
            "pod": self.pod, "log": self.log, "image_id": self.image_id, "user": self.user,
            "created_ns": self.created_ns,
        })  # fmt: skip

    @classmethod
    def load(cls, directory: Path) -> Container:
        """Return what `save` stored."""
        noted = _read(directory / "container.json")
        config = cri.ContainerConfig.FromString((directory / "config.pb").read_bytes())
        return cls(
            directory.name, directory, noted["pod"], config, noted["log"], noted["image_id"],
            (noted["user"][0], noted["user"][1]), noted["created_ns"],
        )  # fmt: skip

    def observe(self, *, keeper_lives: bool) -> None:
        """Read what the keeper noted of its start and its end; without a keeper, what has no end noted is lost."""
        if self.ended is not None:
            return
        if self.running is None and (self.directory / RUNNING).exists():
            noted = _read(self.directory / RUNNING)
            process = ProcessId.parse(noted["process"]) or ProcessId(0, 0)
            self.running = Running(process, noted["mounts"], noted["started_ns"])
        if (self.directory / EXIT).exists():
            self.ended = Ended(**_read(self.directory / EXIT))
        elif self.running is not None and not keeper_lives:
            self.ended = Ended(_LOST, "Unknown", "its keeper is gone", self.running.started_ns)

    @property
    def state(self) -> cri.ContainerState:
        """Its state as last observed."""
        if self.ended is not None:
            return cri.CONTAINER_EXITED
        return cri.CONTAINER_RUNNING if self.running is not None else cri.CONTAINER_CREATED


class Records:
    """All pods and containers of the node."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        for name in ("pods", "containers"):
            (directory / name).mkdir(parents=True, exist_ok=True)
        self.pods: dict[str, Pod] = {pod.id: pod for pod in _load_all(directory / "pods", Pod)}
        found: list[Container] = _load_all(directory / "containers", Container)
        self.containers = {container.id: container for container in found if container.pod in self.pods}

    def place_pod(self, identity: str) -> Path:
        """Return where a new pod is kept."""
        return self._directory / "pods" / identity

    def place_container(self, identity: str) -> Path:
        """Return where a new container is kept."""
        return self._directory / "containers" / identity

    def list_pods(self) -> list[Pod]:
        """Return all pods."""
        return list(self.pods.values())

    def list_containers(self, pod: str | None = None) -> list[Container]:
        """Return all containers, or those of a pod, as they are now."""
        found = [one for one in list(self.containers.values()) if pod is None or one.pod == pod]
        alive: dict[str, bool] = {}
        for container in found:
            if container.ended is None:
                if container.pod not in alive:
                    owner = self.pods.get(container.pod)
                    alive[container.pod] = owner is not None and owner.ready
                container.observe(keeper_lives=alive[container.pod])
        return found

    def find_container(self, identity: str) -> Container | None:
        """Return a container as it is now, by its id or an unmistakable beginning of it."""
        container = self.containers.get(identity)
        if container is not None:
            owner = self.pods.get(container.pod)
            container.observe(keeper_lives=owner is not None and owner.ready)
        return container

    def forget(self, record: Pod | Container) -> None:
        """Remove a pod or a container for good."""
        (self.pods if isinstance(record, Pod) else self.containers).pop(record.id, None)
        shutil.rmtree(record.directory, ignore_errors=True)


def _load_all(directory: Path, kind: Any) -> list[Any]:
    found = []
    for folder in sorted(directory.iterdir()):
        try:
            found.append(kind.load(folder))
        except (OSError, ValueError, KeyError):
            # Half made when the runtime was killed: nobody was told of it.
            shutil.rmtree(folder, ignore_errors=True)
    return found


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _write(path: Path, content: dict[str, object]) -> None:
    new = path.with_suffix(".new")
    new.write_text(json.dumps(content), encoding="utf-8")
    new.replace(path)
