"""Actions find their environment in the open session, or else in the process's environment variables."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from drdrill import faults
from drdrill.core.errors import RefusedError, UsageError
from drdrill.environment.port import StoreRole
from drdrill.faults import ActiveFaults, FaultKind, current_session, open_session
from drdrill.faults.session import read_session
from drdrill.record.journal import read_journal

if TYPE_CHECKING:
    from drdrill.faults import FaultSession
    from drdrill.record.journal import Journal
    from tests.faults.fakes import FakePort


def test_open(session: FaultSession) -> None:
    """The session that is open is the current one, and there is no second one."""
    with open_session(session):
        assert current_session() is session
        with pytest.raises(UsageError, match="open in this process already"), open_session(session):
            pass
        assert current_session() is session


def test_closed_after_an_error(session: FaultSession) -> None:
    """A session is closed whatever ends its block."""
    with pytest.raises(KeyError), open_session(session):
        raise KeyError
    with open_session(session):
        pass


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({}, "DRDRILL_ENVIRONMENT and DRDRILL_CONTROL not set"),
        ({"DRDRILL_ENVIRONMENT": "embedded", "DRDRILL_CONTROL": ""}, "DRDRILL_CONTROL not set"),
        (
            {"DRDRILL_ENVIRONMENT": "embedded", "DRDRILL_CONTROL": "x", "DRDRILL_DRILL": "/nowhere"},
            "names no drill's directory: /nowhere",
        ),
        ({"DRDRILL_ENVIRONMENT": "embeded", "DRDRILL_CONTROL": "x"}, "Did you mean `embedded`"),
    ],
)
def test_variables_missing(variables: dict[str, str], words: str) -> None:
    """Without the variables there is a message that says which, and where they come from."""
    with pytest.raises(UsageError, match=words):
        read_session(variables)


def test_operations(session: FaultSession, port: FakePort) -> None:
    """The four operations take texts and give JSON."""
    with open_session(session):
        assert faults.inject("host_power_loss", "accounts", "primary")["resource"] == "db-a"
        assert faults.observe_effect("host_power_loss", "accounts", "30 s")["effective"] is True
        faults.heal("host_power_loss", "accounts")
        assert faults.observe_healed("host_power_loss", "accounts", "30 s") == {"healed": True}
    assert not port.broken


@pytest.mark.parametrize(
    ("kind", "role", "words"),
    [
        ("host_power_los", "primary", "Did you mean `host_power_loss`?"),
        ("host_power_loss", "prim", "Did you mean `primary`?"),
    ],
)
def test_mistyped_words(session: FaultSession, port: FakePort, kind: str, role: str, words: str) -> None:
    """A mistyped kind or role gets the nearest one and touches nothing."""
    with open_session(session), pytest.raises(UsageError) as error:
        faults.inject(kind, "accounts", role)
    assert words in str(error.value)
    assert port.calls == []


def test_time_without_unit(session: FaultSession) -> None:
    """A time to wait needs its unit."""
    with open_session(session), pytest.raises(UsageError, match="`30` is no time to wait"):
        faults.observe_effect("host_power_loss", "accounts", "30")


def test_nothing_to_heal(session: FaultSession, port: FakePort) -> None:
    """Healing a fault that is not there is told, with the place where it would be recorded."""
    with pytest.raises(
        UsageError, match=r"No fault of the kind .* is in `accounts`, says .*active-faults\.json"
    ):
        session.heal(FaultKind.HOST_POWER_LOSS, "accounts")
    assert port.calls == []


def test_refusal_is_journalled(session: FaultSession, journal: Journal) -> None:
    """A refusal stands in the drill's journal."""
    with pytest.raises(RefusedError):
        session.inject(FaultKind.HOST_POWER_LOSS, "letters", StoreRole.PRIMARY)
    (event,) = read_journal(journal.path)
    assert event.kind == "fault.failed"
    assert "safety.targets" in event.data["reason"]


def test_healing_needs_no_guard(session: FaultSession, port: FakePort) -> None:
    """What is broken may be mended even where the guard would allow no fault any more."""
    session.inject(FaultKind.HOST_POWER_LOSS, "accounts", StoreRole.PRIMARY)
    port.failures["read_identity"] = OSError("unreadable")
    session.heal(FaultKind.HOST_POWER_LOSS, "accounts")
    session.observe_healed(FaultKind.HOST_POWER_LOSS, "accounts", within=timedelta(seconds=1))
    assert not port.broken


def test_every_kind_is_described() -> None:
    """Every kind of the catalogue says in a sentence what it does."""
    assert all(kind.description.endswith(".") for kind in FaultKind)


def test_a_statement_is_recorded_with_what_it_dooms(session: FaultSession, port: FakePort) -> None:
    """Whoever finds the record later knows which statement was run, and how to look for its rows."""
    with open_session(session):
        faults.inject(
            "bad_delete", "accounts", "primary", statement="delete from t", doomed="select id from t"
        )
    (entry,) = ActiveFaults(port.state_directory).read()
    assert (entry.request.statement, entry.request.doomed) == ("delete from t", "select id from t")
