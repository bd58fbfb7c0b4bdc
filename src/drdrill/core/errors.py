"""The tree of errors of the whole engine.

Every class says whether it is *definite* (nothing happened) or *indefinite* (it may have happened, or may yet),
and with which exit status the command line ends. Foreign errors are translated into these once, at the edge.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence

EXIT_USAGE = 2
EXIT_BROKEN = 5
_EXIT_SIGNAL = 128


class DrdrillError(Exception):
    """Anything that drdrill itself reports to a person: what happened, where, what to do."""

    definite: ClassVar[bool] = False
    exit_status: ClassVar[int] = EXIT_BROKEN


class UsageError(DrdrillError):
    """The caller asked for something that cannot be: a wrong word, a wrong file. Nothing was started."""

    definite = True
    exit_status = EXIT_USAGE


class InvalidInputError(UsageError):
    """A file of the user has mistakes; `mistakes` lists all of them."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in one file: where it is, what is wrong, what to do about it. Line 0: the whole file."""

    file: str
    line: int
    field: str
    problem: str
    remedy: str = ""

    def __str__(self) -> str:
        line, field = (f":{self.line}" if self.line else ""), (f": {self.field}" if self.field else "")
        return f"{self.file}{line}{field}: {self.problem}" + (f" {self.remedy}" if self.remedy else "")


class RefusedError(UsageError):
    """The guard refused a fault: its target is not allowed, or the guard could not be read."""


class MissingPrerequisiteError(DrdrillError):
    """The machine lacks something that this command needs: named, with the remedy. Nothing was started."""

    definite = True


class EnvironmentFailedError(DrdrillError):
    """The environment could not be brought up, reached or taken down."""


class CommandFailedError(DrdrillError):
    """A program that we ran ended with an error: the command, its exit status, what it said."""

    def __init__(self, command: Sequence[str], status: int, output: str) -> None:
        self.command = tuple(command)
        self.status = status
        self.output = output
        tail = "\n".join(output.strip().splitlines()[-15:])
        super().__init__(
            f"`{' '.join(command)}` ended with status {status}" + (f":\n{tail}" if tail else ".")
        )


class NotObservedError(DrdrillError):
    """What was waited for did not show within its time; the last reading is part of the message."""

    def __init__(self, what: str, within_seconds: float, last: object) -> None:
        self.last = last
        super().__init__(
            f"{what} was not observed within {within_seconds:g} s; the last reading was: {last!r}."
        )


class ControlLostError(DrdrillError):
    """The supervisor of a mirror did not answer, or went away in the middle of an answer."""


class DamagedRecordError(DrdrillError):
    """A stored record (journal, ledger, evidence) cannot be read as what it should be."""

    definite = True


class ObjectiveMissedError(AssertionError):
    """An objective was missed. The one error that Allure is to show as *failed*; all others are *broken*."""


class InconclusiveError(DrdrillError):
    """The run gives not enough evidence for a verdict."""

    exit_status = 3


class InvalidDrillError(DrdrillError):
    """The run proves nothing: the fault, the load, the steady state or a positive control was not as stated."""

    exit_status = 4


class Interrupted(KeyboardInterrupt):
    """A signal asked for the end: everything is healed and taken down on the way out."""

    def __init__(self, number: int) -> None:
        self.signal_name = signal.Signals(number).name
        self.exit_status = _EXIT_SIGNAL + number
        super().__init__(self.signal_name)
