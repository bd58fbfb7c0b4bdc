"""What the contract's tests see of an environment: a client of ElastiCache, and Valkey from where operators are.

Only this file knows that the environment is an embedded mirror.
"""

from __future__ import annotations

import json
import secrets
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from drdrill.core.waiting import wait_until
from tests.contract.rds.conftest import client, environment, patience, plan, repository

if TYPE_CHECKING:
    from collections.abc import Callable

    from drdrill.mirror.embedded import Embedded
    from drdrill.plan.model import Plan

__all__ = ["client", "environment", "patience", "plan", "repository"]

_ASK = Path(__file__).with_name("programs") / "ask_valkey.py"
WITHIN = timedelta(seconds=60)  # measured 0.1 to 4 s
EVERY = timedelta(milliseconds=50)


class Ask(Protocol):
    """Asks a cache where operators are."""

    def __call__(self, endpoint: str, *commands: list[str]) -> list[Any]:
        """Return what a server answers to each command."""
        ...


class NewGroup(Protocol):
    """Makes replication groups for a module's tests."""

    def __call__(self, **parameters: object) -> dict[str, Any]:
        """Create a group, wait until it is available, and return its description."""
        ...


@pytest.fixture(scope="module")
def cache(client: Callable[..., Any], plan: Plan) -> Any:
    """Return a client of ElastiCache in the primary region."""
    return client(plan.regions.primary.name, "elasticache")


@pytest.fixture(scope="module")
def ask(environment: Embedded) -> Ask:
    """Return what asks a server by an endpoint's name from the operator's host."""

    def send(endpoint: str, *commands: list[str]) -> list[Any]:
        program = [sys.executable, str(_ASK), endpoint, json.dumps(commands)]
        answers: list[Any] = json.loads(environment.run_for_operator(program, within=WITHIN))
        return answers

    return send


@pytest.fixture(scope="module")
def new_group(cache: Any, patience: dict[str, int]) -> NewGroup:
    """Return what makes a group of two nodes that fails over by itself; any parameter may be given or changed."""

    def make(**parameters: object) -> dict[str, Any]:
        wanted = {
            "ReplicationGroupId": f"contract-{secrets.token_hex(4)}",
            "ReplicationGroupDescription": "of the contract",
            "Engine": "valkey",
            "CacheNodeType": "cache.t4g.micro",
            "NumCacheClusters": 2,
            "AutomaticFailoverEnabled": True,
            "MultiAZEnabled": True,
            **parameters,
        }
        cache.create_replication_group(**wanted)
        name = str(wanted["ReplicationGroupId"])
        cache.get_waiter("replication_group_available").wait(ReplicationGroupId=name, WaiterConfig=patience)
        return describe(cache, name)

    return make


def describe(cache: Any, group: str) -> dict[str, Any]:
    """Return what ElastiCache says of a group."""
    described: dict[str, Any] = cache.describe_replication_groups(ReplicationGroupId=group)[
        "ReplicationGroups"
    ][0]
    return described


def await_available(cache: Any, group: str) -> dict[str, Any]:
    """Wait until a group says that it is available, and return what else it says."""

    def available() -> dict[str, Any] | None:
        described = describe(cache, group)
        return described if described["Status"] == "available" else None

    found = wait_until(available, what=f"{group} available", within=WITHIN, every=EVERY)
    assert found is not None
    return found


def endpoint(described: dict[str, Any], kind: str = "PrimaryEndpoint") -> str:
    """Return the name of one of a group's endpoints."""
    return str(described["NodeGroups"][0][kind]["Address"])


def roles(described: dict[str, Any]) -> dict[str, str]:
    """Return the role of each of a group's clusters."""
    members = described["NodeGroups"][0]["NodeGroupMembers"]
    return {member["CacheClusterId"]: member["CurrentRole"] for member in members}


def primary_of(described: dict[str, Any]) -> str:
    """Return the cluster that is the primary."""
    return next(cluster for cluster, role in roles(described).items() if role == "primary")


def await_primary(cache: Any, group: str, *, other_than: str) -> dict[str, Any]:
    """Wait until another cluster is the primary of an available group, and return what it says."""
    wait_until(
        lambda: primary_of(describe(cache, group)) != other_than,
        what=f"another primary of {group}", within=WITHIN, every=EVERY,
    )  # fmt: skip
    return await_available(cache, group)


def messages(cache: Any, source: str, kind: str) -> list[str]:
    """Return the events of a group or of a cluster, oldest first."""
    events = cache.describe_events(SourceIdentifier=source, SourceType=kind)["Events"]
    return [event["Message"] for event in events]
