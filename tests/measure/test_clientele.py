"""Whose ledger is whose, by what the journal says of those who were started."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.measure.clientele import Clientele, Load, read_loads
from drdrill.record.journal import Event
from drdrill.record.ledger import ClientKind
from tests.measure.histories import make_client, make_ledger

if TYPE_CHECKING:
    from tests.measure.regional import RegionalStory

USERS = Load(("probe-b",), {"probe-b": "b"}, ("eu-west-1a",))
BANK = Load(("prober", "load-0"), {}, ())
BOTH = Clientele((USERS, BANK), "a")


def test_who_is_not_told_of_asks_the_judged_service() -> None:
    """Only a client that the journal names asks another service."""
    assert [BOTH.service_of(name) for name in ("probe-b", "prober-0", "stranger")] == ["b", "a", "a"]
    assert BOTH.started == ("prober", "load-0")


def test_zones_are_only_of_those_who_were_started_with_them() -> None:
    """Codes of other clients hold addresses, in whichever order they were started."""
    assert [BOTH.zones_of(name) for name in ("probe-b", "prober-0", "stranger")] == [("eu-west-1a",), (), ()]
    assert BOTH.zones == ("eu-west-1a",)


def test_several_starts_add_up() -> None:
    """Every `load.started` of a journal counts, and none has to name services or zones."""
    told: list[dict[str, Any]] = [
        {"clients": ["x"]},
        {"clients": ["y"], "services": {"y": "b"}, "zones": ["eu-west-1a"]},
    ]
    loads = read_loads(Event(0, 0, "", "", "load.started", data, "", "") for data in told)
    assert loads == (Load(("x",), {}, ()), Load(("y",), {"y": "b"}, ("eu-west-1a",)))


def test_controls_are_there_for_the_judged_service() -> None:
    """A positive control asks nobody; it belongs to what is judged, and to nothing else."""
    control = make_ledger(make_client(1, kind=ClientKind.CONTROL), [])
    assert (BOTH.asking([control], "a"), BOTH.asking([control], "b")) == ((control,), ())


def test_promotions_of_another_store_explain_nothing(regional: RegionalStory) -> None:
    """Only what the cloud reports of the judged store moves its writer from server to server."""
    regional.data_of("failover.observed")["resource"] = "another"
    watch = regional.measure().writers
    assert watch is not None
    assert not watch.two_writers  # nobody looked at this store: each server may have had one tenure
    regional.path = regional.path / "again"
    nothing = {"resource": "orders", "promotions": 0, "events": []}
    regional.events.insert(-3, (regional.events[-4][0], "failover.observed", nothing))
    watch = regional.measure().writers
    assert watch is not None
    assert watch.two_writers
