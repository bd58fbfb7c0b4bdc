"""Whether Terraform has something to change after the failover."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from failover._telling import StoppedError
from failover.check_configuration import NAMES, ROOTS, main, observe
from failover.scale_up import Ended

if TYPE_CHECKING:
    from collections.abc import Sequence


def test_every_root_that_can_be_looked_at_is_planned() -> None:
    """None of the lost region's is among them, and the recovery region's is planned with production's size."""
    asked: list[Sequence[str]] = []

    def roots(arguments: Sequence[str]) -> Ended:
        asked.append(arguments)
        return Ended(0, "")

    observe(roots=roots)
    assert asked == [["plan", *ROOTS, "--set", "capacity=production"]]
    assert not any("primary" in root for root in ROOTS)


@pytest.mark.parametrize(
    ("ended", "said"),
    [(Ended(2, ""), "would change something"), (Ended(1, "no provider"), "no provider\nWhat to do")],
)
def test_what_is_not_quiet_is_told(ended: Ended, said: str) -> None:
    """A plan that would change something, and one that cannot be made, are no success."""
    with pytest.raises(StoppedError, match=said):
        observe(roots=lambda _: ended)


def test_without_names_nobody_asks_route_53(monkeypatch: pytest.MonkeyPatch) -> None:
    """The root of the names is left out, and no other one."""
    asked: list[Sequence[str]] = []
    monkeypatch.setattr("failover.check_configuration.observe", asked.append)
    for options in ([], ["--without-names"]):
        monkeypatch.setattr("sys.argv", ["check_configuration", *options])
        main()
    assert asked == [list(ROOTS), [root for root in ROOTS if root != NAMES]]
    assert NAMES in ROOTS
