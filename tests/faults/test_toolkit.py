"""Experiments run through the real Chaos Toolkit, and are judged by what happened."""

from __future__ import annotations

import json
import logging
import signal
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from drdrill.core.errors import ControlLostError, InvalidInputError, UsageError
from drdrill.faults import open_session
from drdrill.faults.result import ActivityStatus
from drdrill.faults.toolkit import run_experiment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from drdrill.faults import FaultSession
    from drdrill.faults.result import ExperimentResult
    from drdrill.record.directory import DrillDirectory
    from tests.faults.fakes import FakePort

    Run = Callable[..., ExperimentResult]

INJECT: dict[str, Any] = {"kind": "host_power_loss", "store": "${store}", "role": "primary"}


def act(
    func: str, *, of: str = "action", module: str = "tests.faults.toolkit_acts", **more: Any
) -> dict[str, Any]:
    """Return an activity that calls that function; keywords that are no fields of it become its arguments."""
    names = ("tolerance", "background")
    fields: dict[str, Any] = {name: more.pop(name) for name in names if name in more}
    provider = {"type": "python", "module": module, "func": func, "arguments": more}
    return {"type": of, "name": func, "provider": provider, **fields}


@pytest.fixture
def run(tmp_path: Path, directory: DrillDirectory) -> Run:
    """Return a function that writes an experiment with that method and runs it."""

    def write_and_run(
        *method: dict[str, Any], set_to: dict[str, str] | None = None, **fields: Any
    ) -> ExperimentResult:
        experiment = {
            "title": "a test",
            "description": "of the wrapper",
            "configuration": {"store": "accounts"},
            "method": list(method),
            **fields,
        }
        path = tmp_path / "thing.inject.yaml"
        path.write_text(yaml.safe_dump(experiment), encoding="utf-8")
        return run_experiment(path, configuration=set_to or {}, directory=directory)

    return write_and_run


@contextmanager
def handling(number: int, handler: Any) -> Iterator[None]:
    """Handle a signal in that way for a while."""
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)


def stored(directory: DrillDirectory) -> dict[str, Any]:
    """Return Chaos Toolkit's journal as it stands in the evidence."""
    content: dict[str, Any] = json.loads(
        (directory.evidence / "chaos-thing.inject.json").read_text(encoding="utf-8")
    )
    return content


def test_injects_and_observes(run: Run, session: FaultSession, port: FakePort) -> None:
    """An experiment reaches the environment of the open session, and its outputs come back."""
    with open_session(session):
        result = run(
            act("inject", module="drdrill.faults", **INJECT),
            act(
                "observe_effect",
                of="probe",
                module="drdrill.faults",
                kind="host_power_loss",
                store="${store}",
                within="1 s",
            ),
        )
    assert result.succeeded, result.reason
    assert port.broken
    injected, observed = result.activities
    assert isinstance(injected.output, dict)
    assert injected.output["resource"] == "db-a"
    assert isinstance(observed.output, dict)
    assert observed.output["effective"] is True


def test_refused(run: Run, session: FaultSession, port: FakePort) -> None:
    """A refusal of the guard is told apart from a failure, and nothing after it runs."""
    with open_session(session):
        result = run(
            act("inject", module="drdrill.faults", **INJECT), act("work"), set_to={"store": "letters"}
        )
    assert result.refused
    assert not result.succeeded
    assert "safety.targets does not name `letters`" in result.reason
    assert result.left_out == 1
    assert not port.broken


def test_failed_action(run: Run, session: FaultSession, port: FakePort) -> None:
    """An injection that fails ends the run, though Chaos Toolkit would go on and say completed."""
    port.failures["inject"] = ControlLostError("the supervisor is gone")
    with open_session(session):
        result = run(act("inject", module="drdrill.faults", **INJECT), act("work"))
    (failed,) = result.activities
    assert failed.status is ActivityStatus.FAILED
    assert (failed.error, failed.reason) == ("ControlLostError", "the supervisor is gone")
    assert not result.refused
    assert result.status == "failed"


def test_failed_probe(run: Run) -> None:
    """A failed probe ends nothing, and the experiment did not succeed."""
    result = run(act("fail", of="probe", words="not: seen"), act("work"))
    assert "Traceback" not in result.journal.read_text(encoding="utf-8")
    assert [activity.status for activity in result.activities] == [
        ActivityStatus.FAILED,
        ActivityStatus.SUCCEEDED,
    ]
    assert result.reason == "The probe `fail` failed: not: seen"
    assert result.status == "completed"


def test_steady_state_not_met(run: Run) -> None:
    """An unmet steady state means that nothing was injected, whatever Chaos Toolkit says."""
    hypothesis = {"title": "fine", "probes": [act("echo", of="probe", value=1, tolerance=2)]}
    result = run(act("work"), **{"steady-state-hypothesis": hypothesis})
    assert result.steady_state_met is False
    assert result.activities == ()
    assert "steady state did not hold" in result.reason


def test_steady_state_met(run: Run) -> None:
    """A steady state is asked for before the method only: what comes after is the drill's to measure."""
    hypothesis = {"title": "fine", "probes": [act("echo", of="probe", value=1, tolerance=1)]}
    result = run(act("work"), **{"steady-state-hypothesis": hypothesis})
    assert result.steady_state_met is True
    assert result.succeeded


@pytest.mark.parametrize(("value", "met"), [(True, True), (False, False), ({"a": 1}, False)])
def test_tolerance_in_a_method(run: Run, *, value: Any, met: bool) -> None:
    """A probe's tolerance counts in a method too, where Chaos Toolkit does not look at it."""
    result = run(act("work"), act("echo", of="probe", value=value, tolerance=True))
    assert result.succeeded is met


def test_background_activity(run: Run, session: FaultSession) -> None:
    """An activity in the background finds the session too."""
    with open_session(session):
        result = run(act("name_environment", background=True), act("work"))
    assert result.succeeded, result.reason
    assert "embedded" in [activity.output for activity in result.activities]


def test_stored_journal(run: Run, directory: DrillDirectory) -> None:
    """The stored journal is JSON without secrets and the machine's name; a second run keeps the first."""
    first, second = run(act("give_foreign")), run(act("give_foreign"))
    assert first.journal != second.journal
    content = stored(directory)
    assert content["run"][0]["output"] == {"password": "[redacted]", "number": None, "thing": [1, 2]}
    assert "node" not in content
    assert "hunter2" not in second.journal.read_text(encoding="utf-8")


def test_log_goes_to_a_file(run: Run, directory: DrillDirectory, capfd: pytest.CaptureFixture[str]) -> None:
    """Chaos Toolkit's log stands in the drill's directory and nothing reaches the terminal."""
    logger = logging.getLogger("chaostoolkit")
    before = (logger.handlers[:], logger.propagate, logger.level)
    run(act("fail", of="probe", words="loudly"))
    assert capfd.readouterr() == ("", "")
    assert "loudly" in (directory.logs / "chaostoolkit.log").read_text(encoding="utf-8")
    assert (logger.handlers, logger.propagate, logger.level) == before


def test_unknown_configuration(run: Run) -> None:
    """A configuration that the experiment does not declare would be ignored, so it is refused."""
    with pytest.raises(UsageError, match=r"declares no configuration `stor`\. Did you mean `store`\?"):
        run(act("work"), set_to={"stor": "accounts"})


def test_mistakes_run_nothing(run: Run, directory: DrillDirectory) -> None:
    """An experiment with a mistake is not run."""
    with pytest.raises(InvalidInputError, match="no function `wrok`"):
        run(act("wrok"))
    assert list(directory.evidence.iterdir()) == []


def test_missing_variable(run: Run) -> None:
    """A variable of the process's environment that is missing is a mistake, not a traceback."""
    with pytest.raises(InvalidInputError, match="DRDRILL_TEST_NO_SUCH_VARIABLE"):
        run(act("work"), configuration={"store": {"type": "env", "key": "DRDRILL_TEST_NO_SUCH_VARIABLE"}})


def test_main_thread_only(run: Run) -> None:
    """Outside the main thread an experiment is refused before anything ran."""
    caught: list[BaseException] = []

    def target() -> None:
        try:
            run(act("work"))
        except UsageError as error:
            caught.append(error)

    thread = Thread(target=target)
    thread.start()
    thread.join()
    assert "main thread" in str(caught[0])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("act_name", ["be_signalled", "swallow_signal"])
def test_signal_in_an_action(run: Run, directory: DrillDirectory, number: int, act_name: str) -> None:
    """A signal inside an action ends the run, even if swallowed there, and reaches its handler."""
    handled: list[int] = []

    def handler(received: int, frame: object) -> None:
        del frame
        handled.append(received)
        raise _StoppedError

    with handling(number, handler):
        with pytest.raises(_StoppedError):
            run(act(act_name, number=int(number)), act("work"))
        assert signal.getsignal(number) is handler
    assert handled == [number]
    content = stored(directory)
    assert content["status"] == "interrupted"
    assert all("status" not in activity for activity in content["run"][1:])


class _StoppedError(Exception):
    """What the handler of these tests raises: an ordinary error, of the kind that chaoslib swallows."""


def test_handler_that_only_notes(run: Run) -> None:
    """If the handler from before raises nothing, the run still does not end as if it had gone well."""
    with handling(signal.SIGTERM, lambda *_: None), pytest.raises(SystemExit) as ended:
        run(act("be_signalled", number=int(signal.SIGTERM)))
    assert ended.value.code == 128 + signal.SIGTERM


def test_no_handler_before(run: Run) -> None:
    """Without a handler from before, SIGTERM becomes the exit that lets clean-up run."""
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    with pytest.raises(SystemExit) as ended:
        run(act("be_signalled", number=int(signal.SIGTERM)))
    assert ended.value.code == 128 + signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_ctrl_c(run: Run) -> None:
    """Ctrl-C inside an action is a KeyboardInterrupt outside."""
    with pytest.raises(KeyboardInterrupt):
        run(act("be_signalled", number=int(signal.SIGINT)))


def test_ignored_signal(run: Run) -> None:
    """A signal that was ignored before stays ignored."""
    with handling(signal.SIGINT, signal.SIG_IGN):
        assert run(act("be_signalled", number=int(signal.SIGINT)), act("work")).succeeded


def test_activity_that_leaves(run: Run, directory: DrillDirectory) -> None:
    """An activity that tries to end the process interrupts the run: it is not taken for a success."""
    with pytest.raises(KeyboardInterrupt):
        run(act("leave"), act("work"))
    assert "status" not in stored(directory)["run"][0]


def test_interrupted_injection(run: Run, session: FaultSession, port: FakePort) -> None:
    """A fault whose injection is interrupted stands in the record, tainted, for the safety net."""
    port.late_failures["inject"] = KeyboardInterrupt()
    with open_session(session), pytest.raises(KeyboardInterrupt):
        run(act("inject", module="drdrill.faults", **INJECT))
    text = (port.state_directory / "active-faults.json").read_text(encoding="utf-8")
    assert json.loads(text)["faults"][0]["state"] == "tainted"
