"""One drill, from its directory to its verdict.

Steps of scenarios call its operations, in this order:

1. `begin`          directory, copies of plan and workload, `drill.json`, the register of runs
2. `set_up`         the environment comes up, the store is made ready, users come
3. `observe_steady_state`   nothing is broken before all was well
4. `inject`         Chaos Toolkit runs the experiment; somebody else observes its effect
5. `fail_over`, `await_recovery`   users are served again, stably; by the real failover code, or the system itself
6. `heal`           what was broken comes back, and is judged too
7. `await_protection`       redundancy is back
8. `measure`        users leave, survivors are read twice, everything is measured, judged and stored
9. `require_…`      Then steps only read the verdict
10. `end`           whatever happened: healed, taken down, a readable directory with a verdict and a page

Everything that happens is appended to the journal before and after. It must not know what is drilled: words such
as the store's name come from the plan and the workload.
"""

from __future__ import annotations

import contextlib
from datetime import timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING, TypeVar

from drdrill.core.clock import NANOSECONDS, Clock, SystemClock, read_boot_id
from drdrill.core.errors import UsageError
from drdrill.core.verdict import Verdict
from drdrill.drill import judging
from drdrill.drill.about import WORKLOAD_NAME, copy_inputs, draw_seed, enter_register
from drdrill.drill.across_regions import replicate
from drdrill.drill.aftermath import LOOK_EVERY, Aftermath
from drdrill.drill.arrival import choose_arrival
from drdrill.drill.budget import load_budget
from drdrill.drill.ending import Ending
from drdrill.drill.experiments import Experiments, run_named
from drdrill.drill.failover import FailoverCode
from drdrill.drill.failover_command import check_command
from drdrill.drill.observation import StoreObserver
from drdrill.drill.operators import Operators
from drdrill.drill.page import write_page
from drdrill.drill.regions import RegionsUnderDrill
from drdrill.drill.restoring import Restoring
from drdrill.drill.shield import hold_signals
from drdrill.drill.steady_state import await_steady_state
from drdrill.drill.system_observer import SystemObserver, note_building, noting_failure
from drdrill.drill.users import Users
from drdrill.environment.port import StoreRole
from drdrill.environment.registry import load_environment
from drdrill.faults import FaultSession, heal_all, open_session
from drdrill.load.workload import load_workload
from drdrill.measure import measure
from drdrill.measure.verdict import ObjectiveKind
from drdrill.plan import StandbyReplication, load_plan
from drdrill.plan.scenario import MirrorExtent
from drdrill.record.directory import DrillDirectory, write_json
from drdrill.record.register import append_to_register

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drdrill.drill.request import DrillRequest
    from drdrill.environment.port import Environment
    from drdrill.measure import Measurement
    from drdrill.measure.verdict import Objective

Part = TypeVar("Part")
_ENVIRONMENT_LOG = "environment.log"
_HEALED_WITHIN = timedelta(seconds=10)  # a host of the mirror boots in 0.1 s


class Drill:
    """A drill of one scenario. Raises `InvalidInputError` for mistakes in its files before anything is made."""

    def __init__(self, request: DrillRequest, *, clock: Clock | None = None) -> None:
        self.request = request
        self.plan = load_plan(request.plan)
        self.workload = load_workload(request.environment_folder / WORKLOAD_NAME, self.plan)
        self.budget = load_budget(request.environment_folder)
        if request.scenario not in self.plan.scenarios:
            raise UsageError(f"{request.plan}: there is no scenario `{request.scenario}` in this plan.")
        self.scenario = self.plan.scenarios[request.scenario]
        check_command(request.failover_command, request.failover_event, {request.scenario: self.scenario})
        if self.workload.store != self.scenario.store:
            raise UsageError(
                f"{request.environment_folder / WORKLOAD_NAME}: users write to `{self.workload.store}`, but the "
                f"scenario `{request.scenario}` judges `{self.scenario.store}`."
            )
        self.seed = draw_seed() if request.seed is None else request.seed
        self._clock = clock or SystemClock()
        self.resource = self.plan.stores[self.scenario.store].resource
        whole = self.scenario.mirror is MirrorExtent.SYSTEM  # where users ask every service
        self.service = self.scenario.service if whole else self.workload.service
        started = self._clock.utc()
        name = f"{started:%Y%m%dT%H%M%S}.{started.microsecond // 1000:03d}Z-{request.scenario}"
        self.directory = DrillDirectory(request.reports / name)
        self.journal = self.directory.journal("drill")
        self._experiments = Experiments(
            self.directory, partial(run_named, request.experiments, self.directory)
        )
        self.measurement: Measurement | None = None
        self._started_utc = started.isoformat(timespec="milliseconds")
        self._began = False
        self._environment: Environment | None = None
        self._users: Users | None = None
        self._aftermath: Aftermath | None = None
        self._store: StoreObserver | None = None
        self._restoring: Restoring | None = None
        self._failover: FailoverCode | None = None
        self._operators: Operators | None = None
        self._system: SystemObserver | None = None
        self._stack = contextlib.ExitStack()

    def __repr__(self) -> str:
        return f"Drill({self.request.scenario} in {self.request.environment})"

    # -- before the fault ------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Make the drill's directory and enter it in the register; nothing is started yet."""
        request, directory = self.request, self.directory
        directory.create()
        self._began = True
        copy_inputs(request, directory)
        enter_register(
            request, directory, self.budget.seconds(self.scenario.mirror),
            seed=self.seed, started_utc=self._started_utc,
        )  # fmt: skip
        self.journal.append(
            "drill.started", scenario=request.scenario, environment=request.environment, seed=self.seed,
            service=self.service, boot_id=read_boot_id(),
        )  # fmt: skip

    def set_up(self, *, peak: bool = False) -> None:
        """Bring the environment up and let users come, as many as at `peak` load if that is asked for.

        Raises what the environment raises; `end` takes it down.
        """
        request = self.request
        environment = load_environment(request.environment)(
            request.root, self.plan, name=request.mirror, whole=self.scenario.mirror is MirrorExtent.SYSTEM,
            tell=partial(note_building, self.journal),
        )  # fmt: skip
        self.journal.append("environment.starting", environment=request.environment)
        before_ns = self._clock.now_ns()
        with noting_failure(self.journal):
            self._stack.enter_context(environment)
        self._environment = environment
        faults = self.directory.journal("faults")
        session = FaultSession(
            request.environment, environment.faults, self.plan, environment.instance, faults, self._clock
        )
        self._stack.enter_context(open_session(session))
        self.journal.append(
            "environment.started",
            instance=environment.instance,
            seconds=round((self._clock.now_ns() - before_ns) / NANOSECONDS, 3),
            fidelity=[
                {"component": one.component, "kind": one.kind, "limits": one.limits}
                for one in environment.fidelity
            ],
        )
        self._store = StoreObserver(environment, self.resource, self.journal)
        self._users = Users(
            environment, choose_arrival(environment, self.workload, self.plan, self.scenario),
            workload=self.workload, service=self.service, plan=self.plan,
            availability=self.plan.availability_of(request.scenario),
            directory=self.directory, journal=self.directory.journal("users"), clock=self._clock,
        )  # fmt: skip
        watched = [one.resource for one in self.plan.stores.values()] if self.scenario.stays else ()
        self._system = SystemObserver(environment, self.workload, self.scenario, self.journal, watched)
        self._operators = Operators(
            request, self.scenario, environment, self.directory,
            within=self.budget.patience.runbook, seed=self.seed, clock=self._clock,
        )  # fmt: skip
        self._failover = FailoverCode(request.root, environment, self.directory, clock=self._clock)
        self._restoring = Restoring(
            environment, self._users, self._store, self.resource,
            directory=self.directory, journal=self.journal, clock=self._clock, fail_over=self.fail_over,
        )  # fmt: skip
        self._users.prepare_store()
        environment.start_sampling(
            self.resource, self.directory.evidence / f"replication-{self.resource}.jsonl"
        )
        self._users.come(self.seed, peak=peak)

    def observe_steady_state(self) -> None:
        """Wait until users are served and the store is protected. Raises `InvalidDrillError`: nothing is injected."""
        users = self._require(self._users)

        def find_problem() -> str:
            users.require_running()
            return self._find_unprotected() or users.find_unsteady() or users.find_unwatched()

        within = self.budget.patience.steady_state
        await_steady_state(find_problem, self.journal, within=within, every=LOOK_EVERY, clock=self._clock)
        self._require(self._store).note_before_fault()
        self._require(self._system).note("before_fault")

    def replicate_across_regions(self) -> None:
        """Have the company make the store's copy in the recovery region; all has to be well with it, too."""
        folder, within = self.request.environment_folder, self.budget.patience.steady_state
        replicate(self._require(self._environment), folder, self.directory, within=within)
        self.observe_steady_state()

    def put_client_beside(self, role: str) -> None:
        """Let a client come to a member's zone that writes to its address, whatever its name leads to."""
        member = self._require(self._store).find_member(StoreRole(role))
        self._require(self._users).come_beside(member, self.seed)

    def _find_unprotected(self) -> str:
        wanted = self.plan.stores[self.scenario.store].standby is StandbyReplication.SYNCHRONOUS
        protected = self._require(self._store).read().protected
        return f"{self.resource} has no standby in sync" if wanted and not protected else ""

    # -- fault and recovery ----------------------------------------------------------------------------------

    def inject(self, fault: str, **configuration: str) -> None:
        """Break the scenario's store, or what `configuration` names, by the experiment `FAULT.inject.yaml`.

        Raises `RefusedError` when the guard refused, and `InvalidDrillError` when its effect was not observed.
        """
        self._inject(fault, {"store": self.scenario.store, **configuration})

    def inject_at(self, fault: str, **place: str) -> None:
        """Break a place, such as `region=…`, and no store. Raises as `inject` does."""
        self._inject(fault, place)

    def _inject(self, fault: str, configuration: Mapping[str, str]) -> None:
        self._aftermath = Aftermath(
            self._experiments.inject(fault, configuration),
            self._require(self._users), self._require(self._store),
            patience=self.budget.patience, journal=self.journal, clock=self._clock,
        )  # fmt: skip

    def worsen(self, fault: str) -> None:
        """Break the scenario's store as a circumstance of the fault that comes next."""
        self._experiments.worsen(fault, {"store": self.scenario.store})

    def worsen_at(self, fault: str, **place: str) -> None:
        """Break a place as a circumstance of the fault that comes next."""
        self._experiments.worsen(fault, place)

    def heal(self, fault: str, **configuration: str) -> None:
        """Mend by the experiment `FAULT.heal.yaml`. Raises `EnvironmentFailedError` when it did not heal."""
        self.heal_at(fault, **{"store": self.scenario.store, **configuration})

    def heal_at(self, fault: str, **place: str) -> None:
        """Mend a place. Raises as `heal` does."""
        self._experiments.heal(fault, place)
        self._require(self._aftermath).note_healed()

    @cached_property
    def regions(self) -> RegionsUnderDrill:
        """What is lost of regions, and returns."""
        environment = self._require(self._environment)
        return RegionsUnderDrill(
            self.plan.regions,
            self._require(self._users),
            self.operators,
            look_at_stores=lambda: [
                environment.observe_store(one)
                for one in dict.fromkeys(
                    (self.resource, *(one.resource for one in self.plan.stores.values()))
                )
            ],
            heal_at=self.heal_at,
            seed=self.seed,
        )

    def fail_over(self, code: str, *arguments: str) -> str:
        """Run the company's `failover/CODE.py` where operators work; return what it printed, raise when it failed."""
        within = self.budget.patience.recovery
        return self._require(self._failover).run(code, *arguments, within=within)

    @property
    def operators(self) -> Operators:
        """Who runs the scenario's runbook, or what takes its place."""
        return self._require(self._operators)

    @property
    def restoring(self) -> Restoring:
        """What restores the store from its backups."""
        return self._require(self._restoring)

    def await_outage(self) -> None:
        """Wait until users were seen not to be served for as long as the plan declares, or patience ends."""
        self._require(self._aftermath).await_outage(self.scenario.impact.down_at_least)

    def await_status(self, status: str) -> None:
        """Wait until the cloud says this of the store. Raises `InvalidDrillError` when it does not in time."""
        patience = self.budget.patience
        self._require(self._store).await_status(status, within=patience.recovery, clock=self._clock)

    def await_recovery(self, *, once_more: bool = False) -> None:
        """Wait until users are served, `once_more` from now on, stably, or patience ends; both are recorded."""
        self._require(self._aftermath).await_recovery(once_more=once_more)
        self._require(self._system).note("after_recovery")

    def await_protection(self) -> None:
        """Wait until the store has its redundancy back, or patience ends; both are recorded."""
        self._require(self._aftermath).await_protection()

    # -- measuring and judging -------------------------------------------------------------------------------

    def measure(self) -> Measurement:
        """Let users leave, read the survivors back twice, measure, judge and store the whole verdict."""
        users = self._require(self._users)
        if users.present:
            users.finish()
        users.read_back_twice()
        if self._aftermath is not None:
            self._require(self._store).note_failover()
        self._require(self._environment).stop_sampling()
        return self._store_verdict()

    def _store_verdict(self) -> Measurement:
        measurement = measure(self.directory)
        write_json(self.directory.verdict_path, measurement.to_json())
        reasons = [reason.text for reason in measurement.reasons]
        self.journal.append("drill.judged", verdict=measurement.verdict.value, reasons=reasons)
        self.measurement = measurement
        return measurement

    def require_valid(self) -> None:
        """Raise `InvalidDrillError` if fault, load, steady state, user impact or a control was not as stated."""
        judging.require_valid(self._require(self.measurement))

    def require_intact_rows(self) -> None:
        """Raise if acknowledged rows are gone without explanation, or rows are there that should not be."""
        judging.require_intact_rows(self._require(self.measurement))

    def require_stayed(self) -> None:
        """Raise unless nobody failed over, and users were served without a break."""
        judging.require_stayed(self._require(self.measurement))

    def require_restored(self) -> None:
        """Raise unless what was restored was read, and is what users had been told."""
        judging.require_restored(self._require(self.measurement))

    def require_objective(self, kind: str) -> tuple[Objective, ...]:
        """Raise unless every objective of a kind (`rto`, `rpo`, `re_protection`) is met, measured and projected."""
        return judging.require_objective(self._require(self.measurement), ObjectiveKind(kind))

    def describe_figures(self) -> dict[str, str]:
        """Return the measured figures as short texts, for reports."""
        return {} if self.measurement is None else judging.describe_figures(self.measurement, self.seed)

    # -- the end ---------------------------------------------------------------------------------------------

    def end(self, *, interrupted: str | None = None) -> None:
        """Heal, take down, and leave a readable directory with a verdict, whatever happened.

        `interrupted` names the signal that ended the drill. Raises what went wrong while ending, after all was tried:
        an `ExceptionGroup` when it was more than one thing.
        """
        if self._began:
            with hold_signals():
                self._end(interrupted)

    def _end(self, interrupted: str | None) -> None:
        ending = Ending()
        if interrupted:
            ending.attempt(lambda: self.journal.append("drill.interrupted", signal=interrupted))
        if self._users is not None and self._users.present:  # before a lost primary is back beside its heir
            ending.attempt(self._users.leave if interrupted else self._users.finish)
        if self._environment is not None:
            faults = self._environment.faults
            ending.attempt(lambda: heal_all(faults, self.directory.journal("faults"), within=_HEALED_WITHIN))
            ending.attempt(partial(self._environment.save_log, self.directory.logs / _ENVIRONMENT_LOG))
        if self._users is not None and self.measurement is None and not interrupted:
            ending.attempt(self.measure)
        if ending.attempt(self._stack.close) and self._environment is not None:
            standing = self.request.mirror is not None
            ending.attempt(lambda: self.journal.append("environment.stopped", standing=standing))
        if self.measurement is None:
            ending.attempt(self._store_verdict)
        verdict = self.measurement.verdict if self.measurement else Verdict.INCONCLUSIVE
        ending.attempt(lambda: self.journal.append("drill.ended", verdict=verdict.value))
        ending.attempt(lambda: write_page(self.directory))
        ending.attempt(
            lambda: append_to_register(
                self.request.reports, "ended", directory=self.directory.path.name, verdict=verdict.value
            )
        )
        ending.finish(f"{self!r} did not end cleanly")

    @staticmethod
    def _require(part: Part | None) -> Part:
        """Return a part of the drill; raises `UsageError` when the step that makes it has not run."""
        if part is None:
            raise UsageError(
                "A step of this scenario needs an earlier one that it does not have: users come first, "
                "then the fault, then `When recovery is measured`, then every Then."
            )
        return part
