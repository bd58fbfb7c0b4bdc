"""The experiments of the drill repository, run in a drill: what breaks, what makes it worse, and what mends it.

A circumstance is a fault that is not judged by itself, and makes another one worse: the journal says which they are, so
that the outage counts from the other one.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

from drdrill.core.errors import CommandFailedError, EnvironmentFailedError, InvalidDrillError, RefusedError
from drdrill.measure.facts import read_facts
from drdrill.record.journal import read_journal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from drdrill.drill.request import DrillRequest
    from drdrill.environment.port import Environment
    from drdrill.measure.facts import Fault
    from drdrill.record.directory import DrillDirectory

    Run = Callable[[str, Mapping[str, str]], str]

_ALONE_WITHIN = timedelta(minutes=10)  # an experiment's own probes wait up to 5 min


class Experiments:
    """Runs experiments by the name of their fault; `configuration` says what they are to hit."""

    def __init__(self, directory: DrillDirectory, run: Run) -> None:
        """Take what runs the experiment of a file's name with a configuration, and returns why it did not succeed."""
        self._directory, self._run = directory, run

    def inject(self, fault: str, configuration: Mapping[str, str]) -> Fault:
        """Run `FAULT.inject.yaml`, and return the fault that is judged.

        Raises `RefusedError` when the guard refused, and `InvalidDrillError` when its effect was not observed.
        """
        self._break(fault, configuration)
        injected = read_facts(self._directory).fault
        if injected is None:
            raise InvalidDrillError(f"The journal has no fault of the experiment {fault}.")
        return injected

    def worsen(self, fault: str, configuration: Mapping[str, str]) -> None:
        """Run `FAULT.inject.yaml` as a circumstance of the fault that comes next. Raises as `inject` does."""
        self._break(fault, configuration)
        injected = [one for one in read_journal(self._directory.journal_path) if one.kind == "fault.injected"]
        if not injected:
            raise InvalidDrillError(f"The journal has no fault of the experiment {fault}.")
        latest = injected[-1].data
        self._directory.journal("drill").append(
            "fault.circumstance", kind=latest["kind"], resource=latest["resource"]
        )

    def join(self, fault: str, configuration: Mapping[str, str]) -> None:
        """Run `FAULT.inject.yaml` beside a fault that is judged already. Raises as `inject` does."""
        self._break(fault, configuration)

    def heal(self, fault: str, configuration: Mapping[str, str]) -> None:
        """Run `FAULT.heal.yaml`. Raises `EnvironmentFailedError` when it did not heal."""
        result = self._run(f"{fault}.heal.yaml", configuration)
        if result:
            raise EnvironmentFailedError(f"The fault {fault} was not healed: {result}")

    def _break(self, fault: str, configuration: Mapping[str, str]) -> None:
        problem = self._run(f"{fault}.inject.yaml", configuration)
        if problem:
            raise InvalidDrillError(f"The fault {fault} did not take effect: {problem}")


def run_named(folder: Path, directory: DrillDirectory, name: str, configuration: Mapping[str, str]) -> str:
    """Return why an experiment did not succeed, `` if it did. Raises `RefusedError` when the guard refused."""
    from drdrill.faults.toolkit import run_experiment  # noqa: PLC0415 (Chaos Toolkit's start, 0.3 s)

    result = run_experiment(folder / name, configuration=configuration, directory=directory)
    if result.refused:
        raise RefusedError(result.reason)
    return result.reason


def run_alone(
    environment: Environment,
    request: DrillRequest,
    directory: DrillDirectory,
    name: str,
    configuration: Mapping[str, str],
) -> str:
    """As `run_named`, in a process of its own beside this one: for a thread that is not the main one.

    It ends with this one. It is no program of the operators: what it looks at would be told as their calls.
    """
    settings = [f"{key}={value}" for key, value in configuration.items()]
    command = [
        "setpriv", "--pdeathsig", "KILL", sys.executable, "-P", "-m", "drdrill.faults.alone",
        str(request.experiments / name), *settings,
    ]  # fmt: skip
    variables = {
        "DRDRILL_ENVIRONMENT": environment.name,
        "DRDRILL_CONTROL": environment.control,
        "DRDRILL_INSTANCE": environment.instance,
        "DRDRILL_PLAN": str(request.plan),
        "DRDRILL_DRILL": str(directory.path),
        "PYTHONPATH": str(request.root),
    }
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            env={**os.environ, **variables}, start_new_session=True, timeout=_ALONE_WITHIN.total_seconds(),
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        within = f"{_ALONE_WITHIN.total_seconds():g} s"
        raise CommandFailedError(command, -signal.SIGKILL, f"ended by us after {within}") from error
    except OSError as error:
        raise EnvironmentFailedError(
            f"{command[0]} (of util-linux) cannot be run: {error.strerror}."
        ) from error
    if done.returncode:
        raise CommandFailedError(command, done.returncode, done.stdout + done.stderr)
    result = json.loads(done.stdout)
    if result["refused"]:
        raise RefusedError(result["reason"])
    return str(result["reason"])
