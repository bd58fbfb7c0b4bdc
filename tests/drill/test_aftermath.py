"""After a fault: when an outage counts as seen, and when a store counts as protected again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, cast

import pytest

from drdrill.drill.aftermath import Aftermath
from drdrill.drill.budget import Patience
from drdrill.drill.observation import StoreObserver
from drdrill.measure.facts import Fault
from drdrill.plan import load_plan
from drdrill.record.journal import Journal, read_journal
from tests.drill.fakes import RESOURCE, FakeEnvironment, make_state
from tests.faults.fakes import ManualClock, write_plan

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.drill.users import Users
    from drdrill.record.journal import Event

FAULT = Fault("disk_full", "db-1", 1, 2)
PATIENCE = Patience.model_validate({"steady_state": "1 s", "recovery": "1 s", "re_protection": "1 s"})
SECOND = 1_000_000_000


@dataclass(frozen=True)
class SeenOutage:
    """What users had, as far as a test needs it."""

    down_ns: int
    was_down: bool = True
    outage_ns: int | None = None


@dataclass
class FakeUsers:
    """Users who had these outages, one after the other, the last one for ever."""

    outages: list[SeenOutage] = field(default_factory=lambda: [SeenOutage(0, was_down=False)])

    unsteady: list[str] = field(default_factory=lambda: [""])
    stability_ns: int = SECOND // 2

    def require_running(self) -> None:
        """Run."""

    def find_unsteady(self) -> str:
        """Return the next reason, the last one for ever."""
        return self.unsteady.pop(0) if len(self.unsteady) > 1 else self.unsteady[0]

    def observe_outage(self, fault_ns: int, fault_until_ns: int) -> SeenOutage:
        """Return the next one."""
        assert (fault_ns, fault_until_ns) == (FAULT.before_ns, FAULT.after_ns)
        return self.outages.pop(0) if len(self.outages) > 1 else self.outages[0]


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """Return a journal."""
    return Journal(tmp_path / "journal.jsonl", actor="test")


def _aftermath(tmp_path: Path, journal: Journal, users: FakeUsers | None = None) -> Aftermath:
    """Return the aftermath of a fault on `db-1`, which protects the store all the time."""
    state = replace(make_state("db-1"), protected=True)
    environment = FakeEnvironment(tmp_path, load_plan(write_plan(tmp_path)), states=[state])
    return Aftermath(
        FAULT,
        cast("Users", users or FakeUsers()),
        StoreObserver(environment, RESOURCE, journal),
        patience=PATIENCE,
        journal=journal,
        clock=ManualClock(),
    )


def _last(journal: Journal) -> Event:
    return read_journal(journal.path)[-1]


def test_a_broken_host_protects_nobody(tmp_path: Path, journal: Journal) -> None:
    """While the fault is there, what the cloud says of protection does not count if the broken host is part of it."""
    _aftermath(tmp_path, journal).await_protection()
    assert _last(journal).kind == "store.unprotected"


def test_a_healed_host_may_protect_again(tmp_path: Path, journal: Journal) -> None:
    """A host that was healed where it stands may be what protects: a full disk costs no server."""
    aftermath = _aftermath(tmp_path, journal)
    aftermath.note_healed()
    aftermath.await_protection()
    assert (_last(journal).kind, _last(journal).data["resource"]) == ("store.protected", RESOURCE)


@pytest.mark.parametrize(("down", "at_least", "seen"), [(2, 1, True), (1, 2, False), (1, None, True)])
def test_an_outage_is_seen_once_it_is_long_enough(
    tmp_path: Path, journal: Journal, down: int, at_least: int | None, seen: bool
) -> None:
    """A fault stays for as long as the plan's declared impact takes to show, or until patience ends."""
    users = FakeUsers([SeenOutage(0, was_down=False), SeenOutage(down * SECOND)])
    limit = None if at_least is None else timedelta(seconds=at_least)
    _aftermath(tmp_path, journal, users).await_outage(limit)
    assert (_last(journal).kind, _last(journal).data["seen"]) == ("outage.observed", seen)


def test_served_once_more(tmp_path: Path, journal: Journal) -> None:
    """Beside what came back, users have to be served for the stability time from then on, not before."""
    users = FakeUsers([SeenOutage(SECOND, outage_ns=SECOND)], unsteady=["prober-1", ""])
    aftermath = _aftermath(tmp_path, journal, users)
    aftermath.await_recovery()
    before_ns = aftermath._clock.now_ns()
    aftermath.await_recovery(once_more=True)
    assert aftermath._clock.now_ns() - before_ns >= users.stability_ns
    first, second = (one for one in read_journal(journal.path) if one.kind == "recovery.observed")
    assert first.data["recovered"] is second.data["recovered"] is True
    assert users.unsteady == [""]


def test_not_served_once_more(tmp_path: Path, journal: Journal) -> None:
    """Patience ends for users who are not served any more beside what came back; the drill goes on."""
    users = FakeUsers([SeenOutage(SECOND, outage_ns=SECOND)], unsteady=["prober-1"])
    _aftermath(tmp_path, journal, users).await_recovery(once_more=True)
    (event,) = (one for one in read_journal(journal.path) if one.kind == "recovery.observed")
    assert event.data["recovered"] is False
