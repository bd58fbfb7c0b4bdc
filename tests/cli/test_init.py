"""`drdrill init` writes a drill repository that is somebody's own, or nothing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from drdrill.cli.main import main
from drdrill.cli.preflight import check_everything
from drdrill.cli.starting import template
from drdrill.cli.starting.names import Names
from drdrill.cli.starting.repository import write_repository
from drdrill.load.workload import load_workload
from drdrill.measure.runbook_projection import check_objectives
from drdrill.plan import MirrorExtent, load_plan
from drdrill.plan.runbook_checking import load_runbook

if TYPE_CHECKING:
    from pathlib import Path

SHOP = Names("Corner Shop", "orders", "us-east-2", "us-west-2", "USD")
# What only the reference company has: its name, its business, where it is, and its plan's document.
REFERENCE = re.compile(r"payment|meqenet|eu-west|eu-central|\betb\b|\bbirr\b|\bsection \d", re.IGNORECASE)


def test_can_be_drilled_at_once(tmp_path: Path) -> None:
    """All its files pass the checks before a drill."""
    write_repository(tmp_path / "new", SHOP)
    check_everything(tmp_path / "new", tmp_path / "new" / "scenarios" / "plan.yaml", "embedded")


@pytest.mark.parametrize(
    "names",
    [
        SHOP,
        Names("Ärzte & Co.", "sick-notes-2", "eu-north-1", "ap-southeast-2", "EUR"),
        Names("Payment Row", "payments", "eu-central-1", "eu-west-1", "ETB"),  # names of the reference itself
        Names("Repayments", "repayments-2", "us-west-1", "eu-west-1", "USD"),
    ],
)
def test_has_the_names_that_were_given(names: Names, tmp_path: Path) -> None:
    """Its plan is without mistakes, and company, service, store, regions and currency are the adopter's."""
    write_repository(tmp_path / "new", names)
    plan = load_plan(tmp_path / "new" / "scenarios" / "plan.yaml")
    assert plan.regions.primary.name == names.primary_region
    assert plan.regions.recovery.name == names.recovery_region
    assert list(plan.services) == [names.service]
    assert plan.stores[f"{names.service}-database"].resource == names.service
    assert plan.currency == names.currency
    assert names.company in plan.title
    assert {scenario.service for scenario in plan.scenarios.values()} == {names.service}
    assert "primary_host_loses_power" in plan.scenarios
    workload = load_workload(tmp_path / "new" / "environments" / "embedded" / "workload.yaml")
    assert (workload.service, workload.store) == (names.service, f"{names.service}-database")
    made = (tmp_path / "new" / "environments" / "embedded" / "replicate.py").read_text(encoding="utf-8")
    assert f'boto3.client("rds", "{names.primary_region}")' in made
    assert f'boto3.client("rds", "{names.recovery_region}")' in made


def test_nothing_of_the_reference_company_is_in_it(tmp_path: Path) -> None:
    """No file has a name, a region, or a word of the reference company; its pages for Allure have none anyway."""
    write_repository(tmp_path / "new", SHOP)
    found = [
        f"{path.relative_to(tmp_path)}: {line}"
        for path in (tmp_path / "new").rglob("*")
        if path.is_file()
        for line in path.read_text(encoding="utf-8").splitlines()
        if REFERENCE.search(line)
    ]
    assert found == []
    assert not (tmp_path / "new" / "system").exists()


def test_has_databases_only(tmp_path: Path) -> None:
    """No scenario needs the whole system, every feature has one of the plan's, and no script builds what is lacking."""
    write_repository(tmp_path / "new", SHOP)
    plan = load_plan(tmp_path / "new" / "scenarios" / "plan.yaml")
    assert {scenario.mirror for scenario in plan.scenarios.values()} == {MirrorExtent.DATABASES}
    tagged = [
        set(re.findall(r"@scenario:(\w+)", path.read_text(encoding="utf-8")))
        for path in (tmp_path / "new" / "scenarios").rglob("*.feature")
    ]
    assert all(tagged)
    assert set.union(*tagged) == set(plan.scenarios)
    environment = tmp_path / "new" / "environments" / "embedded"
    assert {path.name for path in environment.glob("*.py")} == {"build.py", "replicate.py"}


def test_has_a_runbook_of_its_own(tmp_path: Path) -> None:
    """It is without mistakes, is within the plan's objectives, and what it runs is there."""
    write_repository(tmp_path / "new", SHOP)
    path = tmp_path / "new" / "failover" / "runbook.yaml"
    plan, runbook = load_plan(tmp_path / "new" / "scenarios" / "plan.yaml"), load_runbook(path)
    assert list(check_objectives(plan, runbook, str(path))) == []
    assert list(runbook.steps) == ["declaration", "database", "go_no_go"]
    text = path.read_text(encoding="utf-8")
    assert "name orders-database.corner-shop.internal" in text
    assert set(re.findall(r"failover\.\w+", text)) == {"failover.promote_replica"}


def test_what_operators_run_is_there(tmp_path: Path) -> None:
    """Every program of the failover can be asked for its help, and whatever names one names one that is there."""
    folder = tmp_path / "new" / "failover"
    write_repository(tmp_path / "new", SHOP)
    there = {path.stem for path in folder.glob("*.py")}
    named = {
        name
        for path in (tmp_path / "new").rglob("*")
        if path.suffix in (".py", ".yaml", ".md", ".feature")
        for name in re.findall(r"\bfailover\.(\w+)", path.read_text(encoding="utf-8"))
    }
    assert named - {"yaml"} <= there
    assert "promote_replica" in there
    for name in (one for one in there if not one.startswith("_")):
        command = [sys.executable, "-m", f"failover.{name}", "--help"]
        ended = subprocess.run(command, cwd=tmp_path / "new", capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr


def test_a_hyphen_is_none_in_a_database(tmp_path: Path) -> None:
    """What is asked of an old primary is asked of the database that was made, whose name has no hyphens."""
    write_repository(tmp_path / "new", Names("Corner Shop", "sick-notes", "us-east-2", "us-west-2", "USD"))
    asked = (
        "from failover._old_primary import database_of; print(database_of('sick-notes-database.internal'))"
    )
    said = subprocess.check_output([sys.executable, "-c", asked], cwd=tmp_path / "new", text=True)
    assert said == "sick_notes\n"
    assert 'DBName="sick_notes"' in (tmp_path / "new/environments/embedded/build.py").read_text(
        encoding="utf-8"
    )


def test_code_still_compiles(tmp_path: Path) -> None:
    """Replaced words leave Python that is Python."""
    write_repository(tmp_path / "new", Names("9 & 1", "a-b", "us-east-1", "us-west-1", "USD"))
    for path in (tmp_path / "new").rglob("*.py"):
        compile(path.read_text(encoding="utf-8"), str(path), "exec")


def test_the_reference_is_this_repository(tmp_path: Path) -> None:
    """The example has the same files, byte for byte: there is no second copy to forget."""
    write_repository(tmp_path / "new", None)
    source = template.find_template()
    for folder in template.FOLDERS:
        for path in (tmp_path / "new" / folder).rglob("*"):
            if path.is_file():
                assert path.read_bytes() == (source / path.relative_to(tmp_path / "new")).read_bytes()
    assert (tmp_path / "new" / "system" / "services").is_dir()


def test_fills_an_empty_folder(tmp_path: Path) -> None:
    """A folder that is there and empty, such as a new clone's parent made by hand, is filled; no stage stays in it."""
    write_repository(tmp_path, SHOP)
    assert (tmp_path / "scenarios" / "plan.yaml").is_file()
    assert os.access(tmp_path / ".ci" / "run", os.X_OK)
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".drdrill")] == []


def test_refuses_a_folder_with_something_in_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that is not empty is left as it is, and what is in it is named."""
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    assert main(["init", str(tmp_path)]) == 2
    assert "is not empty (mine.txt…)" in capsys.readouterr().err.replace("\n", " ")
    assert [each.name for each in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--service", "Orders!"], "--service `Orders!`: expected small letters"),
        (["--name", "../up"], "--name `../up`: expected letters"),
        (["--currency", "dollars"], "--currency `dollars`: expected three capital letters"),
        (["--primary-region", "mars"], "--primary-region `mars`: expected an AWS region"),
        (["--primary-region", "us-west-2"], "is the primary region, too"),
    ],
)
def test_refuses_what_is_no_name(
    options: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A name that would make no working plan is refused with what was expected, and nothing is written."""
    assert main(["init", str(tmp_path / "new"), *options]) == 2
    assert told in " ".join(capsys.readouterr().err.split())
    assert list(tmp_path.iterdir()) == []


def test_refuses_where_no_folder_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder above that is not there, and a file in the folder's place, are told in words."""
    assert main(["init", str(tmp_path / "a" / "b")]) == 2
    assert "make it first" in " ".join(capsys.readouterr().err.split())
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert main(["init", str(tmp_path / "file")]) == 2
    assert "is a file" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("there", [False, True], ids=["new folder", "empty folder"])
def test_leaves_nothing_half_written(tmp_path: Path, *, there: bool) -> None:
    """When it breaks half way, there is neither the folder nor a part of it."""
    folder = tmp_path / "new"
    if there:
        folder.mkdir()
    broken = Unfinished("Corner Shop", "orders", "us-east-2", "us-west-2", "USD")
    with pytest.raises(RuntimeError, match="broken off"):
        write_repository(folder, broken)
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == ["new"] * there


class Unfinished(Names):
    """Names that break the writing off, after the copy and in the middle of the texts."""

    @property
    def slug(self) -> str:
        """Break."""
        raise RuntimeError("broken off")
