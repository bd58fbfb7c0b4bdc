"""Terraform's own AWS provider on the operator's host: apply, an empty plan, change, an empty plan, destroy.

https://github.com/hashicorp/terraform-provider-aws/blob/main/website/docs/r/db_instance.html.markdown

The provider itself waits a minute before it looks at what it began: this takes some minutes.
"""

from __future__ import annotations

import os
import shutil
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from drdrill.core.errors import EnvironmentFailedError
from drdrill.mirror.terraform import find_terraform
from tests.missing import not_run

if TYPE_CHECKING:
    from drdrill.mirror.embedded import Embedded
    from tests.contract.rds.conftest import Query

pytestmark = [pytest.mark.drill, pytest.mark.long]  # the provider itself waits for minutes
_PROGRAMS = Path(__file__).with_name("programs")
_WITHIN = timedelta(minutes=10)  # measured 1 to 2 min, most of it the provider's own waits
_CHANGES = ("instance_class=db.r6g.xlarge", "multi_az=false", "team=till", "work_mem=6000")


class Terraform:
    """A configuration in a folder of its own, run on the operator's host."""

    def __init__(self, environment: Embedded, folder: Path, program: Path) -> None:
        self._environment = environment
        self._folder = folder
        self._program = program

    def initialise(self, configuration: str, programs: Path = _PROGRAMS) -> None:
        """Take one of our configurations, and the provider."""
        shutil.copy(programs / configuration / "main.tf", self._folder)
        self.run("init", "-input=false")

    def destroy(self, *changes: str) -> None:
        """Destroy everything that was applied."""
        self.run("destroy", "-auto-approve", "-input=false", *_variables(changes))

    def run(self, *arguments: str) -> str:
        """Run Terraform and return what it wrote; raises `CommandFailedError` when it does not end with 0."""
        command = [str(self._program), f"-chdir={self._folder}"]
        return self._environment.run_for_operator([*command, *arguments, "-no-color"], within=_WITHIN)

    def apply(self, *changes: str) -> None:
        """Apply the configuration, with these variables."""
        self.run("apply", "-auto-approve", "-input=false", *_variables(changes))

    def plan_nothing(self, *changes: str) -> None:
        """Plan, and be told that there is nothing to do: exit status 0, where 2 is a change."""
        said = self.run("plan", "-detailed-exitcode", "-input=false", *_variables(changes))
        assert "No changes." in said


def _variables(changes: tuple[str, ...]) -> list[str]:
    return [f"-var={change}" for change in changes]


@pytest.fixture
def terraform(environment: Embedded, tmp_path: Path) -> Terraform:
    """Return Terraform with its provider at hand."""
    try:
        found = find_terraform(os.environ)
    except EnvironmentFailedError as error:
        not_run("terraform", str(error))
    return Terraform(environment, tmp_path, found.program)


def _describe(rds: Any, instance: str = "tf-shop") -> dict[str, Any]:
    described: dict[str, Any] = rds.describe_db_instances(DBInstanceIdentifier=instance)["DBInstances"][0]
    return described


def test_apply_change_destroy(rds: Any, terraform: Terraform, query: Query) -> None:
    """What Terraform applies is there, and its next plan is empty: after the first apply and after every change.

    https://github.com/hashicorp/terraform-provider-aws/blob/main/website/docs/r/db_instance.html.markdown
    """
    terraform.initialise("instance")
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
    terraform.initialise("replica")
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
