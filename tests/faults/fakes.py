"""Fakes that implement the ports: a clock moved by hand, and an environment with one host that can break."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drdrill.environment.port import FaultRequest, Identity, Injection, StoreRole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

STORE = "accounts"
HOST = "db-a"
IDENTITY = Identity(environment="embedded", instance="m1", expendable=True)
REQUEST = FaultRequest(kind="host_power_loss", store=STORE, resource="accounts-db", role=StoreRole.PRIMARY)

PLAN_TEXT = """\
version: 1
title: A plan for tests
source: nowhere
currency: EUR
regions:
  primary: {name: eu-west-1, zones: [eu-west-1a, eu-west-1b]}
  recovery: {name: eu-central-1, zones: [eu-central-1a, eu-central-1b]}
tiers:
  one: {rto: {within: 1 h, clock: outage}}
data_classes:
  ledger: {rpo: 5 min}
services:
  bank: {tier: one, stores: [accounts, letters]}
stores:
  accounts: {kind: postgresql, data_class: ledger, resource: accounts-db, standby: synchronous}
  letters: {kind: postgresql, data_class: ledger, resource: letters-db, standby: synchronous}
roles:
  lead: {responsibility: leads}
availability:
  {window: 1 s, minimum_samples: 20, success_ratio: 0.99, latency_p99: 500 ms, stability: 10 s}
projection:
  percentile: 95
  durations:
    failover: {distribution: constant, typical: 60 s, source: a guess}
scenarios:
  host_loss:
    class: database
    service: bank
    store: accounts
    impact: {service: bank, down_at_least: 1 s}
    critical_path: [failover]
safety:
  environments: [embedded]
  targets: [accounts]
"""


def write_plan(directory: Path) -> Path:
    """Write a plan that allows faults in one store of the embedded environment."""
    path = directory / "plan.yaml"
    path.write_text(PLAN_TEXT, encoding="utf-8")
    return path


@dataclass
class ManualClock:
    """A clock that moves only when somebody sleeps."""

    ns: int = 1_000_000_000

    def now_ns(self) -> int:
        """Return the time."""
        return self.ns

    def utc(self) -> datetime:
        """Return one and the same day."""
        return datetime(2026, 1, 1, tzinfo=UTC)

    def sleep(self, seconds: float) -> None:
        """Move on at once."""
        self.ns += int(seconds * 1_000_000_000)


@dataclass
class FakePort:
    """A host that is broken while a file says so: like a real one, it stays broken when a process ends.

    `failures` are raised by the operation of that name before it does anything, `late_failures` after it.
    """

    state_directory: Path
    identity: object = IDENTITY
    failures: dict[str, BaseException] = field(default_factory=dict)
    late_failures: dict[str, BaseException] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    injected_into: list[FaultRequest] = field(default_factory=list)
    healed: list[Injection] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=lambda: {"was": "running"})
    does_nothing: bool = False
    looks_until_seen: int = 0
    reading: Mapping[str, Any] | None = None  # what observe_effect says instead of the truth
    before_failing: Callable[[], object] = lambda: None

    @property
    def broken(self) -> bool:
        """Tell the truth."""
        return self._file.exists()

    @property
    def _file(self) -> Path:
        return self.state_directory / f"{HOST}.broken"

    def read_identity(self) -> Identity:
        """Return who this is."""
        self._begin("read_identity")
        return self.identity  # type: ignore[return-value] # some tests make it say nonsense

    def inject(self, request: FaultRequest) -> Injection:
        """Break the host."""
        self._begin("inject")
        self.injected_into.append(request)
        if not self.does_nothing:
            self._file.touch()
        self._end("inject")
        return Injection(request.kind, HOST, 10, 20, self.details)

    def heal(self, injection: Injection) -> Mapping[str, Any]:
        """Mend the host."""
        self._begin("heal")
        self.healed.append(injection)
        self._file.unlink(missing_ok=True)
        self._end("heal")
        return {"started": HOST}

    def observe_effect(self, injection: Injection) -> Mapping[str, Any]:
        """Look whether the host is broken."""
        del injection
        self._begin("observe_effect")
        if self.reading is not None:
            return self.reading
        return {
            "effective": self.broken and self._is_seen(),
            "observer": "neighbour",
            "answers": not self.broken,
        }

    def observe_healed(self, injection: Injection) -> Mapping[str, Any]:
        """Look whether the host is whole."""
        del injection
        self._begin("observe_healed")
        return {"healed": not self.broken and self._is_seen()}

    def _is_seen(self) -> bool:
        self.looks_until_seen -= 1
        return self.looks_until_seen < 0

    def _begin(self, operation: str) -> None:
        self.calls.append(operation)
        if operation in self.failures:
            self.before_failing()
            raise self.failures[operation]

    def _end(self, operation: str) -> None:
        if operation in self.late_failures:
            raise self.late_failures[operation]


class StandingEnvironment:
    """What an entry point names: an environment that stands already; its control address is its directory."""

    @classmethod
    def attach(cls, control: str) -> FakePort:
        """Return the port of the one in that directory, which says in a file who it is."""
        said = json.loads((Path(control) / "identity.json").read_text(encoding="utf-8"))
        return FakePort(Path(control), identity=Identity(**said))
