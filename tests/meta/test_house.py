"""The rules of the house that no linter knows."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
LONGEST_MODULE = 400

# Written in pieces, so that this file does not contain what it forbids.
COMPANY = ("pay" + "ments", "meq" + "enet")  # its service, its name
REGISTRIES = (
    ("py" + "pi", "org"),
    ("python" + "hosted", "org"),
    ("np" + "mjs", "org"),
    ("np" + "mjs", "com"),
    ("proxy.go" + "lang", "org"),
    ("sum.go" + "lang", "org"),
    ("registry.terra" + "form", "io"),
    ("registry.open" + "tofu", "org"),
    ("cra" + "tes", "io"),
    ("ghcr", "io"),
    ("qu" + "ay", "io"),
    ("registry.dock" + "er", "io"),
)
MACHINE_FOLDERS = ("work", "root", "home", "farm", "Users", "mnt")
FORBIDDEN = re.compile(
    "|".join(re.escape(f"{name}.{top}") for name, top in REGISTRIES)
    # A folder of somebody's machine at the start of a path; one within another path is not meant.
    + r"|(?<![\w.$}~*/<>-])/(?:" + "|".join(MACHINE_FOLDERS) + r")/[\w.-]"
)  # fmt: skip


def _files() -> Iterator[Path]:
    """Yield the files of the repository that git knows or would take up."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        check=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    for name in listed.stdout.split("\0"):
        path = ROOT / name
        if name and path.is_file() and not path.is_symlink():
            yield path


def _modules() -> Iterator[Path]:
    """Yield the modules that people wrote: those of messages are generated."""
    return (path for path in _files() if path.suffix == ".py" and not path.stem.endswith("_pb2"))


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        return []  # a binary file


def _where(path: Path, number: int) -> str:
    return f"{path.relative_to(ROOT)}:{number}"


def test_the_engine_knows_no_company() -> None:
    """The engine contains neither the name of the reference company nor that of its service."""
    engine = ROOT / "src" / "drdrill"
    found = [
        _where(path, number)
        for path in _files()
        if path.is_relative_to(engine)
        for number, line in enumerate(_lines(path), start=1)
        if any(word in line.lower() for word in COMPANY)
    ]
    assert found == []


def test_no_file_names_a_registry_or_a_folder_of_one_machine() -> None:
    """What is in the repository works elsewhere: no registry's host name, no path of somebody's machine."""
    found = [
        f"{_where(path, number)}: {match.group()}"
        for path in _files()
        for number, line in enumerate(_lines(path), start=1)
        if (match := FORBIDDEN.search(line))
    ]
    assert found == []


def test_no_module_is_long() -> None:
    """A module is one noun; one of more than 400 lines is two."""
    assert [
        f"{path.relative_to(ROOT)}: {length} lines"
        for path in _modules()
        if (length := len(_lines(path))) > LONGEST_MODULE
    ] == []


def test_every_test_says_what_it_shows() -> None:
    """Each test function has a docstring of one sentence that states the behaviour; below it may stand its source."""
    found = [
        f"{_where(path, node.lineno)}: {node.name}"
        for path in _modules()
        if path.is_relative_to(ROOT / "tests") and path.name.startswith("test_")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
        if not (ast.get_docstring(node) or "").partition("\n\n")[0].strip().endswith(".")
    ]
    assert found == []
