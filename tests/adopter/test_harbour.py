"""A system of another kind is put in the reference's place: other regions, two services, one database, no cache.

`harbour/` is laid over what `drdrill init` writes, as docs/adopting.md says; nothing of the engine is changed for it.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from drdrill.cli.preflight import check_everything
from drdrill.cli.starting.names import Names
from drdrill.cli.starting.repository import write_repository
from tests.adopter.programs import succeed, succeed_at_last
from tests.live.repository import Repository

HARBOUR = Names("Blue Harbour", "berths", "us-east-2", "us-west-2", "USD")
SYSTEM = """
system:
  build: build_system.py
  built_from: [build.py]
  deploy: deploy_system.py
"""
DRDRILL = [sys.executable, "-m", "drdrill.cli.main"]
PODS = [
    "kubectl",
    "--context",
    "harbour.us-east-2",
    "--namespace",
    "harbour",
    "get",
    "pods",
    "--output",
    "json",
]


def put_in(folder: Path) -> None:
    """Write a repository, and put the harbour's system into it."""
    write_repository(folder, HARBOUR)
    shutil.copytree(
        Path(__file__).with_name("harbour"), folder, dirs_exist_ok=True,
        ignore=shutil.ignore_patterns("__pycache__"),
    )  # fmt: skip
    with (folder / "environments" / "embedded" / "environment.yaml").open("a", encoding="utf-8") as file:
        file.write(SYSTEM)


def test_passes_the_checks_before_a_drill(tmp_path: Path) -> None:
    """Its plan, features, experiments, workload and environment have no mistake."""
    put_in(tmp_path / "harbour")
    check_everything(tmp_path / "harbour", tmp_path / "harbour" / "scenarios" / "plan.yaml", "embedded")


@pytest.mark.drill
@pytest.mark.long
@pytest.mark.usefixtures("kubernetes")
def test_comes_up_and_is_drilled(tmp_path: Path) -> None:
    """Both services run in a cluster of its own region, its database's loss is MET, and they run afterwards."""
    harbour = Repository(tmp_path / "harbour", tmp_path, tmp_path)
    put_in(harbour.path)
    drill = [*DRDRILL, "run", "database", "--scenario", "primary_host_loses_power", "--mirror", "h"]
    try:
        succeed([*DRDRILL, "env", "up", "--name", "h"], harbour.path)
        assert read_ready(harbour.path) == {"berths": 2, "tides": 1}
        assert "berths, berths-database" in succeed_at_last(drill, harbour.path)
        succeed([*DRDRILL, "env", "exec", "--name", "h", "--", "kubectl", "--context", "harbour.us-east-2",
                 "--namespace", "harbour", "rollout", "status", "deployment/berths", "--timeout=60s"],
                harbour.path)  # fmt: skip
    finally:
        harbour.clear()


def read_ready(folder: Path) -> dict[str, int]:
    """Return how many pods of each service are ready."""
    said = succeed([*DRDRILL, "env", "exec", "--name", "h", "--", *PODS], folder)
    ready: dict[str, int] = {}
    for pod in json.loads(said)["items"]:
        name = pod["metadata"]["labels"]["app"]
        ready[name] = ready.get(name, 0) + all(one["ready"] for one in pod["status"]["containerStatuses"])
    return ready
