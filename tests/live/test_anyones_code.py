"""Unmodified programs in a mirror: AWS's command line, a plain boto3 script, psql; no endpoint setting anywhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import subprocess

    from tests.live.repository import Repository

pytestmark = pytest.mark.drill
PROGRAMS = Path(__file__).with_name("programs")
NEW = ["--db-instance-class", "db.r6g.large", "--engine", "postgres", "--master-username", "somebody"]
PASSWORD = ["--master-user-password", "correct-horse"]
LONGEST = "a" * 63


def _operate(repository: Repository, *program: str) -> subprocess.CompletedProcess[str]:
    return repository.run("env", "exec", "--name", "a", "--", *program)


def test_it_is_the_real_command_line(mirror: Repository) -> None:
    """What runs is AWS's own program of version 1, and nothing of ours is in it."""
    said = _operate(mirror, "aws", "--version")
    assert said.stdout.startswith("aws-cli/1."), said.stderr


def test_the_command_line_and_psql_in_a_shell(mirror: Repository) -> None:
    """In `env shell` an operator creates a Multi-AZ instance, waits, fails it over; no row is lost on the way."""
    script = (PROGRAMS / "fail_over.sh").read_text(encoding="utf-8")
    ended = mirror.run("env", "shell", "--name", "a", said=script)
    assert ended.returncode == 0, ended.stderr + ended.stdout
    created, before, rebooting, words, after, *events = ended.stdout.splitlines()
    assert (created, rebooting, words.split()) == ("creating", "rebooting", ["words:", "before", "after"])
    _, zone, other, _, server = before.split()
    _, zone_now, _, server_now = after.split()
    assert zone_now == other != zone
    assert server_now != server
    assert "Multi-AZ instance failover completed." in "\n".join(events)


def test_changing_a_database_with_the_command_line(mirror: Repository) -> None:
    """In `env shell` an operator makes groups, changes and renames an instance, stops and starts it; its rows stay."""
    script = (PROGRAMS / "modify.sh").read_text(encoding="utf-8")
    ended = mirror.run("env", "shell", "--name", "a", said=script)
    assert ended.returncode == 0, ended.stderr + ended.stdout
    assert ended.stdout.split() == [
        "000000000000", "ours", "ours", "Complete", "creating", "5000kB", "modifying", "renaming", "kept",
        "tier", "one", "stopping", "starting", "kept", "deleting",
    ]  # fmt: skip


def test_a_shell_ends_as_its_last_program(mirror: Repository) -> None:
    """The exit status of `env shell` is the one of the shell."""
    assert mirror.run("env", "shell", "--name", "a", said="exit 7\n").returncode == 7


def test_a_plain_script(mirror: Repository) -> None:
    """A script with boto3 and its waiters creates, fails over and deletes an instance, as it would in AWS."""
    ended = _operate(mirror, "python", str(PROGRAMS / "fail_over.py"))
    assert ended.returncode == 0, ended.stderr
    created, before, after = json.loads(ended.stdout)
    assert created["DBInstanceStatus"] == "creating"
    assert before["DBInstanceStatus"] == after["DBInstanceStatus"] == "available"
    assert after["AvailabilityZone"] == before["SecondaryAvailabilityZone"] != before["AvailabilityZone"]
    assert after["Endpoint"] == before["Endpoint"]


@pytest.mark.parametrize(
    ("command", "operation"),
    [
        ("rds describe-db-clusters", "rds:DescribeDBClusters"),  # query
        (
            "ec2 describe-spot-price-history",
            "ec2:DescribeSpotPriceHistory",
        ),  # ec2, of a service that is partly ours
        ("sts get-caller-identity --region us-west-2", "sts:GetCallerIdentity"),  # query, a region of no plan
        ("dynamodb list-backups", "dynamodb:ListBackups"),  # json, of a service that is delegated
        ("ecr describe-repositories", "ecr:DescribeRepositories"),  # json, a name of several labels
        ("eks list-addons --cluster-name a", "eks:ListAddons"),  # rest-json
        ("route53 list-traffic-policies", "route53:ListTrafficPolicies"),  # rest-xml, a global service
        ("s3control list-jobs --account-id 000000000000", "s3:ListJobs"),  # the account is in the host's name
    ],
)
def test_what_is_not_implemented_says_so(mirror: Repository, command: str, operation: str) -> None:
    """In every protocol the command line shows AWS's kind of error, which names service and operation."""
    ended = _operate(mirror, "aws", *command.split())
    assert ended.returncode != 0
    name = operation.partition(":")[2]
    expected = f"An error occurred (NotImplemented) when calling the {name} operation: {operation} in "
    assert expected in ended.stderr


@pytest.mark.parametrize(
    "command",
    [
        "s3 ls s3://no-such-bucket",  # the bucket is in the host's name
        "s3 ls s3://no-such-bucket --no-sign-request",
        "s3api get-object --bucket no.such.bucket --key a/b /dev/null",  # in the path
    ],
)
def test_a_bucket_that_is_not_there(mirror: Repository, command: str) -> None:
    """However S3 is addressed, and whether or not the call is signed, it is S3's own error."""
    ended = _operate(mirror, "aws", *command.split())
    assert ended.returncode != 0
    assert "An error occurred (NoSuchBucket) when calling the " in ended.stderr


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (
            ["create-db-instance", "--db-instance-identifier", "payments", *NEW, *PASSWORD],
            "DBInstanceAlreadyExists",
        ),
        (
            ["create-db-instance", "--db-instance-identifier", f"{LONGEST}a", *NEW, *PASSWORD],
            "InvalidParameterValue",
        ),
        (
            ["create-db-instance", "--db-instance-identifier", "b", *NEW, *PASSWORD, "--port", "1"],
            "NotImplemented",
        ),
        (["create-db-instance", "--db-instance-identifier", "b", *NEW], "InvalidParameterValue"),
        (["describe-db-instances", "--db-instance-identifier", "nobody"], "DBInstanceNotFound"),
        (["describe-db-instances", "--filters", "Name=colour,Values=red"], "InvalidParameterValue"),
        (["describe-db-instances", "--max-records", "101"], "InvalidParameterValue"),
        (["describe-events", "--source-identifier", "payments"], "InvalidParameterCombination"),
        (["reboot-db-instance", "--db-instance-identifier", "nobody"], "DBInstanceNotFound"),
        (["delete-db-instance", "--db-instance-identifier", "payments"], "InvalidParameterCombination"),
    ],
)
def test_wrong_calls(mirror: Repository, command: list[str], code: str) -> None:
    """A wrong call gets AWS's own error."""
    ended = _operate(mirror, "aws", "rds", *command)
    assert ended.returncode != 0
    assert f"An error occurred ({code}) when calling the " in ended.stderr


def test_listing_with_the_command_line(mirror: Repository) -> None:
    """A filter and a page's size reach the API, and what comes back is the instance of this region."""
    filters = ["--filters", "Name=db-instance-id,Values=payments", "--page-size", "20"]
    ended = _operate(mirror, "aws", "rds", "describe-db-instances", *filters)
    assert ended.returncode == 0, ended.stderr
    listed: list[dict[str, Any]] = json.loads(ended.stdout)["DBInstances"]
    assert [one["DBInstanceIdentifier"] for one in listed] == ["payments"]
