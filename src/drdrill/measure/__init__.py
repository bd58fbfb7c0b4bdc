"""Layer 2: what a drill's stored files say. Pure functions: the same files give the same verdict."""

from __future__ import annotations

from drdrill.measure.measurement import measure
from drdrill.measure.result import Measurement

__all__ = ["Measurement", "measure"]
