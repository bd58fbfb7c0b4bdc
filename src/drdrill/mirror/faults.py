"""Breaks and heals a mirror, and looks at the effect. Implements `environment.port.FaultPort`."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from drdrill.core.errors import EnvironmentFailedError, UsageError
from drdrill.environment.port import FaultRequest, Identity, Injection
from drdrill.mirror.control import Control
from drdrill.mirror.host import program_environment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from drdrill.mirror.directory import MirrorDirectory
    from drdrill.mirror.world import World

_LOOK_WITHIN = timedelta(seconds=10)
_LOOK_TIMEOUT_SECONDS = "0.5"  # a host of the mirror answers within 1 ms when it lives
_DATABASE_PORT = "5432"


class EmbeddedFaults:
    """Breaks and heals a mirror through its supervisor, and looks at the effect from another host."""

    def __init__(self, world: World | None, directory: MirrorDirectory) -> None:
        """Take the world as seen from outside it; None: this process is itself on the operator's host."""
        self._world = world
        self._directory = directory
        self._control = Control(directory.control)

    @property
    def state_directory(self) -> Path:
        """Return the mirror's directory."""
        return self._directory.path

    def read_identity(self) -> Identity:
        """Return who this is."""
        return Identity(**self._control.ask("identity"))

    def inject(self, request: FaultRequest) -> Injection:
        """Break it."""
        if request.kind != "host_power_loss":
            raise UsageError(f"the embedded mirror cannot inject `{request.kind}`.")
        answer = self._control.ask("cut_power", resource=request.resource, role=request.role.value)
        return Injection(kind=request.kind, **answer)

    def heal(self, injection: Injection) -> Mapping[str, Any]:
        """Give the host its power back; where nobody knows which one, every dark host of the resource."""
        if injection.details.get("unconfirmed") is True:
            return self._control.ask("restore_power_of", resource=injection.resource)
        return self._control.ask("restore_power", host=injection.resource)

    def observe_effect(self, injection: Injection) -> Mapping[str, Any]:
        """Look from the users' host whether the host answers anything at all."""
        look = self._look(str(injection.details["address"]))
        return {
            "effective": not _answers(look),
            "observer": self._observer,
            "looks": [look],
        }

    def observe_healed(self, injection: Injection) -> Mapping[str, Any]:
        """Look from the users' host whether the host, or every host of the resource, answers again.

        A refusal is an answer.
        """
        if injection.details.get("unconfirmed") is True:
            hosts = self._control.ask("hosts_of", resource=injection.resource)["hosts"]
            looks = [self._look(host["address"]) for host in hosts]
        else:
            looks = [self._look(str(injection.details["address"]))]
        return {
            "healed": all(map(_answers, looks)),
            "observer": self._observer,
            "looks": looks,
        }

    @property
    def _observer(self) -> str:
        whose = "users'" if self._world else "operator's"
        return f"TCP connection from the {whose} host"

    def _look(self, address: str) -> dict[str, Any]:
        command = [
            *(self._world.entry("users") if self._world else ()),
            sys.executable, "-m", "drdrill.load.reach", address, _DATABASE_PORT, _LOOK_TIMEOUT_SECONDS,
        ]  # fmt: skip
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_LOOK_WITHIN.total_seconds(), check=False,
            env=program_environment(self._directory.disks / "users"), cwd="/", start_new_session=True,
        )  # fmt: skip
        if done.returncode:
            raise EnvironmentFailedError(f"the look from the users' host failed: {done.stderr.strip()}")
        look: dict[str, Any] = json.loads(done.stdout)
        return look


def _answers(look: Mapping[str, Any]) -> bool:
    return bool(look["reachable"]) or "refused" in str(look["error"]).lower()
