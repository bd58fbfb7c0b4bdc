"""What killed runs left: told by the next command, and cleared away where it is of no use to anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rich.console import Console


def tell_remains(root: Path, console: Console, *, reports: Path | None = None) -> None:
    """Clear away mirrors whose owner was killed, and say of each, and of every drill that was lost, what was found.

    `reports`: where drills are kept, if not in the repository's own folder.
    """
    for sentence in find_remains(root, reports or root / "reports"):
        console.print(f"drdrill: {sentence}", style="yellow", soft_wrap=True)


def find_remains(root: Path, reports: Path) -> Iterator[str]:
    """Clear mirrors away and enter lost drills in the register, with a page each; yield a sentence about each."""
    from drdrill.mirror.world import clear_remains
    from drdrill.record.register import enter_lost

    yield from clear_remains(root)
    for name in enter_lost(reports):
        yield (
            f"the drill {name} was begun and never ended: whoever ran it was killed. It is in the register as lost; "
            f"{_tell_more(reports / name, root)}"
        )


def _tell_more(drill: Path, root: Path) -> str:
    """Return where to read what is known of a lost drill: its page, made now, if there is enough for one."""
    from drdrill.cli.document import shown
    from drdrill.core.errors import DrdrillError
    from drdrill.record.directory import DrillDirectory, write_text
    from drdrill.report import render_page

    directory = DrillDirectory(drill)
    try:
        write_text(directory.page_path, render_page(directory))
    except (DrdrillError, OSError):  # killed before it had written anything, or it was removed
        return "it left too little for a report."
    return f"what is known of it: {shown(directory.page_path, root)}"
