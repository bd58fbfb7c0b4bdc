"""What happens while a runbook runs: a thread follows the runbook's own journal, and acts once a step of it was done.

The step is drawn from the drill's seed among those between declaration and switch. What was drawn, and what became of
the act, stands in the drill's journal; a failure of it is raised when the runbook has ended.
"""

from __future__ import annotations

import contextlib
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

from drdrill.core.errors import InvalidDrillError, UsageError
from drdrill.core.waiting import wait_until
from drdrill.drill.about import draw_from
from drdrill.plan.runbook import Phase
from drdrill.plan.runbook_graph import find_dependents
from drdrill.record.following import FollowedJournal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from drdrill.core.clock import Clock
    from drdrill.plan.runbook import Runbook
    from drdrill.record.journal import Journal

_LOOK_EVERY = timedelta(milliseconds=100)  # the shortest steps take half a second


def list_moments(runbook: Runbook) -> list[str]:
    """Return the steps from the declaration on, itself included, that the switch waits for."""
    needs = {name: step.needs for name, step in runbook.steps.items()}
    declaring = [name for name, step in runbook.steps.items() if step.phase is Phase.DECLARE]
    switches = {name for name, step in runbook.steps.items() if step.phase is Phase.SWITCH}
    begun = {after for name in declaring for after in (name, *find_dependents(needs, name))}
    return [name for name in needs if name in begun and switches & set(find_dependents(needs, name))]


def draw_moment(runbook: Runbook, seed: int) -> str:
    """Draw the step after which something happens. Raises `UsageError` when the runbook has none to choose from."""
    moments = list_moments(runbook)
    if not moments:
        raise UsageError(
            "The runbook has no step between one of the phase `declare` and one of the phase `switch`, after which "
            "something could happen."
        )
    return draw_from(moments, seed, "meanwhile")


class Meanwhile:
    """One act beside a runbook. `what`: in words, for the journal."""

    def __init__(self, what: str, act: Callable[[], None], *, journal: Journal, clock: Clock) -> None:
        self._what, self._act, self._journal, self._clock = what, act, journal, clock
        self._over, self._broken = threading.Event(), threading.Event()
        self._acted = False
        self._failure: Exception | None = None

    @contextlib.contextmanager
    def after(self, step: str, followed: Path, *, within: timedelta) -> Iterator[None]:
        """Act once the journal of the runbook that the block runs says that `step` is done.

        Raises what failed when the block is over, and `InvalidDrillError` when the step was not done until then; an
        error of the block itself comes first.
        """
        self._journal.append("meanwhile.drawn", what=self._what, after=step)
        thread = threading.Thread(
            target=self._wait_and_act, args=(step, FollowedJournal(followed), within), name="meanwhile"
        )
        thread.start()
        try:
            yield
        except BaseException as error:
            self._broken.set()  # nothing begins any more
            self._end(thread)
            if self._failure is not None:
                error.add_note(f"And meanwhile: {self._failure}")
            raise
        self._end(thread)
        if self._failure is not None:
            raise self._failure
        if not self._acted:
            raise InvalidDrillError(
                f"Nothing happened meanwhile ({self._what}): the step `{step}` of the runbook was not done."
            )

    def _end(self, thread: threading.Thread) -> None:
        self._over.set()
        thread.join()

    def _wait_and_act(self, step: str, followed: FollowedJournal, within: timedelta) -> None:
        done = False

        def moment_has_come() -> bool:
            nonlocal done
            over = self._over.is_set()  # before the last look: what was written until then is read
            done = done or any(
                event["kind"] == "step.ended"
                and event["data"]["step"] == step
                and event["data"]["state"] == "done"
                for event in followed.read()
            )
            return done or over

        try:
            wait_until(
                moment_has_come,
                what=f"the step `{step}`",
                within=within,
                every=_LOOK_EVERY,
                clock=self._clock,
            )
            if done and not self._broken.is_set():
                self._acted = True
                self._journal.append("meanwhile.began", what=self._what, after=step)
                self._act()
                self._journal.append("meanwhile.ended", what=self._what)
        except Exception as error:  # noqa: BLE001 (the thread's main: told in the journal, and raised where it was begun)
            self._failure = error
            self._journal.append(
                "meanwhile.failed", what=self._what, reason=f"{type(error).__name__}: {error}"
            )
