"""A standing mirror as a test uses it: what operators ask, what users see, what the supervisor knows."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drdrill.core.waiting import wait_until
from drdrill.environment.port import FaultRequest, Injection, StoreMember, StoreRole, StoreState

if TYPE_CHECKING:
    from drdrill.mirror.embedded import Embedded

REPOSITORY = Path(__file__).parents[2]
PROGRAMS = Path(__file__).with_name("programs")
REGION = "eu-west-1"
INSTANCE = "payments"
WITHIN = timedelta(seconds=90)  # measured 1 to 12 s; two cores are shared with other drills
EVERY = timedelta(milliseconds=100)
_RESOLVE = (
    "import socket, sys\ntry: print(socket.gethostbyname(sys.argv[1]))\nexcept socket.gaierror as e: print(e)"
)


def copy_repository(target: Path) -> Path:
    """Copy what a mirror is built from, plan and environment, and what breaks it; return the new one's folder."""
    for name in ("chaos", "environments", "scenarios"):
        shutil.copytree(REPOSITORY / name, target / name)
    return target


@dataclass(frozen=True, slots=True)
class Standing:
    """A mirror that stands for all tests of a module."""

    environment: Embedded

    def ask_aws(
        self, operation: str, *, service: str = "rds", region: str = REGION, **parameters: object
    ) -> dict[str, Any]:
        """Ask AWS with plain boto3 on the operator's host."""
        program = str(PROGRAMS / "ask_aws.py")
        command = [sys.executable, program, service, region, operation, json.dumps(parameters)]
        answer: dict[str, Any] = json.loads(self.environment.run_for_operator(command, within=WITHIN))
        return answer

    def reboot_and_write(self, how: str) -> list[str]:
        """Reboot the instance (`failover` or `plain`), write when it is available; return the statuses seen."""
        program = str(PROGRAMS / "reboot_and_write.py")
        command = [sys.executable, program, INSTANCE, INSTANCE, how]
        seen: list[str] = json.loads(self.environment.run_for_operator(command, within=WITHIN))
        return seen

    def query(
        self, statement: str, *, user: str = "payments_app", instance: str = INSTANCE, endpoint: str = ""
    ) -> str:
        """Have psql ask a database by its endpoint's name, or this one, from the operator's host."""
        command = [
            "psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1",
            "--host", endpoint or self.store(instance).endpoint, "--username", user, "--dbname", INSTANCE,
            "--command", statement,
        ]  # fmt: skip
        return self.environment.run_for_operator(command, within=WITHIN).strip()

    def resolve(self, name: str) -> str:
        """Return the address of a name as the operator's host resolves it, or the resolver's error."""
        return self.environment.run_for_operator(
            [sys.executable, "-c", _RESOLVE, name], within=WITHIN
        ).strip()

    def describe(self, instance: str = INSTANCE) -> dict[str, Any]:
        """Return what AWS says of an instance."""
        described: dict[str, Any] = self.ask_aws("describe_db_instances", DBInstanceIdentifier=instance)
        return dict(described["DBInstances"][0])

    def store(self, instance: str = INSTANCE) -> StoreState:
        """Return what is true of an instance."""
        return self.environment.observe_store(instance)

    def member(self, role: StoreRole) -> StoreMember:
        """Return the instance's member that has a role now."""
        return next(one for one in self.store().members if one.role is role)

    def await_protected(self) -> StoreState:
        """Wait until the instance is available with a standby in sync."""

        def protected() -> StoreState | None:
            state = self.store()
            return state if state.protected and state.status == "available" else None

        state = wait_until(protected, what="a standby in sync", within=WITHIN, every=EVERY)
        assert state is not None
        return state

    def await_status(self, instance: str, status: str) -> None:
        """Wait until an instance says this status."""
        wait_until(lambda: self.store(instance).status == status, what=status, within=WITHIN, every=EVERY)

    def cut_power(self, role: StoreRole) -> Injection:
        """Cut the power of the instance's member that has a role now."""
        return self.environment.faults.inject(
            FaultRequest(kind="host_power_loss", store="payments-database", resource=INSTANCE, role=role)
        )

    def host_names(self) -> set[str]:
        """Return the names of all hosts that there are."""
        return {host["name"] for host in self.environment.world.control.ask("hosts")["hosts"]}
