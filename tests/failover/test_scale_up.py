"""Scaling up by Terraform: what is asked for, and what is said of failures and of a state that somebody has locked."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from drdrill.plan import load_plan
from failover._places import SYSTEM
from failover._telling import StoppedError
from failover.scale_up import Ended, observe, run_roots, scale_up

if TYPE_CHECKING:
    from collections.abc import Sequence

PLAN = Path(__file__).parents[2] / "scenarios" / "plan.yaml"
WANTED = ["platform/recovery", "--set", "capacity=production"]
LOCKED = """\
terraform apply of platform/recovery failed:
Error: Error acquiring the state lock
Error message: operation error S3: PutObject, StatusCode: 412, PreconditionFailed
Lock Info:
  ID:        8e4f1d2a
  Path:      meqenet-terraform-state/platform/recovery
  Operation: OperationTypeApply
  Who:       almaz@laptop
  Version:   1.12.0
  Created:   2026-11-29 17:00:00 UTC
"""


@dataclass
class Roots:
    """The company's Terraform, which has production's size after it was applied."""

    ended: Ended | None = None
    applied: bool = False
    asked: list[list[str]] = field(default_factory=list)

    def __call__(self, arguments: Sequence[str]) -> Ended:
        """Do it, or end as it was scripted."""
        self.asked.append(list(arguments))
        if self.ended is not None:
            return self.ended
        self.applied |= arguments[0] == "apply"
        return Ended(0 if self.applied else 2, "")


def test_looked_at_before_and_after() -> None:
    """Its plan is not empty before, and empty after; applied twice, nothing changes."""
    roots = Roots()
    with pytest.raises(StoppedError, match="has not production's size yet"):
        observe(roots)
    scale_up(roots)
    scale_up(roots)
    observe(roots)
    assert roots.asked == [["plan", *WANTED], ["apply", *WANTED], ["apply", *WANTED], ["plan", *WANTED]]


def test_a_locked_state_says_who_holds_it() -> None:
    """Who, since when, and what to do."""
    with pytest.raises(StoppedError) as stopped:
        scale_up(Roots(Ended(1, LOCKED)))
    said = str(stopped.value)
    assert "locked by almaz@laptop (OperationTypeApply, since 2026-11-29 17:00:00 UTC)" in said
    assert "terraform force-unlock 8e4f1d2a" in said


def test_a_failure_is_told_in_terraforms_words() -> None:
    """And with what to do; of a look, too."""
    roots = Roots(Ended(1, "Error: no such instance class"))
    for do in (scale_up, observe):
        with pytest.raises(StoppedError, match=r"no such instance class\nWhat to do: "):
            do(roots)


def test_the_program_is_there() -> None:
    """An unknown root is refused by the company's own program, whose words come back."""
    assert (SYSTEM / "terraform" / "roots.py").is_file()
    ended = run_roots(["plan", "platform/nowhere"])
    assert ended.status == 1
    assert "there is no root `platform/nowhere`" in ended.said


UNREACHABLE = "Error: Failed to get existing workspaces: Unable to list objects in S3 bucket"
NO_PROVIDER = "Error: Failed to query available provider packages"


@pytest.mark.parametrize(
    ("said", "at", "told"),
    [
        (UNREACHABLE, "init", f"terraform init of platform/recovery failed:\n{UNREACHABLE}\nWhat to do: "),
        (NO_PROVIDER, "init", f"terraform init of platform/recovery failed:\n{NO_PROVIDER}\nWhat to do: "),
        (LOCKED.partition("\n")[2], "apply", "Terraform's state is locked by almaz@laptop"),
    ],
    ids=["state bucket that does not answer", "provider that is not there", "state that is locked"],
)
def test_terraforms_refusals_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, at: str, told: str
) -> None:
    """Through the company's own program, with what to do; nothing else is done after it."""
    program = tmp_path / "bin" / "terraform"
    program.parent.mkdir()
    (tmp_path / "said").write_text(said, encoding="utf-8")
    script = (
        f'#!/bin/sh\nmkdir -p "$TF_DATA_DIR"\necho "$1" >> {tmp_path}/calls\n'
        f'[ "$1" = {at} ] || exit 0\ncat {tmp_path}/said >&2\nexit 1\n'
    )
    program.write_text(script, encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setenv("TF_DATA_DIR", str(tmp_path / "data"))
    with pytest.raises(StoppedError) as stopped:
        scale_up()
    assert told in str(stopped.value)
    calls = (tmp_path / "calls").read_text(encoding="utf-8").split()
    assert calls == (["init"] if at == "init" else ["init", "apply"])


def test_without_terraform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says which program is not there."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("TF_DATA_DIR", str(tmp_path / "data"))
    with pytest.raises(StoppedError, match=r"neither `terraform` nor `tofu` is on the PATH(.|\n)*What to do"):
        scale_up()


def test_terraforms_state_is_not_in_the_region_that_is_lost() -> None:
    """The bucket of the settings is in the plan's recovery region, and no root names another one."""
    settings = json.loads((SYSTEM / "terraform" / "settings.json").read_text(encoding="utf-8"))
    regions = load_plan(PLAN).regions
    assert settings["state_region"] == regions.recovery.name != regions.primary.name
    backends = [
        path
        for path in (SYSTEM / "terraform").rglob("*.tf")
        if re.search(r'backend "s3" *{[^}]*region', path.read_text(encoding="utf-8"))
    ]
    assert backends == []
