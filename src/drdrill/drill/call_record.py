"""Recording what operators call while a failover runs, into the drill's evidence. The journal refers to it.

A record is evidence beside the verdict: that there is none ends no failover, and the journal says why.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from drdrill.core.errors import DrdrillError
from drdrill.measure.call_record import FILE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drdrill.environment.port import Environment
    from drdrill.record.directory import DrillDirectory
    from drdrill.record.journal import Journal


@contextlib.contextmanager
def recording_calls(environment: Environment, directory: DrillDirectory, journal: Journal) -> Iterator[None]:
    """Record what operators call while the block runs."""
    output = directory.evidence / FILE
    try:
        environment.start_call_record(output)
    except (DrdrillError, OSError) as error:
        journal.append("calls.unrecorded", reason=str(error))
        yield
        return
    try:
        yield
    finally:
        try:
            environment.stop_call_record()
            journal.append(
                "calls.recorded", **directory.describe_evidence(output, source="the APIs and the network")
            )
        except (DrdrillError, OSError) as error:
            journal.append("calls.unrecorded", reason=str(error))
