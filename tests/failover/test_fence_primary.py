"""Fencing: what is done to a primary region that answers, what is said of one that does not, and what is believed."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import (
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
    SSLError,
    WaiterError,
)

from failover._fencing import GROUP
from failover._leases import LEASE, MARGIN
from failover._notes import Notes
from failover._old_primary import (
    OVERRIDE,
    Finding,
    Writes,
    database_of,
    find_hosts,
    look_at_hosts,
    observe_writes,
)
from failover.fence_primary import fence_all, look_at_all, observe, read_heirs, tried
from tests.failover.fake_clients import FakeClient, refusal
from tests.failover.noted import RECOVERY, note_named

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.failover.fake_clients import FakeWaiter

WITHIN = timedelta(minutes=1)
ENDPOINT = "https://rds.example.com"


@dataclass
class Rds(FakeClient):
    """The primary region's databases, and the parameter groups that they have."""

    groups: dict[str, str] = field(default_factory=lambda: {"payments": "default", "users": "default"})
    pending: set[str] = field(default_factory=set)
    made: bool = False
    fails: Mapping[str, Exception] = field(default_factory=dict)  # by database: what asking for it ends with
    never_back: bool = False

    def describe_db_instances(self, DBInstanceIdentifier: str = "") -> dict[str, Any]:  # noqa: N803
        """Answer as RDS does."""
        if DBInstanceIdentifier in self.fails:
            raise self.fails[DBInstanceIdentifier]
        if DBInstanceIdentifier and DBInstanceIdentifier not in self.groups:
            raise refusal("DBInstanceNotFound")
        return {
            "DBInstances": [
                {
                    "EngineVersion": "18.1",
                    "Endpoint": {"Address": f"{name}.rds"},
                    "DBParameterGroups": [
                        {
                            "DBParameterGroupName": group,
                            "ParameterApplyStatus": "pending-reboot" if name in self.pending else "in-sync",
                        }
                    ],
                }
                for name, group in self.groups.items()
                if DBInstanceIdentifier in ("", name)
            ]
        }

    def create_db_parameter_group(self, **asked: str) -> None:
        """Make a group, once."""
        assert asked["DBParameterGroupFamily"] == "postgres18"
        if self.made:
            raise refusal("DBParameterGroupAlreadyExists")
        self.made = True

    def modify_db_parameter_group(self, DBParameterGroupName: str, Parameters: list[dict[str, str]]) -> None:  # noqa: N803
        """Set a parameter."""
        self.changes.append(f"{DBParameterGroupName}: {Parameters[0]['ParameterName']}")

    def modify_db_instance(self, DBInstanceIdentifier: str, DBParameterGroupName: str, **_: object) -> None:  # noqa: N803
        """Associate a group."""
        self.changes.append(f"modify {DBInstanceIdentifier}")
        self.groups[DBInstanceIdentifier] = DBParameterGroupName
        self.pending.add(DBInstanceIdentifier)

    def reboot_db_instance(self, DBInstanceIdentifier: str) -> None:  # noqa: N803
        """Restart."""
        self.changes.append(f"reboot {DBInstanceIdentifier}")
        self.pending.discard(DBInstanceIdentifier)

    def get_waiter(self, name: str) -> FakeWaiter:
        """Return a waiter; what never comes back is waited for in vain."""
        if self.never_back:
            raise WaiterError(name, "Max attempts exceeded", {})
        return super().get_waiter(name)


def _told(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def _tried(notes: Notes) -> list[str]:
    """Return of which databases it is noted that fencing was tried."""
    return [one for one in ("payments", "users") if notes.read(tried(one), valid=WITHIN)]


@pytest.fixture
def notes(tmp_path: Path) -> Notes:
    """Return an operator's notes, none of which is written yet."""
    return Notes(tmp_path)


def test_each_database_is_made_read_only_and_its_sessions_end(notes: Notes) -> None:
    """A group in which transactions are read-only, and a restart."""
    rds = Rds()
    fence_all(rds, notes)
    assert _tried(notes) == ["payments", "users"]
    done = [one for one in rds.changes if not one.startswith("wait")]
    read_only = f"{GROUP}: default_transaction_read_only"
    assert done == [
        read_only, "modify payments", "reboot payments", read_only, "modify users", "reboot users",
    ]  # fmt: skip


def test_fenced_twice_nothing_is_done(notes: Notes, capsys: pytest.CaptureFixture[str]) -> None:
    """What is fenced is not restarted once more."""
    rds = Rds()
    fence_all(rds, notes)
    rds.changes.clear()
    capsys.readouterr()
    fence_all(rds, notes)
    assert rds.changes == []
    assert _tried(notes) == ["payments", "users"]
    assert [one["what"] for one in _told(capsys)] == ["fenced before", "fenced before"]


def test_it_goes_on_where_it_died(notes: Notes) -> None:
    """A database that has the group and was not restarted is only restarted."""
    rds = Rds(groups={"payments": GROUP, "users": GROUP}, pending={"payments"})
    fence_all(rds, notes)
    assert [one for one in rds.changes if not one.startswith("wait")] == ["reboot payments"]


@pytest.mark.parametrize(
    "silence",
    [
        ConnectTimeoutError(endpoint_url=ENDPOINT),
        ReadTimeoutError(endpoint_url=ENDPOINT),
        EndpointConnectionError(endpoint_url=ENDPOINT),
    ],
)
def test_a_region_that_does_not_answer(
    silence: Exception, notes: Notes, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is asked for each database, and that is noted: no failure, there is nothing that could be fenced."""
    fence_all(Rds(fails={"payments": silence, "users": silence}), notes)
    told = _told(capsys)
    assert [one["database"] for one in told] == ["payments", "users"]
    assert {one["what"] for one in told} == {"not reachable: it could not be fenced"}
    assert _tried(notes) == ["payments", "users"]


def test_each_database_has_a_note_of_its_own(notes: Notes) -> None:
    """What is known of one says nothing of the other."""
    fence_all(Rds(fails={"payments": refusal("AccessDenied")}), notes)
    assert _tried(notes) == ["users"]
    findings = [Finding(one, f"{one}.rds", Writes.UNREACHABLE, "timed out") for one in ("payments", "users")]
    note_named(notes, ago=LEASE + MARGIN)
    (missing,) = observe(findings, notes, recovery=RECOVERY)
    assert missing.startswith("payments.rds does not answer here, and nobody has tried to fence it yet")


@pytest.mark.parametrize(
    ("rds", "said"),
    [
        (Rds(groups={}), "not fenced"),
        (Rds(fails=dict.fromkeys(("payments", "users"), refusal("AccessDenied"))), "not fenced"),
        (Rds(fails=dict.fromkeys(("payments", "users"), NoCredentialsError())), "not fenced"),
        (
            Rds(fails=dict.fromkeys(("payments", "users"), SSLError(endpoint_url=ENDPOINT, error="expired"))),
            "not fenced",
        ),
        (Rds(never_back=True), "fencing was asked for, and not seen to be done"),
    ],
)
def test_what_cannot_be_fenced_is_said(
    rds: Rds, said: str, notes: Notes, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of each database, with the reason; the next one is tried all the same, and earlier attempts do not count."""
    notes.write(tried("payments"), "its region's API did not answer then")
    fence_all(rds, notes)
    assert _tried(notes) == []
    told = _told(capsys)
    assert [(one["what"], one["database"]) for one in told] == [(said, "payments"), (said, "users")]
    assert all(one["reason"] for one in told)


def test_databases_of_the_recovery_region_are_no_old_primaries() -> None:
    """After a promotion names lead to them."""
    assert read_heirs(Rds()) == ["payments.rds", "users.rds"]


def _dns(leads: Mapping[str, str]) -> Callable[[str], frozenset[str]]:
    """Return what resolves names to one address each, and all others to none."""
    return lambda name: frozenset({leads[name]} if name in leads else ())


def test_old_primaries_are_found_by_names() -> None:
    """By the company's own name and by that of the primary region, without asking any API of AWS."""
    name, regional = "payments-database.meqenet.internal", "payments-database.primary.meqenet.internal"
    leads = {name: "10.0.0.1", regional: "10.0.0.1", "new.rds": "10.4.0.1"}
    assert find_hosts(name, ("new.rds",), addresses=_dns(leads)) == (regional,)
    leads[name] = "10.4.0.1"
    assert find_hosts(name, ("new.rds",), addresses=_dns(leads)) == (regional,)
    leads[name] = "10.0.0.2"
    assert find_hosts(name, ("new.rds",), addresses=_dns(leads)) == (regional, name)
    assert find_hosts(name, (), addresses=_dns({})) == ()
    assert database_of(name) == "payments"


@pytest.mark.parametrize("leads", [{}, {"payments-database.meqenet.internal": "10.4.0.1"}])
def test_a_database_without_a_host_is_not_safe(leads: dict[str, str]) -> None:
    """Where names lead to nobody, or to heirs alone, the old primary was not looked at, and may take writes."""
    dns = _dns({**leads, "new.rds": "10.4.0.1"})
    (found,) = look_at_hosts("payments-database.meqenet.internal", ("new.rds",), _refuses, addresses=dns)
    assert (found.database, found.host) == ("payments", "payments-database.primary.meqenet.internal")
    assert found.writes is Writes.UNKNOWN
    assert not found.safe


def _refuses(database: str, host: str) -> Finding:
    return Finding(database, host, Writes.REFUSED, "it is read-only")


def test_every_old_primary_is_looked_at() -> None:
    """Of both databases, also after one was promoted, when its name leads to its heir."""
    leads = {
        "payments-database.primary.meqenet.internal": "10.0.0.1", "users-database.primary.meqenet.internal": "10.0.0.2",
        "payments-database.meqenet.internal": "10.0.0.1", "users-database.meqenet.internal": "10.4.0.2",
        "payments-recovery.rds": "10.4.0.1", "users-recovery.rds": "10.4.0.2",
    }  # fmt: skip
    findings = look_at_all(["payments-recovery.rds", "users-recovery.rds"], _refuses, addresses=_dns(leads))
    assert [one.host for one in findings] == [
        "payments-database.primary.meqenet.internal", "users-database.primary.meqenet.internal",
    ]  # fmt: skip


def test_a_database_that_nobody_looked_at(notes: Notes, capsys: pytest.CaptureFixture[str]) -> None:
    """It is missing by its name, also beside one that was seen to refuse writes; a person may go on nevertheless."""
    dns = _dns({"users-database.primary.meqenet.internal": "10.0.0.2"})
    findings = look_at_all(["payments-recovery.rds"], _refuses, addresses=dns)
    (missing,) = observe(findings, notes, recovery=RECOVERY)
    assert missing.startswith("payments-database.primary.meqenet.internal may take writes: it could not be ")
    notes.write(OVERRIDE, "its network was cut")
    assert observe(findings, notes, recovery=RECOVERY) == []
    assert _told(capsys)[-1]["reason"] == "its network was cut"


@pytest.mark.parametrize(
    ("writes", "safe"),
    [
        (Writes.TAKEN, False),
        (Writes.UNKNOWN, False),
        (Writes.REFUSED, True),
        (Writes.NOT_NOW, True),
        (Writes.UNREACHABLE, True),
    ],
)
def test_the_look(writes: Writes, safe: bool, notes: Notes) -> None:
    """One that answers has to be seen to refuse writes; one that does not cannot be waited for."""
    findings = [Finding("payments", "old.rds", writes, "as it was scripted")]
    notes.write(tried("payments"), "its region's API did not answer")
    note_named(notes, ago=LEASE + MARGIN)
    missing = observe(findings, notes, recovery=RECOVERY)
    assert missing == ([] if safe else ["old.rds may take writes: as it was scripted."])


def test_silence_is_no_fence(notes: Notes) -> None:
    """One that does not answer here may serve its own region: somebody has to have tried to fence it."""
    findings = [Finding("payments", "old.rds", Writes.UNREACHABLE, "timed out")]
    note_named(notes, ago=LEASE + MARGIN)
    (missing,) = observe(findings, notes, recovery=RECOVERY)
    assert "nobody has tried to fence it yet" in missing
    notes.write(tried("payments"), "its region's API did not answer")
    assert observe(findings, notes, recovery=RECOVERY) == []


@pytest.mark.parametrize(
    ("ago", "said"),
    [
        (None, "it is not noted that another region was named as the one that writes."),
        (timedelta(), "its services may hold a lease to write for 12 s more."),
        (LEASE, "its services may hold a lease to write for 2 s more."),
        (-timedelta(hours=1), "it is not noted that another region was named as the one that writes."),
    ],
)
def test_silence_is_waited_for(ago: timedelta | None, said: str, notes: Notes) -> None:
    """Who does not answer here, or is not fenced, may write until leases have run out, since the other was named."""
    findings = [
        Finding("payments", "old.rds", Writes.UNREACHABLE, "timed out"),
        Finding("users", "users.rds", Writes.REFUSED, "it is read-only"),
        Finding("payments", "other.rds", Writes.NOT_NOW, "it is in recovery, and may be promoted"),
    ]
    notes.write(tried("payments"), "its region's API did not answer")
    if ago is not None:
        note_named(notes, ago=ago)
    assert observe(findings, notes, recovery=RECOVERY) == [
        f"old.rds does not answer here, and {said}", f"other.rds is not fenced, and {said}",
    ]  # fmt: skip
    assert observe(findings[1:2], notes, recovery=RECOVERY) == []


def test_a_copy_that_does_not_name_the_recovery_region(notes: Notes) -> None:
    """The region is not fenced then, whatever its databases and people say: services believe whichever copy answers."""
    said = ["meqenet-writer/writer names no region, not eu-central-1, as the one that writes."]
    findings = [Finding("users", "users.rds", Writes.REFUSED, "it is read-only")]
    assert observe(findings, notes, recovery=RECOVERY, unnamed=said) == said
    notes.write(OVERRIDE, "its network was cut")
    findings.append(Finding("payments", "old.rds", Writes.TAKEN, "it takes writes"))
    assert observe(findings, notes, recovery=RECOVERY, unnamed=said) == said


def test_a_reason_that_a_person_noted(notes: Notes, capsys: pytest.CaptureFixture[str]) -> None:
    """The look is content then, and prints the reason."""
    notes.write(OVERRIDE, "its network was cut")
    assert (
        observe([Finding("payments", "old.rds", Writes.TAKEN, "it takes writes")], notes, recovery=RECOVERY)
        == []
    )
    assert _told(capsys)[-1]["reason"] == "its network was cut"


def test_a_host_that_does_not_listen() -> None:
    """Nothing listens there: unreachable."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert observe_writes("payments", "127.0.0.1", port=port).writes is Writes.UNREACHABLE


def test_a_host_that_answers_nonsense() -> None:
    """Something listens there and lets nobody look: that is not known to be safe."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def answer() -> None:
            for _ in range(3):  # the look, and PostgreSQL's client with and without TLS
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                client.close()

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        finding = observe_writes("payments", "127.0.0.1", port=server.getsockname()[1])
        assert finding.writes is Writes.UNKNOWN
        assert not finding.safe
