"""`drdrill run` refuses before anything is started: every mistake by its place, every lack with its remedy."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.live.repository import Repository

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

PLAN = "scenarios/plan.yaml"
FEATURE = "scenarios/database_failure.feature"
EXPERIMENT = "chaos/experiments/database_host_power_loss.inject.yaml"
EMBEDDED = "environments/embedded"
# In a user namespace of its own a process may forbid further ones, and cover a program with something that is none.
_ALONE = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c")
NO_NAMESPACES = (*_ALONE, 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"', "sh")
NO_PROGRAM = (*_ALONE, 'mount --bind /dev/null "$0" && exec "$@"')


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Return a copy of the drill repository."""
    return Repository.copy(tmp_path)


def _line_of(repository: Repository, file: str, text: str) -> int:
    lines = (repository.path / file).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, start=1) if text in line)


def _assert_refused(repository: Repository, ended: subprocess.CompletedProcess[str], status: int) -> None:
    assert ended.returncode == status, ended.stderr
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr
    assert "this is a bug" not in ended.stderr
    assert [one.name for one in (repository.path / "reports").iterdir()] == ["allure"]
    assert not (repository.path / ".drdrill" / "mirrors").exists()
    assert list(repository.temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        (PLAN, "tier: critical\n", "tier: crtical\n", "critical"),
        (
            PLAN,
            "critical_path: [rds_multi_az_failover, endpoint_dns_cache, client_reconnection]",
            "runbook: failover/runbok.yaml",
            "Did you mean `failover/runbook.yaml`?",
        ),
        (
            FEATURE,
            "@scenario:primary_host_loses_power",
            "@scenario:primary_host_looses_power",
            "primary_host",
        ),
        (FEATURE, "And users are served again", "And users are serfed again", "serfed"),
        (EXPERIMENT, "func: inject_host_power_loss", "func: inject_host_power_los", "inject_host_power_los"),
        (f"{EMBEDDED}/workload.yaml", "rate_per_second: 50", "rate_per_secnd: 50", "rate_per_second"),
        (f"{EMBEDDED}/budget.yaml", "recovery: 3 min", "recovery: 3 mim", "3 mim"),
        (f"{EMBEDDED}/environment.yaml", "failure_detection: 2 s", "failure_detecton: 2 s", "failure_detect"),
    ],
)
def test_a_mistyped_file_is_told_by_its_place(
    repository: Repository, file: str, old: str, new: str, says: str
) -> None:
    """A wrong word in any file ends with status 2 and one message with file and line; nothing is started."""
    repository.alter(file, old, new)
    line = _line_of(repository, file, new.strip())
    ended = repository.run("run", "database", "--json")
    _assert_refused(repository, ended, 2)
    *mistakes, last = ended.stderr.splitlines()
    assert last == "drdrill: 1 mistake; nothing was started.", ended.stderr
    assert len(mistakes) == 1
    assert f"{file}:{line}" in mistakes[0]
    assert says in mistakes[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("databse",), "there is no disaster class `databse`. Did you mean `database`?"),
        (
            ("database", "--environment", "embeded"),
            "There is no environment `embeded`. Did you mean `embedded`?",
        ),
        (("database", "--environment", "aws"), "The environment `aws` is not installed here."),
        (("zone",), "no scenario has the tag `@class:zone`."),
        (("database", "--mirror", "nobody"), "there is no mirror `nobody`"),
        (
            ("database", "--scenario", "primary_host_loses_pwer"),
            (
                "there is no scenario `primary_host_loses_pwer` of the class `database`. "
                "Did you mean `primary_host_loses_power`?"
            ),
        ),
        (
            ("database", "--failover-command", "./failover.sh"),
            "--failover-command takes the place of a runbook, and `primary_host_loses_power` has none.",
        ),
        (
            ("database", "--failover-event", "event.json"),
            "--failover-event is the event of a handler: --failover-command names that.",
        ),
    ],
)
def test_a_mistyped_name_is_met_with_the_nearest(
    repository: Repository, arguments: tuple[str, ...], message: str
) -> None:
    """A wrong name on the command line ends with status 2 and a remedy; nothing is started."""
    ended = repository.run("run", *arguments)
    _assert_refused(repository, ended, 2)
    assert ended.stderr.startswith(f"drdrill: {message}"), ended.stderr


def test_all_mistakes_of_all_files_are_told_at_once(repository: Repository) -> None:
    """One call is enough to learn of everything that is wrong."""
    for file in ("workload.yaml", "budget.yaml"):
        path = repository.path / EMBEDDED / file
        path.write_text(path.read_text(encoding="utf-8") + "\nnonsense: 1\n", encoding="utf-8")
    repository.alter(PLAN, "tier: critical\n", "tier: crtical\n")
    ended = repository.run("run", "database")
    _assert_refused(repository, ended, 2)
    assert ended.stderr.splitlines()[-1] == "drdrill: 3 mistakes; nothing was started."


def test_missing_namespaces_are_told_with_the_remedy(repository: Repository) -> None:
    """On a machine that forbids user namespaces it ends with status 5 and names the switch that allows them."""
    ended = repository.run("run", "database", before=NO_NAMESPACES)
    _assert_refused(repository, ended, 5)
    assert "user namespaces" in ended.stderr
    assert "user.max_user_namespaces=" in ended.stderr
    assert "nothing was started" in ended.stderr


def test_a_missing_program_is_told_with_its_package(repository: Repository) -> None:
    """On a machine without `ip` it ends with status 5 and names the package to install."""
    program = shutil.which("ip", path=os.pathsep.join((os.environ["PATH"], "/usr/sbin", "/sbin")))
    assert program is not None
    ended = repository.run("run", "database", before=(*NO_PROGRAM, os.path.realpath(program)))
    _assert_refused(repository, ended, 5)
    assert "ip: " in ended.stderr
    assert "Install the package iproute2" in ended.stderr
