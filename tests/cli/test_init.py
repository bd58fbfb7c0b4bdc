"""`drdrill init` writes a drill repository that is somebody's own, or nothing."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from drdrill.cli.main import main
from drdrill.cli.preflight import check_everything
from drdrill.cli.starting import template
from drdrill.cli.starting.names import Names
from drdrill.cli.starting.repository import write_repository
from drdrill.plan import load_plan

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
    "names", [SHOP, Names("Ärzte & Co.", "sick-notes-2", "eu-north-1", "ap-southeast-2", "EUR")]
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
    assert "primary_host_loses_power" in plan.scenarios


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
