"""Systems that are kept: found by what they were built from, whole or not at all."""

from __future__ import annotations

import fcntl
import stat
from typing import TYPE_CHECKING

import pytest

from drdrill.core.errors import UsageError
from drdrill.mirror.kept import KeptSystem, locate_system

if TYPE_CHECKING:
    from pathlib import Path

_SETTINGS = {"regions": [{"name": "eu-west-1"}]}


def _write(folder: Path) -> None:
    (folder / "rds" / "backup").mkdir(parents=True)
    (folder / "rds" / "records").write_text("what is known")
    (folder / "rds" / "backup" / "backup_manifest").write_text("PostgreSQL's own")
    (folder / "rds" / "backup" / "base").write_text("large, and checked by that")
    (folder / "home" / "files").mkdir(parents=True)
    (folder / "home" / "files" / "state").write_text("Terraform's")


def _locate(tmp_path: Path, *read: Path, number: int = 0, programs: tuple[str, ...] = ()) -> KeptSystem:
    settings = {**_SETTINGS, "number": number}
    return locate_system(settings, read, programs, {"XDG_CACHE_HOME": str(tmp_path / "cache")})


def _keep(system: KeptSystem) -> None:
    with system.hold():
        system.keep(_write)


def test_it_is_found_by_what_it_was_built_from(tmp_path: Path) -> None:
    """The same settings, files and programs lead to what was kept; another setting, byte or program leads nowhere."""
    root = tmp_path / "terraform"
    (root / "platform").mkdir(parents=True)
    (root / "platform" / "main.tf").write_text("one")
    kept = _locate(tmp_path, root, programs=("terraform 1",))
    assert kept.find() is None
    _keep(kept)
    found = _locate(tmp_path, root, programs=("terraform 1",)).find()
    assert found is not None
    assert (found / "rds" / "records").read_text() == "what is known"
    assert _locate(tmp_path, root, programs=("terraform 2",)).find() is None
    assert _locate(tmp_path, root, programs=("terraform 1",), number=1).find() is None
    (root / "platform" / "main.tf").write_text("two")
    assert _locate(tmp_path, root, programs=("terraform 1",)).find() is None


def test_another_checkout_finds_the_same() -> None:
    """Where the catalogue of images lies is no difference: nothing of what is kept came from there."""
    one, other, third = (
        locate_system({"kubernetes": {"images": f"/{place}/images.yaml", "disk": size}}, [])
        for place, size in (("here", 1), ("there", 1), ("here", 2))
    )
    assert one.path == other.path != third.path


def test_what_it_was_built_from_is_there(tmp_path: Path) -> None:
    """A name that leads nowhere is told with its place: a change of what was meant would never be seen."""
    with pytest.raises(UsageError, match=r"system\.built_from: there is no .*/terrafrm"):
        _locate(tmp_path, tmp_path / "terrafrm")


def test_a_linked_folder_is_read_too(tmp_path: Path) -> None:
    """What stands elsewhere and is linked decides as well."""
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "main.tf").write_text("one")
    (tmp_path / "terraform").mkdir()
    (tmp_path / "terraform" / "modules").symlink_to(tmp_path / "modules")
    before = _locate(tmp_path, tmp_path / "terraform").path
    (tmp_path / "modules" / "main.tf").write_text("two")
    assert _locate(tmp_path, tmp_path / "terraform").path != before


def test_what_terraform_leaves_beside_its_roots_is_no_difference(tmp_path: Path) -> None:
    """A folder of plugins or of compiled Python does not lead elsewhere."""
    root = tmp_path / "terraform"
    root.mkdir()
    (root / "main.tf").write_text("one")
    _keep(_locate(tmp_path, root))
    (root / ".terraform").mkdir()
    (root / ".terraform" / "provider").write_text("large")
    assert _locate(tmp_path, root).find() is not None


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("rds/records", "else"),
        ("rds/records", None),
        ("rds/more", "one that was not there"),
        ("home/files/state", "else"),
        ("manifest.json", None),
        ("manifest.json", "[1]"),
        ("manifest.json", "{}"),
    ],
)
def test_what_is_damaged_is_not_found(tmp_path: Path, file: str, content: str | None) -> None:
    """A file that changed, is gone or came, wherever it stands; a manifest that is gone, or is none, or is empty."""
    kept = _locate(tmp_path)
    _keep(kept)
    if content is None:
        (kept.path / file).unlink()
    else:
        (kept.path / file).write_text(content)
    assert kept.find() is None


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    """It holds passwords: it is its owner's alone before it has its name, and is not used when it is others', too."""
    kept = _locate(tmp_path)
    modes: list[int] = []

    def write(folder: Path) -> None:
        modes.append(stat.S_IMODE(folder.stat().st_mode))
        _write(folder)

    with kept.hold():
        kept.keep(write)
    modes.append(stat.S_IMODE(kept.path.stat().st_mode))
    assert modes == [0o700, 0o700]
    kept.path.chmod(0o755)
    assert kept.find() is None


def test_one_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    """Nothing of a half is left, and a whole one from before stays."""
    kept = _locate(tmp_path)
    _keep(kept)

    def fail(folder: Path) -> None:
        _write(folder)
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"), kept.hold():
        kept.keep(fail)
    assert kept.find() is not None
    assert [path.name for path in kept.path.parent.iterdir() if path.is_dir()] == [kept.path.name]


def test_what_is_left_over_goes_when_nobody_else_is_there(tmp_path: Path) -> None:
    """Halves of killed processes, and all but the newest three; not while somebody reads or writes another one."""
    systems = [_locate(tmp_path, number=number) for number in range(4)]
    with systems[0].hold():
        half = systems[0].path.parent / ".half"
        half.mkdir()
        for system in systems:
            _keep(system)
        assert half.is_dir()
        assert all(system.find() for system in systems)
    assert not half.exists()
    assert [system.find() is not None for system in systems] == [False, True, True, True]
    with (systems[0].path.parent / ".lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # nobody holds it any more
