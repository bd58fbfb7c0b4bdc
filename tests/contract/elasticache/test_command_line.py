"""AWS's own command line on the operator's host, unmodified: a cache is made, failed over, looked at and deleted.

https://docs.aws.amazon.com/cli/latest/reference/elasticache/
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.elasticache.conftest import await_available, await_primary
from tests.live.aws_cli import install_aws_cli

if TYPE_CHECKING:
    from drdrill.mirror.embedded import Embedded

pytestmark = pytest.mark.drill
_WITHIN = timedelta(minutes=2)  # measured 1 to 3 s a command
GROUP = ("--replication-group-id", "till")


def test_a_cache_by_the_command_line(environment: Embedded, cache: Any) -> None:
    """The command line makes a group, tests its failover, lists its events and deletes it.

    https://docs.aws.amazon.com/cli/latest/reference/elasticache/test-failover.html
    """
    aws = str(install_aws_cli() / "aws")

    def run(*arguments: str) -> Any:
        said = environment.run_for_operator(
            [aws, "elasticache", *arguments, "--output", "json"], within=_WITHIN
        )
        return json.loads(said) if said.strip() else None

    made = run(
        "create-replication-group", *GROUP, "--replication-group-description", "till", "--engine", "redis",
        "--cache-node-type", "cache.t4g.micro", "--num-cache-clusters", "2", "--automatic-failover-enabled",
    )  # fmt: skip
    assert made["ReplicationGroup"]["Status"] == "creating"
    await_available(cache, "till")  # the command line's own waiter looks every 15 s
    run("test-failover", *GROUP, "--node-group-id", "0001")
    await_primary(cache, "till", other_than="till-001")
    (described,) = run("describe-replication-groups", *GROUP)["ReplicationGroups"]
    (shard,) = described["NodeGroups"]
    assert [member["CurrentRole"] for member in shard["NodeGroupMembers"]] == ["replica", "primary"]
    events = run("describe-events", "--source-type", "replication-group", "--source-identifier", "till")
    assert events["Events"][-1]["Message"].endswith(
        "from primary node till-001 to replica node till-002 completed"
    )
    assert run("delete-replication-group", *GROUP)["ReplicationGroup"]["Status"] == "deleting"
