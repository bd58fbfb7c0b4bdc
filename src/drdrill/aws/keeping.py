"""What a control plane keeps of a system that stands, so that another mirror can begin where this one was.

What is kept is what was asked for and what identifies it: names, identifiers, times. Nothing is kept of what is real:
a control plane that is given it again makes it real again, by the same reconcilers, and says `available` no earlier.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Protocol

from drdrill.core.errors import DrdrillError

if TYPE_CHECKING:
    from pathlib import Path


class NotKeptError(DrdrillError):
    """A system cannot be kept as it is, or not made again of what was kept."""


class Keeper(Protocol):
    """Keeps what one or several control planes know, and gives it to theirs again."""

    @property
    def name(self) -> str:
        """What it keeps, in one word."""
        ...

    @property
    def after(self) -> tuple[str, ...]:
        """The names of those that have to be there again before it can be: what it keeps refers to what they keep."""
        ...

    def keep(self, folder: Path, /) -> object:
        """Return what there is to know, which can be pickled, and write into a folder of its own what is too much.

        Raises `NotKeptError` while something is under way.
        """
        ...

    def restore(self, kept: Any, folder: Path, /) -> None:
        """Make it all real again; returns when it is. Raises a `DrdrillError`."""
        ...


class KeptWithoutLock:
    """Something that guards itself by a `_lock`: kept without it, and with a new one when it is made again."""

    _lock: threading.Lock

    def __getstate__(self) -> dict[str, object]:
        """Return what is kept of it."""
        with self._lock:
            return {name: value for name, value in vars(self).items() if name != "_lock"}

    def __setstate__(self, state: dict[str, object]) -> None:
        """Be what was kept."""
        vars(self).update(state, _lock=threading.Lock())
