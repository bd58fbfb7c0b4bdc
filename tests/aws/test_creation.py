"""What `CreateDBInstance` refuses: AWS's refusals in its words, the mirror's gaps by name."""

from __future__ import annotations

from typing import Any

import pytest

from drdrill.aws.errors import AwsError, NotImplementedInMirrorError
from drdrill.aws.rds.creation import check_create

GOOD: dict[str, Any] = {
    "DBInstanceIdentifier": "payments",
    "DBInstanceClass": "db.r6g.large",
    "Engine": "postgres",
    "MasterUsername": "somebody",
    "MasterUserPassword": "long-enough",
}
VERSION = "18.1"


def test_a_good_request_passes() -> None:
    """A request that AWS and the mirror can fulfil is not refused."""
    check_create({**GOOD, "MultiAZ": True, "EngineVersion": "18", "Port": 5432, "Tags": []}, VERSION)
    check_create({**GOOD, "DBInstanceIdentifier": "a" * 63, "MasterUsername": "postgres"}, VERSION)


def test_asking_for_what_is_so_anyway() -> None:
    """A parameter whose value says what the mirror's instances are like anyway is no gap; another value is one."""
    check_create({**GOOD, "StorageEncrypted": False, "CopyTagsToSnapshot": False}, VERSION)
    with pytest.raises(NotImplementedInMirrorError, match="CopyTagsToSnapshot"):
        check_create({**GOOD, "CopyTagsToSnapshot": True}, VERSION)


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"DBInstanceIdentifier": "1st"}, "InvalidParameterValue", "not a valid identifier: 1st"),
        ({"DBInstanceIdentifier": "a--b"}, "InvalidParameterValue", "not a valid identifier"),
        ({"DBInstanceIdentifier": "ends-"}, "InvalidParameterValue", "not a valid identifier"),
        ({"DBInstanceIdentifier": "a" * 64}, "InvalidParameterValue", "not a valid identifier"),
        ({"DBInstanceIdentifier": "a/../b"}, "InvalidParameterValue", "not a valid identifier"),
        ({"EngineVersion": "12.4"}, "InvalidParameterCombination", "Cannot find version 12.4 for postgres"),
        ({"MasterUserPassword": "short"}, "InvalidParameterValue", "shorter than 8 characters"),
        ({"MasterUserPassword": None}, "InvalidParameterValue", "MasterUserPassword must be provided"),
        ({"MasterUsername": ""}, "InvalidParameterValue", "MasterUsername must be provided"),
        ({"MasterUsername": "rdsadmin"}, "InvalidParameterValue", "reserved word"),
        ({"MasterUsername": "pg_me"}, "InvalidParameterValue", "reserved word"),
        ({"MasterUsername": "some-body"}, "InvalidParameterValue", "MasterUsername is not valid"),
        ({"MasterUserPassword": "x" * 129}, "InvalidParameterValue", "longer than 128 characters"),
        ({"MasterUserPassword": "with a space"}, "InvalidParameterValue", "Only printable ASCII"),
        ({"MasterUserPassword": "user@host"}, "InvalidParameterValue", "Only printable ASCII"),
        ({"DBName": "1st"}, "InvalidParameterValue", "DBName must begin with a letter"),
        ({"DBName": "postgres"}, "InvalidParameterValue", "postgres cannot be used"),
        ({"DBInstanceClass": "large"}, "InvalidParameterValue", "Invalid DB Instance class: large"),
        ({"AllocatedStorage": 19}, "InvalidParameterValue", "Invalid storage size"),
        ({"BackupRetentionPeriod": 36}, "InvalidParameterValue", "Must be between 0 and 35"),
        ({"MultiAZ": True, "AvailabilityZone": "eu-west-1a"}, "InvalidParameterCombination", "Multi-AZ"),
    ],
)
def test_what_aws_refuses(changes: dict[str, Any], code: str, words: str) -> None:
    """What AWS refuses is refused with its code and its words."""
    asked = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    with pytest.raises(AwsError, match=words) as caught:
        check_create(asked, VERSION)
    assert (caught.value.code, caught.value.status) == (code, 400)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"Iops": 3000}, "The parameter Iops of rds:CreateDBInstance"),
        ({"Engine": "mysql", "EngineVersion": "8.0"}, "The engine mysql"),
        ({"Port": 5433}, "A Port other than 5432"),
        ({"AvailabilityZone": "eu-west-1b"}, "The parameter AvailabilityZone of rds:CreateDBInstance"),
    ],
)
def test_what_the_mirror_cannot_do(changes: dict[str, Any], named: str) -> None:
    """What AWS can do and the mirror cannot is refused by name, never accepted and left out."""
    with pytest.raises(NotImplementedInMirrorError, match=f"^{named} is not implemented"):
        check_create({**GOOD, **changes}, VERSION)
