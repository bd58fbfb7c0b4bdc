"""Which programs of a package do without a folder is read from what they import."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drdrill.cli.starting.programs import keep_programs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Leave = Callable[[dict[str, str]], dict[str, str]]

SHARED = '''"""Where things are."""

from __future__ import annotations

from json import loads
from pathlib import Path

ROOT = Path("here") / "lacking"

# A comment of what is kept.
PATIENCE = 2


def read_names(path: Path = ROOT) -> object:
    """Read them."""
    return loads(path.read_text())
'''


@pytest.fixture
def leave(tmp_path: Path) -> Leave:
    """Return a function that writes modules, leaves the programs without `lacking`, and returns what is left."""

    def write_and_leave(modules: dict[str, str]) -> dict[str, str]:
        folder = tmp_path / "rescue"
        folder.mkdir()
        for name, text in {"__init__": "", **modules}.items():
            (folder / f"{name}.py").write_text(text, encoding="utf-8")
        keep_programs(folder, without="lacking")
        return {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*.py")}

    return write_and_leave


@pytest.mark.parametrize(
    "program",
    [
        'FOLDER = "lacking"\n',
        "from rescue._shared import read_names\n\n\ndef main() -> None:\n    read_names()\n",
        "from rescue import _shared\n\n\ndef main() -> None:\n    _shared.read_names()\n",
        "from rescue.other import main\n",
    ],
    ids=["itself", "by what it imports", "by a module", "by another program"],
)
def test_what_reaches_the_folder_is_left_out(leave: Leave, program: str) -> None:
    """A program goes that reaches it over any number of imports, and with it what only it shared."""
    other = "from rescue._shared import read_names\n\n\ndef main() -> None:\n    read_names()\n"
    assert leave({"one": program, "other": other, "_shared": SHARED}) == {"__init__": ""}


def test_what_does_without_it_stays_as_it_is(leave: Leave) -> None:
    """A program that uses another definition of a shared module stays, and so does what it shares, to the letter."""
    one = "from rescue._shared import PATIENCE\nfrom rescue._told import tell\n\ntell(PATIENCE)\n"
    told = '"""Telling."""\n\n\ndef tell(what: int) -> None:\n    """Tell it."""\n\n\nUNUSED = 1\n'
    left = leave({"one": one, "_told": told, "_shared": SHARED, "_lonely": "NOBODY = 1\n"})
    assert set(left) == {"__init__", "one", "_told", "_shared"}
    assert (left["one"], left["_told"]) == (one, told)


def test_a_shared_module_is_cut_to_what_is_reached(leave: Leave) -> None:
    """What names the folder is gone from it, with its imports; comments stay, and its docstring says what is left."""
    left = leave({"one": "from rescue._shared import PATIENCE\n\nPAUSE = PATIENCE\n", "_shared": SHARED})
    assert left["_shared"] == (
        '"""PATIENCE: what the programs beside this share."""\n\n'
        "from __future__ import annotations\n\n"
        "# A comment of what is kept.\nPATIENCE = 2\n"
    )
