"""Breaks and heals a mirror, and looks at the effect. Implements `environment.port.FaultPort`.

Two halves a kind of fault: what breaks and mends runs in the supervisor (`fault_injectors`); what looks does so through
programs on other machines (`fault_observers`).
"""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from drdrill.core.errors import EnvironmentFailedError, UsageError
from drdrill.dataplane.postgresql_programs import PORT, find_binaries
from drdrill.environment.port import FaultRequest, Identity, Injection
from drdrill.mirror.bad_statements import KINDS as STATEMENT_KINDS
from drdrill.mirror.bad_statements import observe_back, observe_destroyed
from drdrill.mirror.control import Control
from drdrill.mirror.damaged_backups import KINDS as BACKUP_KINDS
from drdrill.mirror.damaged_backups import observe_lack, observe_whole
from drdrill.mirror.fault_observers import OBSERVERS
from drdrill.mirror.host import program_environment
from drdrill.mirror.link_faults import KINDS as LINK_KINDS
from drdrill.mirror.link_observers import observe_link_effect, observe_link_healed
from drdrill.mirror.place_faults import KINDS as PLACE_KINDS
from drdrill.mirror.place_faults import observe_dark, observe_lit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from drdrill.mirror.directory import MirrorDirectory
    from drdrill.mirror.fault_observers import Observer
    from drdrill.mirror.world import World

_LOOK_WITHIN = timedelta(seconds=10)
_LOOK_TIMEOUT_SECONDS = "0.5"  # a host of the mirror answers within 1 ms when it lives


class EmbeddedFaults:
    """Breaks and heals a mirror through its supervisor, and looks at the effect from other hosts."""

    def __init__(self, world: World | None, directory: MirrorDirectory) -> None:
        """Take the world as seen from outside it; None: this process is itself on the operator's host."""
        self._directory = directory
        self._world = world
        self._control = Control(directory.control)
        self._eyes = _MirrorEyes(world, directory, self._control)

    @property
    def state_directory(self) -> Path:
        """Return the mirror's directory."""
        return self._directory.path

    def read_identity(self) -> Identity:
        """Return who this is."""
        return Identity(**self._control.ask("identity"))

    def inject(self, request: FaultRequest) -> Injection:
        """Break it."""
        if request.kind in STATEMENT_KINDS | BACKUP_KINDS:
            said = {"statement": request.statement, "doomed": request.doomed}
            act = "damage_backup" if request.kind in BACKUP_KINDS else "inject_statement"
            answer = self._control.ask(act, resource=request.resource, **said)
            return Injection(kind=request.kind, **answer)
        if request.kind in LINK_KINDS:
            answer = self._control.ask(
                "inject_link", kind=request.kind, resource=request.resource, amount=request.amount
            )
            return Injection(kind=request.kind, **answer)
        if request.kind in PLACE_KINDS:
            answer = self._control.ask("inject_place", kind=request.kind, resource=request.resource)
            return Injection(kind=request.kind, **answer)
        _observer_of(request.kind)  # what nobody could see is not injected
        answer = self._control.ask(
            "inject", kind=request.kind, resource=request.resource, role=request.role.value
        )
        return Injection(kind=request.kind, **answer)

    def heal(self, injection: Injection) -> Mapping[str, Any]:
        """Mend what that injection broke; where nobody knows what it was, every host of the resource."""
        if injection.kind in STATEMENT_KINDS:
            return {"mended": "nothing: rows come back by a restore"}
        if injection.kind in BACKUP_KINDS:
            return self._control.ask(
                "mend_backups", resource=injection.details.get("instance", injection.resource)
            )
        if injection.kind in LINK_KINDS:
            return self._control.ask("heal_link", **_source_of(injection))
        if injection.kind in PLACE_KINDS:
            return self._control.ask("heal_place", kind=injection.kind, resource=injection.resource)
        names = [host["host"] for host in self._hosts_of(injection)]
        return self._control.ask("heal", kind=injection.kind, hosts=names)

    def observe_effect(self, injection: Injection) -> Mapping[str, Any]:
        """Look whether the fault shows."""
        if injection.kind in STATEMENT_KINDS:
            return observe_destroyed(self._ask, injection.details)
        if injection.kind in BACKUP_KINDS:
            return observe_lack(self._control.ask, injection.details)
        if injection.kind in LINK_KINDS:
            return observe_link_effect(self._look_at_link(injection), injection.details["condition"])
        if injection.kind in PLACE_KINDS:
            return observe_dark(self._eyes, self._hosts_of(injection))
        return _observer_of(injection.kind).observe_effect(self._eyes, self._hosts_of(injection))

    def observe_healed(self, injection: Injection) -> Mapping[str, Any]:
        """Look whether what it broke, or every host of the resource, is whole again."""
        if injection.kind in STATEMENT_KINDS:
            return observe_back(self._ask, injection.details)
        if injection.kind in BACKUP_KINDS:
            return observe_whole(self._control.ask, injection.details)
        if injection.kind in LINK_KINDS:
            return observe_link_healed(self._look_at_link(injection), injection.details.get("condition"))
        if injection.kind in PLACE_KINDS:
            return observe_lit(self._eyes, self._hosts_of(injection))
        return _observer_of(injection.kind).observe_healed(self._eyes, self._hosts_of(injection))

    def _ask(self, details: Mapping[str, Any], query: str) -> tuple[int, str]:
        """Ask a database by its endpoint's name, as its user, from the operator's host: exit status and words."""
        command = [
            *(self._world.entry("operator") if self._world else ()),
            str(find_binaries() / "psql"), "--no-psqlrc", "--quiet", "--no-align", "--tuples-only",
            "--set", "ON_ERROR_STOP=1", "--host", details["endpoint"], "--port", str(PORT),
            "--username", details["user"], "--dbname", details["database"], "--command", query,
        ]  # fmt: skip
        secret = (self._directory.secrets / "database-password").read_text(encoding="ascii")
        variables = {"PGPASSWORD": secret, "PGCONNECT_TIMEOUT": "3"}
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_LOOK_WITHIN.total_seconds(), check=False,
            env=program_environment(self._directory.disks / "operator", variables), cwd="/", start_new_session=True,
        )  # fmt: skip
        return done.returncode, (done.stdout + done.stderr).strip()

    def _look_at_link(self, injection: Injection) -> Mapping[str, Any]:
        condition = injection.details.get("condition") or {}
        patience = float(condition.get("delay_seconds", 0.0))
        return self._control.ask("look_at_link", **_source_of(injection), patience_seconds=patience)

    def _hosts_of(self, injection: Injection) -> Sequence[Mapping[str, Any]]:
        hosts: Sequence[Mapping[str, Any]]
        if injection.kind in PLACE_KINDS:
            return self._hosts_in(injection)
        if injection.details.get("unconfirmed") is True:
            hosts = self._control.ask("hosts_of", resource=injection.resource)["hosts"]
        else:
            hosts = injection.details["hosts"]
        return hosts

    def _hosts_in(self, injection: Injection) -> Sequence[Mapping[str, Any]]:
        """Return what lost its power with a place and is there still: machines are replaced, and launched anew."""
        asked = {"kind": injection.kind, "resource": injection.resource}
        there: Sequence[Mapping[str, Any]] = self._control.ask("hosts_in_place", **asked)["hosts"]
        if injection.details.get("unconfirmed") is True:
            return there
        lost = {host["host"] for host in injection.details["hosts"]}
        return [host for host in there if host["host"] in lost]


def _source_of(injection: Injection) -> Mapping[str, Any]:
    """Return whose links are meant, and where: where nobody knows what was done, those of the request's database."""
    details = injection.details
    return {"source": details.get("source", injection.resource), "region": details.get("region")}


def _observer_of(kind: str) -> Observer:
    if kind not in OBSERVERS:
        raise UsageError(f"the embedded mirror cannot inject `{kind}`.")
    return OBSERVERS[kind]


class _MirrorEyes:
    """Looks from the users' host, from where this process is, or through a machine in a zone."""

    def __init__(self, world: World | None, directory: MirrorDirectory, control: Control) -> None:
        self._world = world
        self._directory = directory
        self._control = control
        self.outside = "the users' host" if world else "the operator's host"

    def from_outside(self, address: str) -> Mapping[str, Any]:
        """Look at a server from the users' host, or the operator's."""
        command = [
            *(self._world.entry("users") if self._world else ()),
            sys.executable, "-m", "drdrill.load.reach", address, str(PORT), _LOOK_TIMEOUT_SECONDS,
        ]  # fmt: skip
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_LOOK_WITHIN.total_seconds(), check=False,
            env=program_environment(self._directory.disks / "users"), cwd="/", start_new_session=True,
        )  # fmt: skip
        if done.returncode:
            raise EnvironmentFailedError(f"the look from {self.outside} failed: {done.stderr.strip()}")
        look: Mapping[str, Any] = json.loads(done.stdout)
        return look

    def from_zone(self, zone: str, address: str) -> Mapping[str, Any]:
        """Look at a server from another machine in a zone."""
        look: Mapping[str, Any] = self._control.ask("look_from_zone", zone=zone, address=address)["look"]
        return look

    def at_disk(self, host: str) -> Mapping[str, Any]:
        """Let a host's own programs look at its disk."""
        return self._control.ask("read_disk", host=host)
