"""Runs one experiment in a process of its own beside the drill's, which does something else meanwhile.

    python -m drdrill.faults.alone EXPERIMENT [NAME=VALUE ...]

Chaos Toolkit handles signals, so it needs a main thread, and a drill's own waits for the operators. The environment's
variables say where to break and which drill's directory takes what is recorded, as in the shell of a standing mirror.
Prints `{"refused": …, "reason": …}`; the exit status is 0 when the experiment ran, whatever became of it.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from drdrill.core.errors import DrdrillError, UsageError
from drdrill.faults.toolkit import run_experiment
from drdrill.record.directory import DrillDirectory

_EXIT_FAILED = 1


def main(arguments: list[str]) -> int:
    """Run the experiment and print what became of it; return the exit status."""
    try:
        path, *settings = arguments
        directory = DrillDirectory(Path(os.environ["DRDRILL_DRILL"]))
        configuration = dict(one.split("=", 1) for one in settings)
    except (KeyError, ValueError) as error:
        raise UsageError(f"an experiment, NAME=VALUE and DRDRILL_DRILL were expected: {error!r}.") from error
    result = run_experiment(Path(path), configuration=configuration, directory=directory)
    sys.stdout.write(json.dumps({"refused": result.refused, "reason": result.reason}) + "\n")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except DrdrillError as said:
        sys.stderr.write(f"{said}\n")
        sys.exit(_EXIT_FAILED)
