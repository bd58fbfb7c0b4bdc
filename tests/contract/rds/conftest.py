"""What the contract's tests see of an environment: clients of RDS in two regions, and SQL from where operators are.

Only this file knows that the environment is an embedded mirror. `rds` and `rds_recovery` are plain boto3 clients.
"""

from __future__ import annotations

import secrets
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import boto3
import pytest
from botocore.config import Config

from drdrill.mirror.embedded import Embedded
from drdrill.plan import load_plan
from tests.mirror.standing import copy_repository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from drdrill.plan.model import Plan

_TUNNEL = Path(__file__).with_name("tunnel.py")
_QUERY_WITHIN = timedelta(seconds=60)
USER, PASSWORD, DATABASE = "owner", "correct-horse-battery", "shop"


class Query(Protocol):
    """Runs SQL where operators are."""

    def __call__(
        self, endpoint: str, sql: str, *, database: str = DATABASE, user: str = USER, password: str = PASSWORD
    ) -> str:
        """Return the rows as psql prints them; raises `CommandFailedError` with psql's words."""
        ...


class NewInstance(Protocol):
    """Makes instances for a module's tests."""

    def __call__(self, rds: Any, **parameters: object) -> dict[str, Any]:
        """Create an instance, wait until it is available, and return its description."""
        ...


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of what an environment is built from."""
    return copy_repository(tmp_path_factory.mktemp("contract"))


@pytest.fixture(scope="module")
def plan(repository: Path) -> Plan:
    """Return the plan, which names the regions."""
    return load_plan(repository / "scenarios" / "plan.yaml")


@pytest.fixture(scope="module")
def environment(repository: Path, plan: Plan) -> Iterator[Embedded]:
    """Bring an environment up for this module and take it down, whatever happens."""
    with Embedded(repository, plan) as embedded:
        yield embedded


@pytest.fixture(scope="module")
def client(environment: Embedded) -> Iterator[Callable[..., Any]]:
    """Return what makes a plain boto3 client in a region, of RDS or of another service."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        process = subprocess.Popen(
            environment.operator_command([sys.executable, str(_TUNNEL), str(listening.fileno())]),
            stdin=subprocess.PIPE,
            pass_fds=[listening.fileno()],
            env=environment.operator_environment(),
            cwd="/",
        )
        proxy = f"http://127.0.0.1:{listening.getsockname()[1]}"
    session = boto3.Session("contract", "contract")
    clients: list[Any] = []

    def make(region: str, service: str = "rds") -> Any:
        clients.append(
            session.client(
                service,
                region_name=region,
                verify=str(environment.world.directory.path / "authority.pem"),
                config=Config(proxies={"https": proxy}),
            )
        )
        return clients[-1]

    try:
        yield make
    finally:
        for one in clients:
            one.close()
        assert process.stdin is not None
        process.stdin.close()
        process.wait(timeout=10)


@pytest.fixture(scope="module")
def rds(client: Callable[..., Any], plan: Plan) -> Any:
    """Return a client of RDS in the primary region."""
    return client(plan.regions.primary.name)


@pytest.fixture(scope="module")
def rds_recovery(client: Callable[..., Any], plan: Plan) -> Any:
    """Return a client of RDS in the recovery region."""
    return client(plan.regions.recovery.name)


@pytest.fixture(scope="module")
def query(environment: Embedded) -> Query:
    """Return what runs SQL by an endpoint's name from the operator's host."""

    def ask(
        endpoint: str, sql: str, *, database: str = DATABASE, user: str = USER, password: str = PASSWORD
    ) -> str:
        command = [
            "env", f"PGPASSWORD={password}", "psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align",
            "--set", "ON_ERROR_STOP=1", "--host", endpoint, "--username", user, "--dbname", database, "--command", sql,
        ]  # fmt: skip
        return environment.run_for_operator(command, within=_QUERY_WITHIN).strip()

    return ask


@pytest.fixture(scope="module")
def patience() -> dict[str, int]:
    """Return the `WaiterConfig` of this environment: nothing in it takes minutes."""
    return {"Delay": 1, "MaxAttempts": 120}


@pytest.fixture(scope="module")
def new_instance(patience: dict[str, int]) -> NewInstance:
    """Return what makes a small instance, with `DATABASE` owned by `USER`; any parameter may be given or changed."""

    def make(rds: Any, **parameters: object) -> dict[str, Any]:
        wanted = {
            "DBInstanceIdentifier": f"contract-{secrets.token_hex(4)}",
            "DBInstanceClass": "db.r6g.large",
            "Engine": "postgres",
            "AllocatedStorage": 20,
            "DBName": DATABASE,
            "MasterUsername": USER,
            "MasterUserPassword": PASSWORD,
            **parameters,
        }
        rds.create_db_instance(**wanted)
        name = {"DBInstanceIdentifier": wanted["DBInstanceIdentifier"]}
        rds.get_waiter("db_instance_available").wait(**name, WaiterConfig=patience)
        described: dict[str, Any] = rds.describe_db_instances(**name)["DBInstances"][0]
        return described

    return make
