"""A mirror that notices a loss of power when it happens: what it does itself is measured, and not how long it waits."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from drdrill.mirror.embedded import Embedded
from drdrill.plan import load_plan

if TYPE_CHECKING:
    from collections.abc import Iterator

_ENVIRONMENT = Path("environments/embedded")
_DETECTION = ("failure_detection: 2 s", "failure_detection: 0 s")


@contextmanager
def impatient_mirror(folder: Path) -> Iterator[Embedded]:
    """Bring a mirror up whose failure detection is zero; its configuration is made in `folder`."""
    root = folder / "repository"
    shutil.copytree(_ENVIRONMENT, root / _ENVIRONMENT)
    shutil.copytree("scenarios", root / "scenarios")
    configuration = root / _ENVIRONMENT / "environment.yaml"
    text = configuration.read_text(encoding="utf-8")
    if _DETECTION[0] not in text:
        raise RuntimeError(f"{_ENVIRONMENT / 'environment.yaml'} has no `{_DETECTION[0]}` any more.")
    configuration.write_text(text.replace(*_DETECTION), encoding="utf-8")
    with Embedded(root, load_plan(root / "scenarios" / "plan.yaml")) as mirror:
        yield mirror
