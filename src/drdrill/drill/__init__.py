"""Layer 4: the life of one drill, and every operation that a step of a scenario calls."""

from drdrill.drill.drill import Drill
from drdrill.drill.request import DrillRequest

__all__ = ["Drill", "DrillRequest"]
