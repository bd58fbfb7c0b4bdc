"""What a drill says of itself: revision, versions, seed; what is not known is None."""

from __future__ import annotations

import subprocess
from pathlib import Path

from drdrill.drill.about import describe_drill, draw_seed, read_revision
from drdrill.drill.budget import load_budget
from drdrill.drill.request import DrillRequest

EMBEDDED = Path(__file__).parents[2] / "environments" / "embedded"


def _git(root: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.com")
    command = ["git", "-C", str(root), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_without_git(tmp_path: Path) -> None:
    """Outside of a git repository nothing is known of a revision, and nothing is pretended."""
    assert read_revision(tmp_path) == {"revision": None, "dirty": None}


def test_a_revision(tmp_path: Path) -> None:
    """In a git repository the revision is known, and whether something is not committed."""
    _git(tmp_path, "init", "--quiet")
    assert read_revision(tmp_path) == {"revision": None, "dirty": False}
    (tmp_path / "plan.yaml").touch()
    _git(tmp_path, "add", ".")
    _git(tmp_path, "commit", "--quiet", "--message", "one")
    revision = _git(tmp_path, "rev-parse", "HEAD")
    assert read_revision(tmp_path) == {"revision": revision, "dirty": False}
    (tmp_path / "new").touch()
    assert read_revision(tmp_path) == {"revision": revision, "dirty": True}


def test_nothing_of_whose_machine(tmp_path: Path) -> None:
    """A drill tells its scenario, seed, budget and tools, and no path of the machine."""
    request = DrillRequest("power_loss", "embedded", tmp_path, tmp_path / "plan.yaml", tmp_path / "reports")
    about = describe_drill(
        request, load_budget(EMBEDDED).seconds(), seed=7, started_utc="2026-11-25T21:38:00.000+00:00"
    )
    assert (about["scenario"], about["environment"], about["seed"]) == ("power_loss", "embedded", 7)
    assert about["budget"]["rta_seconds"] > 0
    assert about["versions"]["drdrill"]
    assert about["git"] == {"revision": None, "dirty": None}
    assert str(tmp_path) not in repr(about)


def test_seeds_are_drawn_anew() -> None:
    """Two drills without a given seed do not share one, and each is exact in JSON of every language."""
    first, second = draw_seed(), draw_seed()
    assert first != second
    assert 0 <= max(first, second) < 2**53
