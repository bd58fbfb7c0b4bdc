"""`drdrill bench` runs scripts, believes only figures, compares with the last run, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from drdrill.cli.main import main
from drdrill.core.waiting import wait_until

WITHIN = timedelta(seconds=30)  # measured 1 s
EVERY = timedelta(milliseconds=20)


def figure(**changes: object) -> dict[str, object]:
    """Return a figure that misses nothing, with these changes."""
    base: dict[str, object] = {
        "name": "speed",
        "value": 2.0,
        "unit": "ratio",
        "target": 3.0,
        "better": "lower",
        "method": "It was made up.",
        "samples": [1.0, 2.0, 3.0],
        "reference": {"name": "light", "value": 1.0, "unit": "s"},
    }
    return {**base, **changes}


@dataclass(frozen=True)
class Repository:
    """A drill repository with made-up benchmarks."""

    root: Path

    def write(self, name: str, program: str) -> None:
        """Write a benchmark."""
        (self.root / "benchmarks" / f"{name}.py").write_text(textwrap.dedent(program), encoding="utf-8")

    def give(self, name: str, *figures: dict[str, object]) -> None:
        """Write a benchmark that prints these figures."""
        self.write(name, f"print({json.dumps({'name': name, 'figures': figures})!r})")

    def stored(self) -> list[Path]:
        """Return the stored runs, oldest first."""
        return sorted((self.root / "reports" / "bench").glob("*.json"))

    def read(self) -> dict[str, Any]:
        """Return the last stored run."""
        document: dict[str, Any] = json.loads(self.stored()[-1].read_text(encoding="utf-8"))
        return document


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """Return an empty repository that the command line works in."""
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "plan.yaml").touch()
    (tmp_path / "benchmarks").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return Repository(tmp_path)


def test_what_was_measured_is_stored_and_shown(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run is stored with machine, revision and versions; its table has value, range, target and reference."""
    repository.give("light", figure(), figure(name="weight", target=None, reference=None))
    repository.write("_helper", "raise SystemExit('this is no benchmark')")
    assert main(["bench"]) == 0
    document = repository.read()
    assert document["schema_version"] == 1
    assert document["machine"]["cpus"] >= 1
    assert document["git"] == {"revision": None, "dirty": None}
    assert document["versions"]["python"]
    (benchmark,) = document["benchmarks"]
    assert [(one["name"], one["met"], one["last"]) for one in benchmark["figures"]] == [
        ("speed", True, None),
        ("weight", None, None),
    ]
    said = capsys.readouterr().out
    assert "speed" in said
    assert "1 … 3" in said
    assert "at most 3" in said
    assert "met" in said
    assert "light: 1 s" in said


def test_the_last_run_is_compared_with(repository: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    """A second run shows the first one's value and the change; of a figure that is new, neither."""
    repository.give("light", figure())
    main(["bench"])
    repository.give("light", figure(value=3.0), figure(name="weight"))
    capsys.readouterr()
    assert main(["bench", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown == repository.read()
    speed, weight = shown["benchmarks"][0]["figures"]
    assert speed["last"]["value"] == 2.0
    assert weight["last"] is None
    main(["bench"])
    assert "+0%" in capsys.readouterr().out


def test_another_machine_is_not_compared_with(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was measured on a machine of another shape is no comparison, and that is said."""
    repository.give("light", figure())
    main(["bench"])
    (path,) = repository.stored()
    document = repository.read()
    document["machine"]["cpus"] += 62
    path.write_text(json.dumps(document), encoding="utf-8")
    capsys.readouterr()
    main(["bench"])
    assert repository.read()["benchmarks"][0]["figures"][0]["last"] is None
    assert "The last run was on another machine" in capsys.readouterr().out


def test_a_damaged_run_is_left_out(repository: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    """A stored file that is no run is told and left as it is."""
    repository.give("light", figure())
    damaged = repository.root / "reports" / "bench" / "20000101T000000.000000Z.json"
    damaged.parent.mkdir(parents=True)
    damaged.write_text("{}", encoding="utf-8")
    assert main(["bench"]) == 0
    assert damaged.name in capsys.readouterr().err
    assert damaged.read_text(encoding="utf-8") == "{}"


@pytest.mark.parametrize(
    ("changes", "status"),
    [({"value": 4.0}, 1), ({"value": None}, 1), ({}, 0), ({"value": 2.0, "better": "higher"}, 1)],
)
def test_a_missed_target_fails_only_when_that_is_wanted(
    repository: Repository, changes: dict[str, object], status: int
) -> None:
    """A target that is missed, or whose figure could not be measured, ends with status 1 under --strict alone."""
    repository.give("light", figure(**changes))
    assert main(["bench"]) == 0
    assert main(["bench", "--strict"]) == status


def test_what_could_not_be_measured_says_why(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    """A figure without a value is shown as not measured, with its reason."""
    repository.give("light", figure(value=None, method="There is no pgbench here.", samples=[]))
    main(["bench"])
    assert "not measured: speed: There is no pgbench here." in capsys.readouterr().out


def test_a_crash_does_not_stop_the_others(repository: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    """A benchmark that crashes is named with its status and last words; the others run; the status is 5."""
    repository.write("broken", "import sys; print('half a word'); sys.exit('it went wrong')")
    repository.give("light", figure())
    assert main(["bench"]) == 5
    document = repository.read()
    assert [one["name"] for one in document["benchmarks"]] == ["light"]
    (failed,) = document["failed"]
    assert (failed["name"], failed["status"], failed["tail"]) == ("broken", 1, ["it went wrong"])
    assert "broken failed: it crashed (exit status 1)\n  it went wrong" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("printed", "reason"),
    [
        ("", "Invalid JSON"),
        ("all is well", "Invalid JSON"),
        ('{"name": "light", "figures": []}', "figures"),
        (json.dumps({"name": "light", "figures": [figure(value="fast")]}), "figures.0.value"),
        (json.dumps({"name": "light", "figures": [figure(better="faster")]}), "figures.0.better"),
        (json.dumps({"name": "light", "figures": [figure(), figure()]}), "two figures of one name"),
        (json.dumps({"name": "light", "figures": [figure(value=float("nan"))]}), "figures.0.value"),
    ],
)
def test_garbage_is_no_figure(
    repository: Repository, capsys: pytest.CaptureFixture[str], printed: str, reason: str
) -> None:
    """What is not a document of figures is refused, with the place; nothing is stored of it."""
    repository.write("light", f"print({printed!r})")
    assert main(["bench"]) == 5
    assert repository.stored() == []
    assert reason in capsys.readouterr().out


def test_repeats_give_medians(repository: Repository) -> None:
    """With --repeat, values and references are medians, and all samples are kept."""
    repository.write(
        "light",
        """
        import json, pathlib
        count = pathlib.Path("count")
        number = int(count.read_text()) + 1 if count.exists() else 1
        count.write_text(str(number))
        print(json.dumps({"name": "light", "figures": [{
            "name": "speed", "value": [5.0, 1.0, 2.0][number - 1], "unit": "s", "target": None, "better": "lower",
            "method": "It was counted.", "samples": [number],
            "reference": {"name": "runs", "value": number, "unit": ""}}]}))
        """,
    )
    assert main(["bench", "--repeat", "3"]) == 0
    (speed,) = repository.read()["benchmarks"][0]["figures"]
    assert (speed["value"], speed["samples"], speed["reference"]["value"]) == (2.0, [1.0, 2.0, 3.0], 2.0)


def test_an_unknown_name_starts_nothing(repository: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    """A name that is none ends with status 2 and the nearest one."""
    repository.write("failover", "open('started', 'w').close()")
    assert main(["bench", "failovers"]) == 2
    assert "there is no benchmark `failovers`. Did you mean `failover`?" in capsys.readouterr().err
    assert not Path("started").exists()


def test_an_interruption_leaves_nothing(repository: Repository) -> None:
    """Ctrl-C ends the benchmark and what it started; nothing is stored and its temporary files are gone."""
    repository.write(
        "slow",
        """
        import os, pathlib, subprocess, sys, tempfile
        child = subprocess.Popen(["sleep", "600"])
        pathlib.Path(tempfile.gettempdir(), "left").touch()
        pathlib.Path("started.new").write_text(f"{os.getpid()} {child.pid} {tempfile.gettempdir()}")
        pathlib.Path("started.new").rename("started")
        try:
            child.wait()
        finally:
            pathlib.Path("ended").touch()
        """,
    )
    bench = subprocess.Popen(
        [sys.executable, "-m", "drdrill.cli.main", "bench"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    started = repository.root / "started"
    try:
        wait_until(started.exists, what="the benchmark's start", within=WITHIN, every=EVERY)
        script, child, folder = started.read_text(encoding="utf-8").split()
        bench.send_signal(signal.SIGINT)
        _, said = bench.communicate(timeout=WITHIN.total_seconds())
    finally:
        bench.kill()
        bench.wait()
    assert (bench.returncode, b"interrupted by SIGINT" in said) == (130, True)
    assert (repository.root / "ended").exists()
    assert repository.stored() == []
    assert not Path(folder).exists()
    for pid in (script, child):
        wait_until(lambda pid=pid: not _lives(int(pid)), what=f"the end of {pid}", within=WITHIN, every=EVERY)  # type: ignore[misc]  # the pid of this turn


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
