"""Faults: the catalogue, their life cycle, the guard, and the one wrapper around Chaos Toolkit.

Breaks and mends through the environment's fault port. Knows nothing of recovery, measurement or verdicts.
`drdrill.faults.toolkit` is imported by whoever runs experiments, not from here: it costs Chaos Toolkit's
start.
"""

from drdrill.faults.active import ActiveFault, ActiveFaults
from drdrill.faults.catalogue import FaultKind
from drdrill.faults.healing import Healing, heal_all
from drdrill.faults.lifecycle import Fault, FaultState
from drdrill.faults.operation import heal, inject, observe_effect, observe_healed
from drdrill.faults.session import FaultSession, current_session, open_session

__all__ = [
    "ActiveFault",
    "ActiveFaults",
    "Fault",
    "FaultKind",
    "FaultSession",
    "FaultState",
    "Healing",
    "current_session",
    "heal",
    "heal_all",
    "inject",
    "observe_effect",
    "observe_healed",
    "open_session",
]
