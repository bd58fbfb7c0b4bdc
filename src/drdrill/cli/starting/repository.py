"""A new drill repository's folder: all of it or nothing of it."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from drdrill.cli.starting.tailoring import tailor
from drdrill.cli.starting.template import copy_template
from drdrill.core.errors import UsageError

if TYPE_CHECKING:
    from drdrill.cli.starting.names import Names

# What is the adopter's own in any case, by its name among the package's templates.
_WRITTEN = {"README.md": "README.md", "gitignore": ".gitignore", "pytest.ini": "pytest.ini", "ci": ".ci/run"}
_PROGRAMS = (".ci/run",)


def load_templates() -> Environment:
    """Return the texts that are written with an adopter's names."""
    return Environment(
        loader=PackageLoader("drdrill.cli.starting", "texts"),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701  (not a page: YAML and Markdown, whose names were checked)
        keep_trailing_newline=True,
        trim_blocks=True,
    )


def write_repository(directory: Path, names: Names | None) -> None:
    """Write a drill repository; without `names` it is the whole reference company's.

    Raises `UsageError` where there is something already, or no folder above it; nothing is left of it then.
    """
    there = directory.is_dir()
    if not there and (directory.exists() or directory.is_symlink()):
        raise UsageError(f"{directory} is a file; name a folder that is new or empty.")
    if there and (found := sorted(each.name for each in directory.iterdir())):
        raise UsageError(
            f"{directory} is not empty ({', '.join(found[:3])}…); name a folder that is new or empty."
        )
    if not directory.parent.is_dir():
        raise UsageError(f"there is no folder {directory.parent}; make it first.")
    try:
        stage = Path(tempfile.mkdtemp(prefix=".drdrill-init-", dir=directory if there else directory.parent))
    except OSError as error:
        raise UsageError(f"{directory} cannot be written: {error.strerror}.") from error
    try:
        _fill(stage, names)
        if there:
            _move(stage, directory)
        else:
            stage.chmod(0o777 & ~_read_umask())
            stage.rename(directory)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _fill(stage: Path, names: Names | None) -> None:
    templates = load_templates()
    copy_template(stage)
    if names is not None:
        tailor(stage, names, templates)
    for template, name in _WRITTEN.items():
        path = stage / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(templates.get_template(template).render(names=names), encoding="utf-8")
        if name in _PROGRAMS:
            path.chmod(path.stat().st_mode | 0o111)


def _move(stage: Path, directory: Path) -> None:
    """Move everything into an empty folder; when that is broken off, it is empty again."""
    moved: list[Path] = []
    try:
        for each in sorted(stage.iterdir()):
            moved.append(directory / each.name)
            each.rename(moved[-1])
    except BaseException:
        for path in moved:
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
        raise


def _read_umask() -> int:
    umask = os.umask(0o077)
    os.umask(umask)
    return umask
