"""What a keeper needs to know: how a pod is to be set up, and how a container is to be started. Stored as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class PodSetting:
    """The namespaces of a pod. `own_…` is false where it shares those of the node."""

    directory: str
    hostname: str
    own_network: bool
    own_ipc: bool
    shares_processes: bool  # one PID namespace for all containers of the pod
    sysctls: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bind:
    """A file or folder of the node, shown in a container."""

    source: str
    target: str
    read_only: bool


@dataclass(frozen=True, slots=True)
class Launch:
    """A container: its program and what surrounds it. `processes`: `own`, `pod`, `node`, or the id of a container."""

    directory: str
    arguments: list[str]
    environment: dict[str, str]
    working_directory: str
    log: str
    binds: list[Bind]
    processes: str = "own"
    read_only_root: bool = False
    user: int = 0
    group: int = 0
    privileged: bool = False
    capabilities: list[int] = field(default_factory=list)
    forbid_new_privileges: bool = False
    stdin: bool = False
    stdin_once: bool = False
    terminal: bool = False

    def write(self, path: Path) -> None:
        """Store it."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Launch:
        """Return what `write` stored."""
        fields = json.loads(path.read_text(encoding="utf-8"))
        fields["binds"] = [Bind(**bind) for bind in fields["binds"]]
        return cls(**fields)
