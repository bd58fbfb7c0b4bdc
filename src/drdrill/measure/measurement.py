"""A drill measured and judged: a pure function of its directory, re-runnable years later on another machine.

1. read what was stored: plan, journal, ledgers, survivors, samples of replication
2. ask who asked which service                   (`clientele`, `regions`)
3. measure the outage of each                    (`outage`, `services`)
4. compare rows: loss, integrity, writers        (`integrity`, `writers`, `replication`, `restore`)
5. sweep the other moments                       (`sweep`)
6. ask what became of the runbook, what was called, and decided (`runbook_record`, `call_record`, `decision`)
7. ask whether the drill proves anything         (`validity`, `controls`)
8. judge every objective, measured and projected (`objectives`, `verdict`, `projection`)

Each part runs on its own: one that crashes is INCONCLUSIVE and leaves the others standing.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from drdrill.core.errors import DamagedRecordError
from drdrill.core.verdict import Verdict, combine
from drdrill.measure import validity
from drdrill.measure.availability import thresholds_of
from drdrill.measure.checks import Checks
from drdrill.measure.clientele import Clientele
from drdrill.measure.controls import Control, find_planted, remove_rows, watch_black_hole
from drdrill.measure.facts import About, Facts, read_about, read_facts
from drdrill.measure.findings import find_elsewhere, find_in_sweep
from drdrill.measure.followers import find_cut_at, find_every_cut, narrow_to_successor
from drdrill.measure.integrity import (
    Integrity,
    ReadBack,
    check_read_back,
    check_rows,
    check_writers,
    compare_rows,
    find_in_rows,
    read_back,
)
from drdrill.measure.objectives import judge_objectives
from drdrill.measure.omissions import find_calls
from drdrill.measure.outage import Outage, measure_outage
from drdrill.measure.phases import split
from drdrill.measure.recovery import check_run, read_record_of, read_recovery
from drdrill.measure.redundancy import measure_redundancy
from drdrill.measure.regions import by_server, check_named
from drdrill.measure.remarks import LOG, find_unserved
from drdrill.measure.replication import Cut, ReplicationState, read_readings
from drdrill.measure.restore import (
    Destroyed,
    RestoreProof,
    check_destroyed,
    check_restores,
    find_destroyed,
    find_whole_again,
    prove_restores,
)
from drdrill.measure.result import Measurement
from drdrill.measure.runbook_record import RunbookRecord, check_record
from drdrill.measure.services import ServiceOutage, check_service, measure_service
from drdrill.measure.sweep import Sweep, sweep
from drdrill.measure.system import find_record
from drdrill.measure.tenures import Moves, watch_regions, watch_servers
from drdrill.measure.verdict import Measured, Objective, explain_objective
from drdrill.measure.watchers import find_watches
from drdrill.measure.whole import Whole, measure_whole
from drdrill.plan import load_plan
from drdrill.record.ledger import read_ledger

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from drdrill.measure.reason import Finding
    from drdrill.measure.replication import Reading
    from drdrill.measure.writers import WritersWatch
    from drdrill.plan.model import Plan, Scenario
    from drdrill.record.directory import DrillDirectory
    from drdrill.record.ledger import ClientLedger


def measure(directory: DrillDirectory) -> Measurement:
    """Measure and judge a drill from its directory; writes nothing, and the same files give the same result.

    Raises `DamagedRecordError` when journal or `drill.json` cannot be read, `InvalidInputError` for the plan.
    """
    about, facts, plan = read_about(directory), read_facts(directory), load_plan(directory.plan_path)
    scenario = plan.scenarios.get(about.scenario)
    if scenario is None:
        raise DamagedRecordError(
            f"{directory.plan_path}: the scenario `{about.scenario}` of drill.json is not in this plan."
        )
    return _Drill(directory, about, facts, plan, scenario).measure()


class _Drill:
    """One drill on its way to a measurement: what the parts have in common."""

    def __init__(
        self, directory: DrillDirectory, about: About, facts: Facts, plan: Plan, scenario: Scenario
    ) -> None:
        self._directory = directory
        self._about = about
        self._facts = facts
        self._plan = plan
        self._scenario = scenario
        self._store = plan.stores[scenario.store]
        self._checks = Checks(directory.path)
        self._clientele = Clientele(facts.loads, scenario.service)
        self._thresholds = thresholds_of(plan.availability_of(scenario))
        self._at_fault = Cut(ReplicationState.UNKNOWN)  # by the best of all followers

    def measure(self) -> Measurement:
        checks, facts = self._checks, self._facts
        self._check_course()
        ledgers = checks.compute("ledger", partial(read_ledger, self._directory.ledger))
        every_reading = checks.compute("replication", self._read_readings) or ()
        fault = facts.fault
        followers = checks.compute("followers", partial(find_every_cut, every_reading, fault)) or {}
        successor = facts.serving.get(self._store.resource, "")
        readings = narrow_to_successor(every_reading, followers, fault, successor)
        self._at_fault = checks.compute("state", partial(find_cut_at, every_reading, fault)) or Cut(
            ReplicationState.UNKNOWN
        )
        cut = checks.compute("cut", partial(find_cut_at, readings, fault)) or Cut(ReplicationState.UNKNOWN)
        back = checks.compute("survivors", partial(read_back, facts))
        if back is not None:
            checks.collect("readings", partial(check_read_back, facts, back))
        told = self._put_into_servers(ledgers or ())
        judged = self._clientele.asking(ledgers or (), self._scenario.service)
        whole_ns = checks.compute("whole data", partial(find_whole_again, facts, told))
        outage = None
        services: tuple[ServiceOutage, ...] = ()
        if ledgers is not None:
            outage = self._measure_outage(judged, ledgers, whole_ns)
            services = tuple(self._measure_services(ledgers, whole_ns))
        runbook = checks.compute(
            "runbook", partial(read_record_of, self._directory.path, self._plan, self._scenario, fault)
        )
        integrity, writers, swept, destroyed = None, None, None, None
        restores: tuple[RestoreProof, ...] = ()
        controls: tuple[Control, ...] = ()
        if ledgers is not None:
            restores = checks.compute("restores", partial(prove_restores, facts, told)) or ()
            checks.collect("restores", partial(check_restores, restores))
            destroyed = self._find_destroyed(told, back)
            writers = self._watch_writers(ledgers, restores, runbook)
            integrity = self._compare_rows(told, back, cut)
            swept = checks.compute("sweep", partial(self._sweep, told, readings, integrity))
            controls = self._run_controls(told, judged, back, integrity, outage)
        self._check_runbook(runbook)
        outages = {self._scenario.service: outage, **{one.service: one.outage for one in services}}
        whole = measure_whole(
            checks, self._directory, self._plan, self._scenario, facts=facts, clientele=self._clientele,
            ledgers=ledgers or (), runbook=runbook, outages=outages,
        )  # fmt: skip
        measuring = partial(measure_redundancy, facts, self._store.resource)
        re_protection = checks.compute("redundancy", measuring) or Measured(None, None)
        judging = partial(
            judge_objectives, self._plan, self._scenario, checks, seed=self._about.seed, outage=outage,
            integrity=integrity, cut=cut, re_protection=re_protection,
            restored=any(proof.serving_ns is not None for proof in restores), services=services,
            recovery=read_recovery(self._directory.path, self._scenario, runbook, facts.command),
        )  # fmt: skip
        objectives = checks.compute("objectives", judging) or ()
        for objective in objectives:
            checks.collect(objective.name, partial(explain_objective, objective))
        finding = partial(
            self._find, outage, integrity, cut, swept, re_protection, whole=whole, judged=objectives
        )
        findings = checks.compute("findings", finding) or ()
        phases = checks.compute("phases", partial(split, outage, runbook, facts, self._store.resource))
        return Measurement(
            about=self._about,
            plan=self._plan,
            verdict=combine(
                (
                    *(reason.verdict for reason in checks.reasons),
                    *(verdict for objective in objectives for verdict in objective.verdicts),
                )
            ),
            reasons=tuple(checks.reasons),
            objectives=objectives,
            outage=outage,
            phases=phases or (),
            integrity=integrity,
            cut=cut,
            followers=followers,
            sweep=swept,
            writers=writers,
            re_protection=re_protection,
            controls=controls,
            findings=findings,
            restores=restores,
            destroyed=destroyed,
            services=services,
            runbook=runbook,
            system=whole.system,
            calls=whole.calls,
            decision=whole.decision,
            watches=whole.watches,
            doom=whole.doom,
        )

    def _check_course(self) -> None:
        """Ask whether what was to happen happened, in its order and to its end."""
        checks, facts = self._checks, self._facts
        checks.collect("fault", partial(validity.check_fault, facts))
        checks.collect("circumstances", partial(validity.check_circumstances, facts))
        checks.collect("clock", partial(validity.check_clock, self._about, facts))
        checks.collect("end", partial(validity.check_end, facts))

    def _read_readings(self) -> tuple[Reading, ...]:
        return read_readings(self._directory.evidence / f"replication-{self._store.resource}.jsonl")

    def _sweep(
        self, ledgers: tuple[ClientLedger, ...], readings: tuple[Reading, ...], integrity: Integrity | None
    ) -> Sweep:
        facts = self._facts
        took_over = any(one.promotions for one in facts.failovers if one.resource == self._store.resource)
        return sweep(
            ledgers,
            readings,
            facts.addresses,
            facts.fault.before_ns if facts.fault else None,
            integrity.rpa_ns if integrity and took_over else None,
            given_up=facts.primaries.get(self._store.resource) if self._scenario.fails_over else None,
        )

    def _put_into_servers(self, ledgers: tuple[ClientLedger, ...]) -> tuple[ClientLedger, ...]:
        """Return the ledgers with databases' addresses in the place of zones; themselves where none has zones."""
        facts = self._facts
        if not self._clientele.zones:
            return ledgers
        primaries = facts.all_primaries.get(self._store.resource, frozenset())
        translated = partial(by_server, ledgers, self._clientele, primaries, facts.zones)
        return self._checks.compute("zones", translated) or ledgers

    def _measure_services(
        self, ledgers: tuple[ClientLedger, ...], whole_ns: int | None
    ) -> Iterator[ServiceOutage]:
        checks, fault, thresholds = self._checks, self._facts.fault, self._thresholds
        for service in self._scenario.services:
            asking = self._clientele.asking(ledgers, service)
            measuring = partial(
                measure_service,
                service,
                asking,
                thresholds,
                fault,
                whole_ns,
                judged_until_ns=self._judged_until_ns,
            )
            found = checks.compute(f"availability of {service}", measuring) or ServiceOutage(service, None)
            checks.collect(f"probes of {service}", partial(check_service, found, thresholds, fault))
            yield found

    def _check_runbook(self, record: RunbookRecord | None) -> None:
        """Demand that a runbook that is the recovery was run, and one that was run came to its end."""
        checks, facts = self._checks, self._facts
        checks.collect("runbook", partial(check_run, self._directory.path, self._scenario, facts.command))
        broken_off, invalid = facts.interrupted is not None, checks.has(Verdict.INVALID)
        if record is not None and not self._scenario.stays:
            checks.collect("runbook", partial(check_record, record, broken_off=broken_off, invalid=invalid))

    @property
    def _judged_until_ns(self) -> int:
        """Until when users were to be served whatever became of them before: where nobody is to fail over."""
        return (self._facts.healing_ns or 0) if self._scenario.stays else 0

    def _measure_outage(
        self,
        ledgers: tuple[ClientLedger, ...],
        everybody: tuple[ClientLedger, ...],
        whole_ns: int | None,
    ) -> Outage | None:
        checks, facts, fault = self._checks, self._facts, self._facts.fault
        thresholds = self._thresholds
        outage = None
        if fault is not None:
            measuring = partial(measure_outage, ledgers, thresholds, fault.before_ns, fault.after_ns)
            limits = {"whole_ns": whole_ns, "judged_until_ns": self._judged_until_ns}
            outage = checks.compute("availability", partial(measuring, **limits))
        until_ns = outage.fault_ns + outage.at_least_ns if outage else fault.before_ns if fault else 0
        until_ns = max(until_ns, self._judged_until_ns)
        checks.collect("load", partial(validity.check_load, facts, self._clientele, everybody, until_ns))
        checks.collect("steady state", partial(validity.check_steady_state, facts, outage))
        if outage is not None:
            checks.collect("impact", partial(validity.check_impact, self._scenario, facts, outage))
            checks.collect("lateness", partial(validity.check_lateness, outage, thresholds))
        return outage

    def _find_destroyed(self, ledgers: tuple[ClientLedger, ...], back: ReadBack | None) -> Destroyed | None:
        damage = self._facts.damage
        if damage is None or back is None or back.survivors is None:
            return None
        destroyed = self._checks.compute("damage", partial(find_destroyed, damage, ledgers, back.survivors))
        if destroyed is not None:
            self._checks.collect("damage", partial(check_destroyed, destroyed))
        return destroyed

    def _watch_writers(
        self,
        ledgers: tuple[ClientLedger, ...],
        restores: tuple[RestoreProof, ...],
        runbook: RunbookRecord | None,
    ) -> WritersWatch | None:
        """Watch servers, and regions where codes hold zones; return the watch that accuses, or the one of regions."""
        checks, clientele, facts = self._checks, self._clientele, self._facts
        restored = sum(proof.serving_ns is not None for proof in restores)
        in_place = partial(watch_servers, ledgers, clientele, facts, self._store.resource, restored)
        watches = [checks.compute("writers", in_place)]
        if clientele.zones:
            checks.collect("regions", partial(check_named, ledgers, clientele))
            moved = Moves(self._plan.regions, self._store.resource, runbook)
            watches.insert(
                0, checks.compute("regions", partial(watch_regions, ledgers, clientele, facts, moved))
            )
        found = [watch for watch in watches if watch is not None]
        for watch in found:
            checks.collect("writers", partial(check_writers, watch))
        return max(found, key=lambda watch: watch.two_writers, default=None)

    def _compare_rows(
        self, ledgers: tuple[ClientLedger, ...], back: ReadBack | None, cut: Cut
    ) -> Integrity | None:
        if back is None or back.survivors is None:
            return None
        compared = partial(compare_rows, ledgers, back.survivors, cut, self._facts, self._store.resource)
        integrity = self._checks.compute("rows", compared)
        if integrity is not None:
            self._checks.collect("rows", partial(check_rows, integrity))
        return integrity

    def _run_controls(
        self,
        ledgers: tuple[ClientLedger, ...],
        judged: tuple[ClientLedger, ...],
        back: ReadBack | None,
        integrity: Integrity | None,
        outage: Outage | None,
    ) -> tuple[Control, ...]:
        thresholds = self._thresholds
        checks, controls = self._checks, []
        if integrity is not None and back is not None and back.survivors is not None:
            removing = partial(remove_rows, ledgers, back.survivors, integrity.comparison, self._about.seed)
            controls.append(checks.compute("control of rows", removing))
        if outage is not None:
            until_ns = max(outage.fault_ns + outage.at_least_ns, self._judged_until_ns)
            watching = partial(watch_black_hole, judged, thresholds, outage.fault_ns, until_ns)
            controls.append(checks.compute("control of availability", watching))
        planted = self._scenario.must_find
        if planted:
            controls.append(find_planted(planted, checks.take(planted)))
        ran = tuple(control for control in controls if control is not None)
        checks.collect("controls", partial(validity.check_controls, ran))
        return ran

    def _find(
        self,
        outage: Outage | None,
        integrity: Integrity | None,
        cut: Cut,
        swept: Sweep | None,
        re_protection: Measured,
        *,
        whole: Whole,
        judged: Sequence[Objective],
    ) -> tuple[Finding, ...]:
        figures_ns = {
            "rta_seconds": outage.outage_ns if outage else None,
            "rpa_seconds": integrity.rpa_ns if integrity else None,
            "re_protection_seconds": re_protection.value_ns,
        }
        return (
            *(find_record(whole.system, self._plan, self._scenario) if whole.system else ()),
            *find_watches(whole.watches, self._facts, self._facts.healing_ns),
            *(
                find_calls(whole.calls, self._plan, whole.system, fails_over=self._scenario.fails_over)
                if whole.calls
                else ()
            ),
            *find_unserved(self._directory.logs / LOG, judged),
            *(find_in_rows(integrity, cut, restored=bool(self._facts.restores)) if integrity else ()),
            *(find_in_sweep(swept, self._plan.rpo_of(self._scenario.store)) if swept else ()),
            *find_elsewhere(
                self._about, self._facts, self._store, outage, self._at_fault, figures_ns=figures_ns
            ),
        )
