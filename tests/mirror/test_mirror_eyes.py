"""A look that does not end is said: which one, at what, from where, and how long it was waited for."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from drdrill.core.errors import EnvironmentFailedError
from drdrill.mirror.mirror_eyes import MirrorEyes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class _Directory:
    """A mirror's directory."""

    def __init__(self, path: Path) -> None:
        self.disks = path


class _World:
    """A world on whose hosts every program takes its time."""

    def entry(self, host: str) -> list[str]:
        assert host == "users"
        return ["sh", "-c", "exec sleep 60"]


@pytest.mark.parametrize(
    ("look", "what"),
    [
        (lambda eyes: eyes.from_outside("10.20.0.9"), "whether 10.20.0.9 can be reached"),
        (lambda eyes: eyes.where_led("api.example", 443), "where api.example leads"),
    ],
    ids=["address", "name"],
)
def test_a_look_that_does_not_end(look: Callable[[MirrorEyes], object], what: str, tmp_path: Path) -> None:
    """It is an error of the environment, in words."""
    directory, world = cast("Any", _Directory(tmp_path)), cast("Any", _World())
    eyes = MirrorEyes(world, directory, cast("Any", None), look_within=timedelta(seconds=0.2))
    with pytest.raises(
        EnvironmentFailedError,
        match=f"the look {what}, from the host `users`, did not end within 0.2 s",
    ):
        look(eyes)
