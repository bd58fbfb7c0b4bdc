"""Gates on a terminal: what is shown with the question, what counts as an answer, and who is asked next."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

import pytest

from drdrill.core.clock import SystemClock
from drdrill.plan.runbook import Gate, Work
from drdrill.runbook.gates import PolicyGates, TerminalGates
from drdrill.runbook.operator_host import command_of
from drdrill.runbook.port import Answer, Ended
from tests.faults.fakes import ManualClock

if TYPE_CHECKING:
    from collections.abc import Iterator


class Probe:
    """A program that shows something, once it has ended."""

    def __init__(self) -> None:
        self.ended: Ended | None = None

    def read_end(self) -> Ended | None:
        """Return how it ended."""
        return self.ended

    def stop(self, *, at_once: bool) -> None:
        """End it."""


class Host:
    """Starts one probe, whoever asks."""

    def __init__(self) -> None:
        self.probe = Probe()

    def act(self, step: str, work: Work) -> Probe:
        """Do nothing."""
        del step, work
        return self.probe

    def look(self, step: str, work: Work) -> Probe:
        """Start the probe."""
        del step, work
        return self.probe

    def still_acts(self, step: str) -> bool:
        """Say no."""
        del step
        return False


class Terminal:
    """A terminal: what a person types, and the screen. Unbuffered, as a person types a line at a time."""

    def __init__(self) -> None:
        read, self._write = os.pipe()
        self.source = open(read, encoding="utf-8")  # noqa: SIM115, PTH123 (closed by the fixture)
        self.screen, self.host = io.StringIO(), Host()
        self.gates = TerminalGates(
            self.source, self.screen, who="ada", operator=self.host, clock=SystemClock()
        )

    def type(self, line: str) -> None:
        """Type a line."""
        os.write(self._write, f"{line}\n".encode())

    def hang_up(self) -> None:
        """Close the side of the person."""
        os.close(self._write)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    """Return a terminal, closed at the end."""
    terminal = Terminal()
    yield terminal
    terminal.source.close()


GATE = Gate(role="commander", question="Is it lost?", shows=["probe"])


def test_shows_before_it_asks(terminal: Terminal) -> None:
    """The question comes with what the probe says, and a line that is no answer is asked again."""
    asked = terminal.gates.ask("declare", GATE)
    assert asked.read_answer() is None
    assert terminal.screen.getvalue() == ""
    terminal.host.probe.ended = Ended(1, "region down")
    assert asked.read_answer() is None
    assert "declare, for commander:\nregion down\n(`probe` ended with status 1)" in terminal.screen.getvalue()
    terminal.type("maybe")
    assert asked.read_answer() is None
    terminal.type("yes AWS says so")
    shown = "region down\n(`probe` ended with status 1)"
    assert asked.read_answer() == Answer(approved=True, who="ada", why="AWS says so", shown=shown)
    terminal.hang_up()


def test_one_after_the_other(terminal: Terminal) -> None:
    """Two questions are not asked at once: the second is shown when the first has its answer."""
    terminal.host.probe.ended = Ended(0, "")
    first, second = terminal.gates.ask("first", GATE), terminal.gates.ask("second", GATE)
    assert (first.read_answer(), second.read_answer()) == (None, None)
    assert "second" not in terminal.screen.getvalue()
    terminal.type("no not yet")
    assert first.read_answer() == Answer(approved=False, who="ada", why="not yet")
    assert second.read_answer() is None
    assert "second" in terminal.screen.getvalue()
    second.withdraw()
    assert "taken back" in terminal.screen.getvalue()
    terminal.hang_up()


def test_nobody_there(terminal: Terminal) -> None:
    """A closed terminal is a refusal, and says so."""
    terminal.host.probe.ended = Ended(0, "")
    asked = terminal.gates.ask("declare", GATE)
    terminal.hang_up()
    assert asked.read_answer() == Answer(approved=False, who="ada", why="the terminal was closed")


def test_a_policy_answers_with_what_was_shown() -> None:
    """Where nobody is asked, the record has what a person would have seen; a probe that hangs holds up nothing."""
    host, clock = Host(), ManualClock()
    asked = PolicyGates(approve=True, why="nightly", operator=host, clock=clock).ask("declare", GATE)
    assert asked.read_answer() is None
    host.probe.ended = Ended(0, "region down")
    assert asked.read_answer() == Answer(True, "policy:approve", "nightly", "region down")
    host.probe.ended = None
    asked = PolicyGates(approve=False, why="nightly", operator=host, clock=clock).ask("declare", GATE)
    assert asked.read_answer() is None
    clock.sleep(21)
    answer = asked.read_answer()
    assert answer is not None
    assert (answer.approved, answer.shown) == (False, "`probe` said nothing in time: decide without it.")
    assert asked.read_answer() == answer
    without = Gate(role="commander", question="Is it lost?")
    told = PolicyGates(approve=True, why="nightly", operator=host, clock=clock).ask("declare", without)
    assert told.read_answer() == Answer(True, "policy:approve", "nightly")


def test_commands() -> None:
    """A Terraform root and a manifest folder are applied to act, and only compared to look."""
    root, folder = Work(terraform="system/dns"), Work(manifests="system/k8s")
    assert command_of(root, look=False)[:4] == ["terraform", "-chdir=system/dns", "apply", "-auto-approve"]
    assert command_of(root, look=True)[2:5] == ["plan", "-detailed-exitcode", "-lock=false"]
    assert command_of(folder, look=False) == ["kubectl", "apply", "-R", "-f", "system/k8s"]
    assert command_of(folder, look=True) == ["kubectl", "diff", "-R", "-f", "system/k8s"]
