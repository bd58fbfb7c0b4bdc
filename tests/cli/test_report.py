"""`drdrill report`: renders again, the same bytes, and says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.cli.main import main
from tests.measure.story import make_story
from tests.report.conftest import store

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_page_is_written_once_and_then_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The second time nothing is written, and the command says that the page is the same."""
    page = store(make_story(tmp_path)).page_path
    assert main(["report", str(page.parent)]) == 0
    first = page.read_bytes()
    written = page.stat().st_mtime_ns
    assert main(["report", str(page.parent)]) == 0
    assert page.read_bytes() == first
    assert page.stat().st_mtime_ns == written
    assert capsys.readouterr().out.splitlines() == [f"{page}: written", f"{page}: the same as before"]


def test_a_page_goes_where_it_is_wanted(tmp_path: Path) -> None:
    """With --output the drill's directory stays as it is."""
    directory, target = store(make_story(tmp_path)), tmp_path / "page.html"
    assert main(["report", str(directory.path), "--output", str(target)]) == 0
    assert target.is_file()
    assert not directory.page_path.exists()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The message names the file and the remedy; there is no traceback."""
    directory = store(make_story(tmp_path))
    assert main(["report", str(directory.path), "-o", str(tmp_path / "absent" / "page.html")]) == 2
    said = capsys.readouterr().err
    assert "page.html: the page cannot be written" in said
    assert "`--output` takes another place" in said


def test_another_directory_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A directory of no drill is a mistake of the caller, told by name."""
    assert main(["report", str(tmp_path)]) == 2
    assert f"{tmp_path}: this is the directory of no drill" in capsys.readouterr().err
