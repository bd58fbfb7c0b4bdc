"""What killed runs left, cleared away and told by the next command."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console


def tell_remains(root: Path, console: Console) -> None:
    """Clear away mirrors whose owner was killed, and say of each what was found."""
    from drdrill.mirror.world import clear_remains

    for sentence in clear_remains(root):
        console.print(f"drdrill: {sentence}", style="yellow", soft_wrap=True)
