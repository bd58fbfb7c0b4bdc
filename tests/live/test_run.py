"""`drdrill run database`: one whole drill, and everything that it leaves for people and machines."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from drdrill.mirror.directory import list_mirrors
from drdrill.record.directory import DrillDirectory, read_json, write_json
from drdrill.record.journal import read_journal
from drdrill.report.allure.generator import find_generator
from tests.live.repository import SOURCE, Repository

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from drdrill.record.journal import Event

pytestmark = pytest.mark.drill
SEED = 7
# A machine on which nothing but the folder in $0 can be written to.
READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,bind,ro / && cd "$PWD" && exec "$@"'


@dataclass(frozen=True, slots=True)
class Drilled:
    """A run that is over; `secrets` are those that its mirror had."""

    repository: Repository
    ended: subprocess.CompletedProcess[str]
    secrets: tuple[bytes, ...]

    @property
    def document(self) -> dict[str, Any]:
        """What it printed."""
        printed: dict[str, Any] = json.loads(self.ended.stdout)
        return printed

    @property
    def scenario(self) -> dict[str, Any]:
        """Its one scenario."""
        (scenario,) = self.document["scenarios"]
        return dict(scenario)

    @property
    def run(self) -> Path:
        """The run's directory."""
        return self.repository.path / str(self.document["directory"])

    @property
    def drill(self) -> DrillDirectory:
        """The drill's directory."""
        return DrillDirectory(self.repository.path / self.scenario["directory"])

    @property
    def events(self) -> tuple[Event, ...]:
        """The drill's journal, its hash chain checked."""
        return read_journal(self.drill.journal_path)


@pytest.fixture(scope="module")
def drilled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drilled]:
    """Run the drill once, on a machine whose other folders are read-only."""
    find_generator(SOURCE / "reports" / "allure", tell=print)  # the machine has it, as after a first run
    folder = tmp_path_factory.mktemp("live")
    repository = Repository.copy(folder)
    alone = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", READ_ONLY, str(folder)]
    try:
        secrets: set[bytes] = set()

        def note_secrets(process: subprocess.Popen[str]) -> None:
            repository.await_event("load.started", process)
            secrets.update(_read_secrets(repository))

        ended = repository.drill("--seed", str(SEED), meanwhile=note_secrets, before=alone)
        yield Drilled(repository, ended, tuple(secrets))
    finally:
        repository.clear()


def _read_secrets(repository: Repository) -> Iterator[bytes]:
    """Yield the secret texts of the mirror: passwords as they are, of a key a line from its middle."""
    (mirror,) = list_mirrors(repository.path)
    for path in mirror.secrets.iterdir():
        lines = path.read_bytes().strip().splitlines()
        yield lines[len(lines) // 2]


def test_the_document_says_met(drilled: Drilled) -> None:
    """Standard output is one JSON document as its schema says, with the figures of a drill that lost nothing."""
    assert drilled.ended.returncode == 0, drilled.ended.stderr + drilled.ended.stdout
    document, scenario = drilled.document, drilled.scenario
    jsonschema.validate(document, _read_schema("run"))
    assert (document["verdict"], document["exit_status"], document["seed"]) == ("MET", 0, SEED)
    assert (scenario["name"], scenario["verdict"]) == ("primary_host_loses_power", "MET")
    assert (scenario["rpa_seconds"], scenario["lost_rows"], scenario["lost_amount"]) == (0, 0, "0.00")
    assert (scenario["reasons"], scenario["broken"], scenario["currency"]) == ([], None, "ETB")
    assert scenario["rta_seconds"] > scenario["resolution_seconds"] > 0
    assert read_json(drilled.run / "run.json") == document


def test_the_verdict_splits_the_recovery_time(drilled: Drilled) -> None:
    """verdict.json is as its schema says, and the phases of the recovery time add up to it."""
    verdict = read_json(drilled.drill.verdict_path)
    jsonschema.validate(verdict, _read_schema("verdict"))
    phases = [phase["seconds"] for phase in verdict["rta"]["phases"]]
    assert len(phases) > 1
    assert sum(phases) == pytest.approx(drilled.scenario["rta_seconds"], abs=0.01)
    assert verdict["rta"]["outage_seconds"] == drilled.scenario["rta_seconds"]


def test_what_the_mirror_said_is_kept(drilled: Drilled) -> None:
    """Its log is there when the mirror is gone."""
    assert (drilled.drill.logs / "environment.log").is_file()


def test_the_effect_was_seen_by_another(drilled: Drilled) -> None:
    """The journal tells the drill in order; that the fault took effect was seen from the users' host."""
    kinds = [event.kind for event in drilled.events]
    told = ["drill.started", "environment.started", "load.started", "fault.injected", "fault.observed"]
    told += ["recovery.observed", "fault.healed", "store.protected", "drill.judged", "environment.stopped"]
    assert [kind for kind in kinds if kind in told] == told
    observed = next(event for event in drilled.events if event.kind == "fault.observed")
    assert observed.data["effective"] is True
    assert observed.data["observer"] == "TCP connection from the users' host"


def test_ci_and_allure_have_their_results(drilled: Drilled) -> None:
    """JUnit XML has the passed scenario, and Allure's result has its steps in the words of the feature."""
    (suite,) = ET.parse(drilled.run / "junit.xml").getroot()  # noqa: S314 (we wrote it)
    assert [suite.get(name) for name in ("tests", "failures", "errors", "skipped")] == ["1", "0", "0", "0"]
    (result,) = (read_json(path) for path in (drilled.run / "allure-results").glob("*-result.json"))
    assert (result["name"], result["status"]) == (drilled.scenario["title"], "passed")
    words = {step["name"].partition(" ")[0] for step in result["steps"]}
    assert words == {"Given", "When", "And", "Then"}
    assert {step["status"] for step in result["steps"]} == {"passed"}


@pytest.mark.parametrize("of_the_run", [False, True])
def test_measuring_again_gives_the_same(drilled: Drilled, of_the_run: bool) -> None:
    """`measure` computes every figure as it was stored, for the drill's directory and for the run's."""
    directory = drilled.run if of_the_run else drilled.drill.path
    ended = drilled.repository.run("measure", str(directory))
    assert ended.returncode == 0, ended.stderr
    assert "every figure is as it was stored" in ended.stdout


def test_an_altered_verdict_is_found(drilled: Drilled, tmp_path: Path) -> None:
    """A verdict that somebody improved differs from what the stored files give: exit status 1, and where."""
    altered = DrillDirectory(tmp_path / "altered")
    shutil.copytree(drilled.drill.path, altered.path)
    verdict = read_json(altered.verdict_path)
    verdict["rta"]["outage_seconds"] = 0.25
    write_json(altered.verdict_path, verdict)
    ended = drilled.repository.run("measure", str(altered.path))
    assert ended.returncode == 1, ended.stderr
    assert "differs: rta.outage_seconds: stored 0.25, computed " in ended.stdout


def test_the_pages_are_there_and_render_again_to_the_same_bytes(drilled: Drilled) -> None:
    """The drill's page and Allure's are made by the run, named by it, and `report` gives both again, byte for byte."""
    document = json.loads(drilled.ended.stdout)
    run = drilled.repository.path / document["directory"]
    pages = [drilled.repository.path / document["scenarios"][0]["report"], run / "allure.html"]
    before = [page.read_bytes() for page in pages]
    ended = drilled.repository.run("report", str(run))
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count(": the same as before") == 2
    assert [page.read_bytes() for page in pages] == before


def test_no_secret_is_in_the_reports(drilled: Drilled) -> None:
    """Neither a password nor a key of the mirror stands in any file of the reports, or in what was printed."""
    assert len(drilled.secrets) >= 2
    assert all(len(secret) >= 20 for secret in drilled.secrets)
    files = [path for path in (drilled.repository.path / "reports").rglob("*") if path.is_file()]
    printed = [drilled.ended.stdout.encode(), drilled.ended.stderr.encode()]
    for content in (*printed, *(path.read_bytes() for path in files)):
        assert not any(secret in content for secret in drilled.secrets)


def test_nothing_is_left_but_the_reports(drilled: Drilled) -> None:
    """No process, mount or mirror is left; of new files there are only those in reports/, none elsewhere."""
    drilled.repository.await_nothing_left()
    assert drilled.repository.find_new_files() == {"reports", ".drdrill"}


def _read_schema(name: str) -> dict[str, Any]:
    return read_json(SOURCE / "docs" / "schemas" / f"{name}.schema.json")
