"""Systems that are kept: found by what they were built from, whole or not at all."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from drdrill.mirror.kept import KeptSystem, locate_system

if TYPE_CHECKING:
    from pathlib import Path

_SETTINGS = {"regions": [{"name": "eu-west-1"}]}


def _write(folder: Path) -> None:
    (folder / "rds" / "backup").mkdir(parents=True)
    (folder / "rds" / "records").write_text("what is known")
    (folder / "rds" / "backup" / "base").write_text("large, and checked by its own means")


def _locate(tmp_path: Path, *read: Path, settings: dict[str, object] | None = None) -> KeptSystem:
    return locate_system(settings or dict(_SETTINGS), read, {"XDG_CACHE_HOME": str(tmp_path / "cache")})


def test_it_is_found_by_what_it_was_built_from(tmp_path: Path) -> None:
    """The same settings and files lead to what was kept; another setting or another byte leads nowhere."""
    root = tmp_path / "terraform"
    (root / "platform").mkdir(parents=True)
    (root / "platform" / "main.tf").write_text("one")
    kept = _locate(tmp_path, root)
    assert kept.find() is None
    kept.keep(_write)
    found = _locate(tmp_path, root).find()
    assert found is not None
    assert (found / "rds" / "records").read_text() == "what is known"
    assert _locate(tmp_path, root, settings={"regions": []}).find() is None
    (root / "platform" / "main.tf").write_text("two")
    assert _locate(tmp_path, root).find() is None


def test_what_terraform_leaves_beside_its_roots_is_no_difference(tmp_path: Path) -> None:
    """A folder of plugins or of compiled Python does not lead elsewhere."""
    root = tmp_path / "terraform"
    root.mkdir()
    (root / "main.tf").write_text("one")
    _locate(tmp_path, root).keep(_write)
    (root / ".terraform").mkdir()
    (root / ".terraform" / "provider").write_text("large")
    assert _locate(tmp_path, root).find() is not None


@pytest.mark.parametrize("damage", ["changed", "missing", "no manifest", "a manifest of nothing"])
def test_what_is_damaged_is_not_found(tmp_path: Path, damage: str) -> None:
    """A file that changed or is gone, a manifest that is gone or is none."""
    kept = _locate(tmp_path)
    kept.keep(_write)
    target = kept.path / ("manifest.json" if "manifest" in damage else "rds/records")
    if damage in ("missing", "no manifest"):
        target.unlink()
    else:
        target.write_text("[1]" if "manifest" in damage else "else")
    assert kept.find() is None


def test_only_its_owner_reads_it_and_the_last_one_is_kept(tmp_path: Path) -> None:
    """It holds passwords; a system of other settings goes when a new one is kept; one that fails leaves nothing."""
    first = _locate(tmp_path, settings={"first": True})
    first.keep(_write)
    second = _locate(tmp_path, settings={"second": True})
    second.keep(_write)
    assert stat.S_IMODE(second.path.stat().st_mode) == 0o700
    assert (first.find(), second.find()) == (None, second.path)

    def fail(folder: Path) -> None:
        _write(folder)
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        second.keep(fail)
    assert list(second.path.parent.iterdir()) == []
