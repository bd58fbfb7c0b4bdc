"""The tree of errors: their words, their statuses, what is definite."""

from __future__ import annotations

import pytest

from drdrill.core import errors
from drdrill.core.errors import (
    CommandFailedError,
    DrdrillError,
    InconclusiveError,
    Interrupted,
    InvalidDrillError,
    InvalidInputError,
    Mistake,
    ObjectiveMissedError,
    UsageError,
)


@pytest.mark.parametrize(
    ("mistake", "text"),
    [
        (Mistake("plan", 7, "tiers.one", "is wrong.", "Write 1 h."), "plan:7: tiers.one: is wrong. Write 1 h."),
        (Mistake("plan.yaml", 7, "", "is wrong."), "plan.yaml:7: is wrong."),
        (Mistake("plan.yaml", 0, "", "is empty."), "plan.yaml: is empty."),
    ],
)  # fmt: skip
def test_a_mistake_says_where_what_and_how_to_mend_it(mistake: Mistake, text: str) -> None:
    """A mistake reads as file, line, field, problem, remedy; what it does not have leaves no trace."""
    assert str(mistake) == text


def test_all_mistakes_are_told_at_once() -> None:
    """A wrong file tells all its mistakes, a line each."""
    error = InvalidInputError([Mistake("a", 1, "", "one."), Mistake("a", 2, "", "two.")])
    assert str(error).splitlines() == ["a:1: one.", "a:2: two."]
    assert error.exit_status == 2
    assert error.definite


def test_a_failed_command_tells_its_last_words() -> None:
    """A failed program is told with its command, its status and the last fifteen lines."""
    error = CommandFailedError(["psql", "-c", "x"], 3, "\n".join(f"line {n}" for n in range(40)))
    told = str(error).splitlines()
    assert told[0] == "`psql -c x` ended with status 3:"
    assert told[1:] == [f"line {n}" for n in range(25, 40)]
    assert str(CommandFailedError(["false"], 1, "")) == "`false` ended with status 1."


@pytest.mark.parametrize(("number", "name", "status"), [(2, "SIGINT", 130), (15, "SIGTERM", 143)])
def test_an_interruption_names_its_signal(number: int, name: str, status: int) -> None:
    """An interruption knows its signal and ends as a shell expects; no `except Exception` swallows it."""
    interrupted = Interrupted(number)
    assert (interrupted.signal_name, interrupted.exit_status, str(interrupted)) == (name, status, name)
    assert not isinstance(interrupted, Exception)


def test_only_a_missed_objective_is_an_assertion() -> None:
    """Allure calls an AssertionError *failed*: no other error of ours is one."""
    everything = [
        one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, BaseException)
    ]
    assert [one for one in everything if issubclass(one, AssertionError)] == [ObjectiveMissedError]


def test_exit_statuses() -> None:
    """Errors end the command line with the status of what they mean."""
    statuses = {
        one: one.exit_status for one in (UsageError, InconclusiveError, InvalidDrillError, DrdrillError)
    }
    assert statuses == {UsageError: 2, InconclusiveError: 3, InvalidDrillError: 4, DrdrillError: 5}
