"""Layer 3: everything rendered from a drill's directory, for those who were not there. Reads nothing else."""

from __future__ import annotations

from drdrill.report.page import render_page
from drdrill.report.pictures import render_pictures

__all__ = ["render_page", "render_pictures"]
