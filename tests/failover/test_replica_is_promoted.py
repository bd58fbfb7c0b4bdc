"""The look at a promoted replica: it says no until the database serves under its name in the recovery region."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from drdrill.plan.runbook_checking import check_runbook
from failover._telling import StoppedError
from failover.replica_is_promoted import observe

NAME = "db.example.internal"


class Cloud:
    """RDS with one instance and Route 53 with one zone, as their answers."""

    def __init__(self) -> None:
        self.instance: dict[str, Any] = {"DBInstanceStatus": "available", "Endpoint": {"Address": "new.rds"}}
        self.zones: list[dict[str, Any]] = [{"Name": "example.internal.", "Id": "Z1"}]
        self.records: list[dict[str, Any]] = [
            {"Name": f"{NAME}.", "Type": "CNAME", "ResourceRecords": [{"Value": "new.rds."}]}
        ]

    def describe_db_instances(self, **_: object) -> dict[str, Any]:
        """Answer as RDS does."""
        return {"DBInstances": [self.instance]}

    def list_hosted_zones_by_name(self, **_: object) -> dict[str, Any]:
        """Answer as Route 53 does."""
        return {"HostedZones": self.zones}

    def list_resource_record_sets(self, **_: object) -> dict[str, Any]:
        """Answer as Route 53 does: from the asked name on, whatever comes next."""
        return {"ResourceRecordSets": self.records}


def test_promoted() -> None:
    """Promoted, available and led to: nothing is raised."""
    cloud = Cloud()
    observe(cloud, cloud, "replica", NAME)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"instance": {"ReadReplicaSourceDBInstanceIdentifier": "old"}}, "replica still follows old"),
        ({"instance": {"DBInstanceStatus": "modifying"}}, "replica is modifying"),
        ({"records": [{"Value": "old.rds"}]}, "leads to old.rds, not to new.rds"),
        ({"records": []}, "leads to nothing"),
        ({"zones": []}, "leads to nothing"),
        ({"zones": [{"Name": "other.", "Id": "Z2"}]}, "leads to nothing"),
    ],
)
def test_not_yet(change: dict[str, Any], says: str) -> None:
    """What is not so is said."""
    cloud = Cloud()
    cloud.instance |= change.get("instance", {})
    cloud.zones = change.get("zones", cloud.zones)
    if "records" in change:
        cloud.records = [cloud.records[0] | {"ResourceRecords": [one]} for one in change["records"]]
    with pytest.raises(StoppedError, match=says):
        observe(cloud, cloud, "replica", NAME)


def test_the_runbook_loads() -> None:
    """The company's own runbook has no mistakes."""
    assert check_runbook(Path(__file__).parents[2] / "failover" / "runbook.yaml") == ()
