"""A drill's page, written at its end."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from drdrill.record.directory import write_text

if TYPE_CHECKING:
    from drdrill.record.directory import DrillDirectory


def write_page(directory: DrillDirectory) -> None:
    """Render the page; a drill whose page cannot be made keeps its verdict, and a log says why."""
    try:
        from drdrill.report import render_page  # noqa: PLC0415 (only at a drill's end: 0.2 s)

        write_text(directory.page_path, render_page(directory))
    except Exception:  # noqa: BLE001 (whatever it was: the page is not the verdict)
        (directory.logs / "report.txt").write_text(traceback.format_exc(), encoding="utf-8")
