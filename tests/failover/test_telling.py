"""How operators are told what stopped a program: operation, code, message, what to do; exit status 1, no traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import NoCredentialsError, WaiterError

from failover import restore_database
from failover._telling import StoppedError, run
from tests.failover.fake_rds import TO, FakeRds

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
# It asks somebody else than AWS first, and says so itself.
TAKE_A_NAME = ("database", "backup")
OTHERS = {"validate", "name_writer"}  # the second reads without credentials first
PROGRAMS = sorted({path.stem for path in (ROOT / "failover").glob("[a-z]*.py")} - OTHERS)


def _tell(main: Callable[[], None]) -> str:
    with pytest.raises(SystemExit) as ended:
        run(main)
    assert isinstance(ended.value.code, str), "a text is printed, and is the exit status 1"
    return ended.value.code


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("InvalidDBInstanceState", "Something else is under way with it"),
        ("AccessDenied", "Check the credentials"),
        ("InstanceQuotaExceededFault", "Have the quota raised"),
        ("SomethingNew", "Read what AWS says"),
    ],
)
def test_a_refusal_is_told(code: str, advice: str) -> None:
    """What was asked, AWS's code and words, and what to do."""
    rds = FakeRds(refuses={"ModifyDBInstance": (code, "in AWS's words")})
    rds.add("orders")
    told = _tell(lambda: _restore(rds))
    assert told.startswith(f"AWS refused ModifyDBInstance.\n{code}: in AWS's words\nWhat to do: {advice}")
    assert told.endswith("run the same command again: it goes on where it stopped.")


def _restore(rds: FakeRds) -> None:
    restore_database.restore(rds.client(), "orders", TO)


def test_waiting_in_vain_is_told() -> None:
    """The state in which it was left."""
    rds = FakeRds()
    rds.add("orders-damaged-20261128-190500", status="failed")
    told = _tell(lambda: _restore(rds))
    assert "orders-damaged-20261128-190500 is failed." in told
    assert "What to do: " in told


@pytest.mark.parametrize(
    ("last", "told"),
    [
        ({"nodegroup": {"nodegroupName": "services", "status": "DEGRADED"}}, "services is DEGRADED."),
        ({"ChangeInfo": {"Id": "/change/C1", "Status": "PENDING"}}, "The change /change/C1 is PENDING."),
    ],
)
def test_other_things_are_waited_for_in_vain(last: dict[str, object], told: str) -> None:
    """Nodes and name servers are told as they were seen last."""

    def main() -> None:
        raise WaiterError("something", "Max attempts exceeded", last)

    said = _tell(main)
    assert told in said
    assert "AWS's console says what happened" in said


def test_a_refusal_while_waiting_is_told() -> None:
    """Credentials that expire meanwhile look like those that expired before."""
    rds = FakeRds()
    rds.add("orders")
    client, waits = rds.client(), rds.client()
    rds.refuses["DescribeDBInstances"] = ("ExpiredToken", "expired")
    del client
    told = _tell(lambda: waits.get_waiter("db_instance_available").wait(DBInstanceIdentifier="orders"))
    assert "ExpiredToken: expired" in told
    assert "Check the credentials" in told


def test_aws_that_cannot_be_asked_is_told() -> None:
    """No credentials, no network: what botocore says of it."""

    def main() -> None:
        raise NoCredentialsError

    assert _tell(main).startswith("AWS could not be asked: Unable to locate credentials")


def test_ctrl_c_is_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    """What was asked for goes on at AWS, and a second run waits for it."""

    def main() -> None:
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as ended:
        run(main)
    assert ended.value.code == 130
    assert "it goes on where it stopped" in capsys.readouterr().err


def test_a_reason_of_our_own_is_told() -> None:
    """As it stands."""

    def main() -> None:
        raise StoppedError("There is nothing to do.")

    assert _tell(main) == "There is nothing to do."


@pytest.mark.parametrize("name", PROGRAMS)
def test_no_program_ends_in_a_traceback(name: str) -> None:
    """Without AWS within reach each program says so and ends with status 1."""
    arguments = {"restore_database": ["x", "--to", "2026-01-01T00:00:00+00:00"]}
    arguments |= {"deploy_services": ["--overlay", "recovery-critical", "--look"], "tell_users": ["declared"]}
    arguments |= {
        name: [] for name in PROGRAMS if name not in arguments and name.split("_")[-1] not in TAKE_A_NAME
    }
    ended = subprocess.run(
        [sys.executable, "-m", f"failover.{name}", *arguments.get(name, ["x"])],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
        env={"AWS_DEFAULT_REGION": "eu-west-1", "AWS_EC2_METADATA_DISABLED": "true", "HOME": "/nonexistent"},
    )  # fmt: skip
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    # Terraform asks for it; here is no Terraform.
    without = (
        "on the PATH"
        if name == "check_configuration"
        else "AWS could not be asked: Unable to locate credentials"
    )
    assert without in ended.stderr
