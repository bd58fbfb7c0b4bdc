"""What killed runs left: told by the next command, and cleared away where it is of no use to anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rich.console import Console


def tell_remains(root: Path, console: Console) -> None:
    """Clear away mirrors whose owner was killed, and say of each, and of every drill that was lost, what was found."""
    for sentence in find_remains(root):
        console.print(f"drdrill: {sentence}", style="yellow", soft_wrap=True)


def find_remains(root: Path) -> Iterator[str]:
    """Clear mirrors away and enter lost drills in the register; yield a sentence about each."""
    from drdrill.drill.register import enter_lost
    from drdrill.mirror.world import clear_remains

    yield from clear_remains(root)
    for name in enter_lost(root / "reports"):
        yield (
            f"the drill {name} was begun and never ended: whoever ran it was killed. It is in the register as lost; "
            f"`drdrill measure reports/{name}` says what is known of it."
        )
