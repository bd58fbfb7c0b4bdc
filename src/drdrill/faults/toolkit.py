"""The one wrapper around Chaos Toolkit: checks experiments, runs one, and says honestly what became of it.

Nothing else imports `chaoslib`. What it does by itself, seen in 1.44, and what is done about it here:

- a failed action leaves `status: completed` and later ones run: each activity is judged, the first failed
  action ends the run;
- an unmet steady state skips the method and leaves `completed`; an empty run is a fault that was not
  injected;
- a probe's tolerance is judged in a hypothesis only: in a method it is judged here;
- signals are swallowed: see `interruption`;
- settings come from the user's home directory: fixed ones are passed, without controls, notifications or
  rollbacks;
- unknown names in `configuration` are ignored: refused here;
- its journal may hold secrets, the machine's name, and what JSON cannot say: stored without.

In library mode nothing is sent anywhere; the version check and notifications belong to the `chaos` command.
"""

from __future__ import annotations

import contextlib
import copy
import logging
import re
import signal
from itertools import count
from typing import TYPE_CHECKING, Any

from chaoslib.exceptions import ChaosException, InterruptExecution
from chaoslib.experiment import ensure_experiment_is_valid
from chaoslib.experiment import run_experiment as run_with_chaoslib
from chaoslib.hypothesis import within_tolerance
from chaoslib.run import RunEventHandler
from chaoslib.types import Strategy

from drdrill.core.errors import InvalidInputError, Mistake, UsageError
from drdrill.faults.experiment import find_mistakes
from drdrill.faults.interruption import Interruption
from drdrill.faults.result import ActivityResult, ActivityStatus, ExperimentResult
from drdrill.faults.sanitise import fields_to_json, redact, redact_fields, to_json
from drdrill.plan.nearest import suggest
from drdrill.plan.yaml_file import read_document
from drdrill.record.directory import write_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from drdrill.record.directory import DrillDirectory

LOG_NAME = "chaostoolkit.log"
_SETTINGS: dict[str, Any] = {"runtime": {"rollbacks": {"strategy": "never"}}}
_ERROR = re.compile(r"(?:[\w.]*\bActivityFailed: )?(?:(?:\w+\.)*(?P<type>\w+): )?(?P<text>.*)", re.DOTALL)


def check_experiment(path: Path) -> tuple[Mistake, ...]:
    """Return all mistakes of an experiment's file; none of it is run, but the modules named are imported."""
    root, mistakes = read_document(path)
    if root is None:
        return tuple(mistakes)
    mistakes += find_mistakes(root)
    if not mistakes:
        try:
            with _log_to(None):
                ensure_experiment_is_valid(copy.deepcopy(root.data))
        except Exception as error:  # noqa: BLE001 - on odd types chaoslib stumbles in any way
            mistakes.append(root.mistake(f"Chaos Toolkit does not accept this: {error}."))
    return tuple(mistakes)


def check_experiments(folder: Path) -> tuple[Mistake, ...]:
    """Return all mistakes of a folder's experiments, also each inject without its heal and the reverse."""
    mistakes: list[Mistake] = []
    for path in sorted(folder.glob("*.yaml")):
        mistakes += check_experiment(path)
        stem, _, part = path.stem.rpartition(".")
        other = {"inject": "heal", "heal": "inject"}.get(part)
        if other is None:
            mistakes.append(
                Mistake(str(path), 0, "", "the name says neither `.inject.yaml` nor `.heal.yaml`.")
            )
        elif not path.with_name(f"{stem}.{other}.yaml").exists():
            mistakes.append(
                Mistake(str(path), 0, "", f"there is no `{stem}.{other}.yaml` beside it.", "Write it.")
            )
    return tuple(mistakes)


def run_experiment(
    path: Path, *, configuration: Mapping[str, str], directory: DrillDirectory
) -> ExperimentResult:
    """Run an experiment in this thread, which must be the main one, and return what became of it.

    `configuration` replaces values that the experiment declares. Chaos Toolkit's log goes to the drill's
    `logs/`, its journal to `evidence/`. Raises `InvalidInputError` or `UsageError` before anything ran; a
    signal that arrived meanwhile takes effect when the journal is stored.
    """
    experiment = _load(path, configuration)
    watcher = _Watcher()
    interruption = watcher.interruption
    with interruption, _log_to(directory.logs / LOG_NAME):
        try:
            run_with_chaoslib(
                experiment,
                settings=copy.deepcopy(_SETTINGS),
                experiment_vars=(dict(configuration), {}),
                strategy=Strategy.BEFORE_METHOD,  # what comes after a fault is the drill's to measure
                event_handlers=[watcher],
            )
        except InterruptExecution:  # between chaoslib's taking of SIGTERM and our taking it back
            interruption.arrived.append(signal.SIGTERM)
        except ChaosException as error:
            raise UsageError(f"{path}: Chaos Toolkit could not begin: {error}") from error
        except SystemExit:
            if not interruption.arrived:
                raise
    try:
        stored = _store(watcher.journal, path, directory)
    finally:
        if interruption.arrived or watcher.journal.get("status") == "interrupted":
            interruption.deliver()
    return _judge(watcher.journal, experiment, stored)


def _load(path: Path, configuration: Mapping[str, str]) -> dict[str, Any]:
    mistakes = check_experiment(path)
    root, _ = read_document(path)
    if mistakes or root is None or not isinstance(root.data, dict):
        raise InvalidInputError(mistakes)
    declared = root.members_at("configuration")
    for name in configuration:
        if name not in declared:
            raise UsageError(
                f"{path} declares no configuration `{name}`. {suggest(name, declared, what='Declared')}"
            )
    return copy.deepcopy(root.data)


class _Watcher(RunEventHandler):  # type: ignore[misc] # chaoslib has no types
    """Listens to chaoslib's events: the only place from which its run can be steered."""

    def __init__(self) -> None:
        self.interruption = Interruption()
        self.journal: dict[str, Any] = {}

    def started(self, experiment: dict[str, Any], journal: dict[str, Any]) -> None:
        """Take back SIGTERM, which chaoslib took a moment ago, and keep the journal for the worst case."""
        del experiment
        self.journal = journal
        self.interruption.take()
        self.interruption.armed = True

    def finish(self, journal: dict[str, Any]) -> None:
        """From here on a signal is kept for later: the journal is to be stored first."""
        del journal
        self.interruption.armed = False

    def start_activity(self, activity: dict[str, Any]) -> None:
        """Do not go on when an activity swallowed the end that a signal asked for."""
        del activity
        self.interruption.end_if_arrived()

    def activity_completed(self, activity: dict[str, Any], run: dict[str, Any]) -> None:
        """End the run at the first failed action; chaoslib would go on."""
        if activity["type"] == "action" and run.get("status") == "failed":
            self.journal["status"] = "failed"


@contextlib.contextmanager
def _log_to(path: Path | None) -> Iterator[None]:
    """Send chaoslib's log to a file, or nowhere, and never to the terminal."""
    handler = logging.NullHandler() if path is None else logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    loggers = [logging.getLogger(name) for name in ("chaostoolkit", "chaostoolkit-lib")]
    before = [(logger.level, logger.propagate, logger.handlers[:]) for logger in loggers]
    for logger in loggers:
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        for logger, (level, propagate, handlers) in zip(loggers, before, strict=True):
            logger.handlers, logger.propagate = handlers, propagate
            logger.setLevel(level)
        handler.close()


def _store(journal: Mapping[str, Any], path: Path, directory: DrillDirectory) -> Path:
    # The machine's name and its paths are nobody's business; the whole traceback stands in the log.
    without_machine = {name: value for name, value in journal.items() if name != "node"}
    without_machine["run"] = [
        {**run, "exception": [_error_of(run)]} if "exception" in run else run
        for run in journal.get("run", ())
    ]
    stored = _free_name(directory.evidence / f"chaos-{path.stem}.json")
    write_json(stored, redact_fields(fields_to_json(without_machine)))
    return stored


def _free_name(path: Path) -> Path:
    if not path.exists():
        return path
    candidates = (path.with_name(f"{path.stem}-{number}{path.suffix}") for number in count(2))
    return next(candidate for candidate in candidates if not candidate.exists())


def _judge(journal: Mapping[str, Any], experiment: Mapping[str, Any], stored: Path) -> ExperimentResult:
    before = journal["steady_states"]["before"]
    activities = tuple(_judge_activity(run) for run in journal["run"])
    return ExperimentResult(
        title=str(journal["experiment"]["title"]),
        status=str(journal["status"]),
        steady_state_met=None if before is None else before["steady_state_met"] is True,
        activities=activities,
        left_out=len(experiment["method"]) - len(activities),
        journal=stored,
    )


def _judge_activity(run: Mapping[str, Any]) -> ActivityResult:
    activity = run["activity"]
    name, kind, output = str(activity["name"]), str(activity["type"]), redact(to_json(run["output"]))
    status = run.get("status")
    if status == "failed":
        said = _ERROR.fullmatch(_error_of(run))
        error, reason = (said["type"] or "", said["text"]) if said else ("", "")
        return ActivityResult(
            name, kind, ActivityStatus.FAILED, output, error, reason or "no reason was given"
        )
    if status != "succeeded":
        return ActivityResult(name, kind, ActivityStatus.UNFINISHED, output, "", "nothing tells how it ended")
    if "tolerance" in activity and not _is_within(activity["tolerance"], run["output"]):
        reason = f"{output!r} is not within the tolerance {activity['tolerance']!r}"
        return ActivityResult(name, kind, ActivityStatus.FAILED, output, "", reason)
    return ActivityResult(name, kind, ActivityStatus.SUCCEEDED, output)


def _error_of(run: Mapping[str, Any]) -> str:
    """Return the error itself out of the whole traceback that chaoslib keeps."""
    lines = [line for line in run.get("exception", ()) if "ActivityFailed" in line]
    return str(lines[-1]).strip() if lines else ""


def _is_within(tolerance: Any, output: Any) -> bool:
    try:
        return bool(within_tolerance(tolerance, output))
    except (
        TypeError,
        ValueError,
        ArithmeticError,
        AttributeError,
    ):  # chaoslib compares what cannot be compared
        return False
