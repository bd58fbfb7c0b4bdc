"""`drdrill plan` prints mistakes one a line, or as JSON, and the schema."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from drdrill.cli.main import main

REPOSITORY = Path(__file__).resolve().parents[2]
PLAN, RUNBOOK = "scenarios/plan.yaml", "failover/runbook.yaml"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the reference plan and of the one runbook that all its scenarios name then, and be there."""
    for name in (PLAN, RUNBOOK):
        (tmp_path / name).parent.mkdir()
        shutil.copyfile(REPOSITORY / name, tmp_path / name)
    edit(tmp_path / PLAN, "runbook: failover/runbook_data_plane.yaml", f"runbook: {RUNBOOK}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def edit(file: Path, old: str, new: str) -> int:
    """Change the first such words in a file, and return their line."""
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def check(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    """Check, and return the mistakes."""
    capsys.readouterr()
    status = main(["plan", "check", *arguments])
    *mistakes, _ = capsys.readouterr().out.splitlines()
    assert status == (2 if mistakes else 0)
    return mistakes


def test_mistakes_are_printed_with_their_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A plan with mistakes ends with status 2; each stands on its own line with file and line."""
    plan = tmp_path / "plan.yaml"
    plan.write_text("version: 1\ntitel: x\n", encoding="utf-8")
    assert main(["plan", "check", str(plan)]) == 2
    *mistakes, count = capsys.readouterr().out.splitlines()
    assert mistakes
    assert all(line.startswith(str(plan)) for line in mistakes)
    assert count == f"{plan}: {len(mistakes)} mistakes."


def test_mistakes_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--json` prints one document with the same mistakes as data."""
    plan = tmp_path / "plan.yaml"
    plan.write_text("version: 1\n", encoding="utf-8")
    assert main(["plan", "check", "--json", str(plan)]) == 2
    document = json.loads(capsys.readouterr().out)
    assert document["file"] == str(plan)
    assert set(document["mistakes"][0]) == {"file", "line", "field", "problem", "remedy"}


def test_a_missing_plan_is_a_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is not there is said by name, without a traceback."""
    assert main(["plan", "check", str(tmp_path / "no.yaml")]) == 2
    assert "no.yaml: there is no such file." in capsys.readouterr().out


def test_the_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    """`plan schema` prints a JSON Schema."""
    assert main(["plan", "schema"]) == 0
    assert json.loads(capsys.readouterr().out)["$schema"].startswith("https://json-schema.org/")
    assert main(["plan", "schema", "--runbook"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "drdrill runbook"


def test_the_runbook_of_a_scenario_is_checked_too(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Once, however many scenarios name it, with its own line; named by the option, too, it is the same one."""
    assert check(capsys) == []
    line = edit(repository / RUNBOOK, "needs: [detection]", "needs: [detektion]")
    (mistake,) = check(capsys)
    where = f"{RUNBOOK}:{line}: steps.declaration.needs[0]: "
    assert mistake == f"{where}there is no step called `detektion`. Did you mean `detection`?"
    assert check(capsys, "--runbook", RUNBOOK) == [mistake]


def test_a_runbook_that_uses_the_lost_region(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A step that needs what is lost could never be done."""
    line = edit(repository / RUNBOOK, "uses: [recovery, route53]", "uses: [primary, route53]")
    (mistake,) = check(capsys)
    assert mistake.startswith(f"{RUNBOOK}:{line}: steps.detection.uses[0]: this step needs `primary`")


def test_a_runbook_longer_than_the_objective(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What the plan's RTO and roles say of a runbook has the line in the runbook."""
    edit(repository / PLAN, "rto: {within: 1 h,", "rto: {within: 28 min,")
    role = edit(repository / RUNBOOK, "role: incident_commander", "role: incident_comander")
    text = (repository / RUNBOOK).read_text(encoding="utf-8")
    slow, nobody = check(capsys)
    steps = text[: text.index("\nsteps:")].count("\n") + 2
    assert slow.startswith(f"{RUNBOOK}:{steps}: steps: half of all runs take longer than ")
    assert "the RTO is 28\N{NO-BREAK SPACE}min. They wait for: detection, declaration" in slow
    assert nobody.startswith(f"{RUNBOOK}:{role}: steps.declaration.action.gate.role: ")
    assert nobody.endswith("Did you mean `incident_commander`?")


def test_all_that_cannot_be_met_is_told_at_once(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An objective that the plan cannot meet does not hide that its runbook cannot, either."""
    edit(repository / PLAN, "replicated: true", "replicated: false")
    edit(repository / PLAN, "rto: {within: 1 h,", "rto: {within: 28 min,")
    ours, runbooks = check(capsys)
    assert ours.startswith(f"{PLAN}:")
    assert "stores.payments-database.snapshots_every" in ours
    assert runbooks.startswith(f"{RUNBOOK}:")


def test_an_objective_from_the_declaration_on(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An RTO that counts from the declaration is not held against the time before it."""
    edit(repository / PLAN, "rto: {within: 1 h, clock: outage}", "rto: {within: 28 min, clock: declaration}")
    assert check(capsys) == []


def test_a_runbook_that_is_not_there(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is a mistake of the plan, at the first scenario that names it, with the nearest file that is there."""
    line = edit(repository / PLAN, f"runbook: {RUNBOOK}", "runbook: failover/runbok.yaml")
    (mistake,) = check(capsys)
    assert mistake.startswith(
        f"{PLAN}:{line}: scenarios.region_loses_power.runbook: there is no such file in "
    )
    assert mistake.endswith(f"Did you mean `{RUNBOOK}`?")


def test_another_runbook_is_checked_besides(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--runbook` names one that no scenario names."""
    (repository / "other.yaml").write_text("version: 1\n", encoding="utf-8")
    assert all(one.startswith("other.yaml:") for one in check(capsys, "--runbook", "other.yaml"))
