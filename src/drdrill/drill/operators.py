"""A drill's operators run the scenario's runbook, or what takes its place. Something may happen meanwhile."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from drdrill.core.errors import UsageError
from drdrill.drill.deaths import Where, draw_deaths
from drdrill.drill.experiments import Experiments, run_alone
from drdrill.drill.failover_command import FailoverCommand, require_resumable
from drdrill.drill.meanwhile import Meanwhile, draw_moment
from drdrill.drill.runbook_code import FOLDER, RunbookCode
from drdrill.measure.meanwhile import describe_end
from drdrill.plan.runbook_checking import load_runbook

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from drdrill.core.clock import Clock
    from drdrill.drill.request import DrillRequest
    from drdrill.environment.port import Environment
    from drdrill.plan.scenario import Scenario
    from drdrill.record.directory import DrillDirectory


class Operators:
    """Recovers once, where operators work."""

    def __init__(
        self,
        request: DrillRequest,
        scenario: Scenario,
        environment: Environment,
        directory: DrillDirectory,
        *,
        within: timedelta,
        seed: int,
        clock: Clock,
    ) -> None:
        self._request, self._scenario, self._directory = request, scenario, directory
        self._within, self._seed, self._clock = within, seed, clock
        self._code = RunbookCode(request.root, environment, directory, clock=clock)
        self._command = FailoverCommand(request.root, environment, directory, clock=clock)
        self._experiments = Experiments(directory, partial(run_alone, environment, request, directory))

    def run_runbook(self, times: int | None = 0, where: str = "anywhere") -> bool:
        """Run the scenario's runbook, or what takes its place; tell whether all was done.

        Their machine dies so many times meanwhile (None: as each step but the last ends), as `Where` and the seed say.
        """
        command, event = self._request.failover_command, self._request.failover_event
        if command is not None:
            require_resumable(command, times)
            return self._command.run(command, event, within=self._within)
        return self._code.run(
            self._require_runbook(), within=self._within, gates="approve",
            why=f"drill {self._directory.path.name}: nobody is asked",
            draw=partial(draw_deaths, self._seed, times, Where(where)),
        )  # fmt: skip

    def run_runbook_while_breaking(self, fault: str, **place: str) -> bool:
        """Run it, and break a place meanwhile: what that does is judged with the fault before it.

        Raises what `Experiments` raises, and `InvalidDrillError` when it came too late.
        """
        return self._run_beside(f"{fault} begins", partial(self._experiments.join, fault, place))

    def run_runbook_while_healing(self, fault: str, *, then: Callable[[], None], **place: str) -> bool:
        """Run it, mend a place meanwhile, and do `then` what that allows. Raises as `run_runbook_while_breaking`."""

        def heal() -> None:
            self._experiments.heal(fault, place)
            then()

        return self._run_beside(describe_end(fault), heal)

    def _run_beside(self, what: str, act: Callable[[], None]) -> bool:
        if self._request.failover_command is not None:
            raise UsageError(
                "In this scenario something happens after a step of the runbook: what is run in the runbook's place "
                "has no steps to wait for. Choose another scenario for --failover-command."
            )
        runbook = load_runbook(self._request.root / self._require_runbook())
        meanwhile = Meanwhile(what, act, journal=self._directory.journal("meanwhile"), clock=self._clock)
        journal = self._directory.path / FOLDER / self._directory.journal_path.name
        with meanwhile.after(draw_moment(runbook, self._seed), journal, within=self._within):
            return self.run_runbook()

    def _require_runbook(self) -> str:
        if self._scenario.runbook is None:
            raise UsageError(f"{self._request.plan}: the scenario `{self._request.scenario}` has no runbook.")
        return self._scenario.runbook
