"""What the tests of one folder share is taken down when the last of them is over, and not with the whole run.

pytest's own `package` scope is that of the session where a folder is no Python package: a cluster would stand, and take
its share of two cores, while all later tests run.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

Shared = TypeVar("Shared")


class FolderScope:
    """For the folder of a `conftest.py`, which hands on its `pytest_runtest_teardown` (as the last one)."""

    def __init__(self, conftest: str) -> None:
        self._folder = Path(conftest).parent
        self._open: list[ExitStack] = []

    def share(self, made: AbstractContextManager[Shared]) -> Iterator[Shared]:
        """Yield what a session's fixture is to yield; it ends with the folder, or with the fixture before."""
        with ExitStack() as stack:
            self._open.append(stack)
            yield stack.enter_context(made)

    def end_with(self, nextitem: pytest.Item | None) -> None:
        """Take everything down if the next test is of another folder."""
        if nextitem is None or not nextitem.path.is_relative_to(self._folder):
            while self._open:
                self._open.pop().close()
