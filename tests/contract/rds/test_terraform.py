"""Terraform's own AWS provider on the operator's host: apply, an empty plan, change, an empty plan, destroy.

https://github.com/hashicorp/terraform-provider-aws/blob/main/website/docs/r/db_instance.html.markdown

The provider itself waits a minute before it looks at what it began: this takes some minutes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.terraform import Terraform, terraform

if TYPE_CHECKING:
    from tests.contract.rds.conftest import Query

__all__ = ["terraform"]
pytestmark = [pytest.mark.drill, pytest.mark.long]  # the provider itself waits for minutes
_PROGRAMS = Path(__file__).with_name("programs")
_CHANGES = ("instance_class=db.r6g.xlarge", "multi_az=false", "team=till", "work_mem=6000")


def _describe(rds: Any, instance: str = "tf-shop") -> dict[str, Any]:
    described: dict[str, Any] = rds.describe_db_instances(DBInstanceIdentifier=instance)["DBInstances"][0]
    return described


def test_apply_change_destroy(rds: Any, terraform: Terraform, query: Query) -> None:
    """What Terraform applies is there, and its next plan is empty: after the first apply and after every change.

    https://github.com/hashicorp/terraform-provider-aws/blob/main/website/docs/r/db_instance.html.markdown
    """
    terraform.initialise("instance", _PROGRAMS)
    terraform.apply()
    terraform.plan_nothing()
    address = terraform.run("output", "-raw", "address").strip()
    made = _describe(rds)
    assert (made["MultiAZ"], made["DBInstanceClass"]) == (True, "db.r6g.large")
    assert made["DBSubnetGroup"]["DBSubnetGroupName"] == "tf-shop"
    assert query(address, "show work_mem") == "5000kB"
    assert query(address, "show max_connections") == "150"

    terraform.apply(*_CHANGES)
    terraform.plan_nothing(*_CHANGES)
    changed = _describe(rds)
    assert (changed["MultiAZ"], changed["DBInstanceClass"]) == (False, "db.r6g.xlarge")
    assert changed["TagList"] == [{"Key": "team", "Value": "till"}]
    assert query(address, "show work_mem") == "6000kB"

    terraform.destroy(*_CHANGES)
    with pytest.raises(rds.exceptions.DBInstanceNotFoundFault):
        _describe(rds)
    with pytest.raises(rds.exceptions.DBParameterGroupNotFoundFault):
        rds.describe_db_parameter_groups(DBParameterGroupName="tf-shop")
    with pytest.raises(rds.exceptions.DBSubnetGroupNotFoundFault):
        rds.describe_db_subnet_groups(DBSubnetGroupName="tf-shop")


def test_a_replica_and_a_snapshot(rds: Any, terraform: Terraform, query: Query) -> None:
    """A replica follows its source until Terraform promotes it; its source is destroyed with a final snapshot.

    https://github.com/hashicorp/terraform-provider-aws/blob/main/website/docs/r/db_snapshot.html.markdown
    """
    terraform.initialise("replica", _PROGRAMS)
    terraform.apply()
    terraform.plan_nothing()
    replica = terraform.run("output", "-raw", "replica").strip()
    assert _describe(rds, "tf-replica")["ReadReplicaSourceDBInstanceIdentifier"] == "tf-source"
    assert query(replica, "select pg_is_in_recovery()") == "t"
    (snapshot,) = rds.describe_db_snapshots(DBSnapshotIdentifier="tf-before")["DBSnapshots"]
    assert (snapshot["Status"], snapshot["TagList"]) == ("available", [{"Key": "why", "Value": "before"}])

    terraform.apply("promoted=true")
    terraform.plan_nothing("promoted=true")
    assert "ReadReplicaSourceDBInstanceIdentifier" not in _describe(rds, "tf-replica")
    assert query(replica, "create table of_its_own (id int); select pg_is_in_recovery()") == "f"

    terraform.destroy("promoted=true")
    with pytest.raises(rds.exceptions.DBInstanceNotFoundFault):
        _describe(rds, "tf-source")
    (final,) = rds.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
    assert (final["DBSnapshotIdentifier"], final["Status"]) == ("tf-final", "available")
