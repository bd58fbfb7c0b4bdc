"""Leading users to the recovery region: weights, name servers, and the time that answers of before live on."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from failover._notes import Notes
from failover._telling import StoppedError
from failover.drain import TTL, drain, read_load_balancer
from failover.drain import observe as observe_drained
from failover.switch_traffic import SWITCHED, observe, switch
from tests.failover.fake_clients import FakeClient

if TYPE_CHECKING:
    from pathlib import Path

NAME, BALANCER = "api.example.com", "recovery.elb.example"


def _alias(role: str, weight: int) -> dict[str, Any]:
    target = {"DNSName": f"{role}.elb.example.", "HostedZoneId": f"Z-{role}", "EvaluateTargetHealth": False}
    return {"Name": f"{NAME}.", "Type": "A", "SetIdentifier": role, "Weight": weight, "AliasTarget": target}


@dataclass
class Route53(FakeClient):
    """A zone with the records of the public name."""

    records: list[dict[str, Any]] = field(
        default_factory=lambda: [_alias("primary", 100), _alias("recovery", 0)]
    )

    def list_hosted_zones_by_name(self, **_: object) -> dict[str, Any]:
        """Answer as Route 53 does."""
        return {"HostedZones": [{"Id": "Z1", "Name": "example.com."}]}

    def list_resource_record_sets(self, **_: object) -> dict[str, Any]:
        """Answer as Route 53 does: from the asked name on, whatever comes next."""
        return {"ResourceRecordSets": [*self.records, {"Name": "b.example.com.", "Type": "A"}]}

    def change_resource_record_sets(self, HostedZoneId: str, ChangeBatch: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
        """Put the records in the place of those that were there."""
        assert HostedZoneId == "Z1"
        self.changes.append("change")
        self.records = [one["ResourceRecordSet"] for one in ChangeBatch["Changes"]]
        return {"ChangeInfo": {"Id": "C1"}}


def test_switched_and_seen(tmp_path: Path) -> None:
    """Weights are others before and right after; nothing else of the records changes; twice does no harm."""
    route53, notes = Route53(), Notes(tmp_path)
    assert observe(route53, NAME) == [
        f"{NAME}: the recovery region has the weight 0, not 100.",
        f"{NAME}: the primary region has the weight 100, not 0.",
    ]
    switch(route53, NAME, notes)
    switch(route53, NAME, notes)
    assert observe(route53, NAME) == []
    assert route53.records == [_alias("recovery", 100), _alias("primary", 0)]
    assert route53.changes[:2] == ["change", "wait resource_record_sets_changed"]
    assert notes.read(SWITCHED, valid=timedelta(minutes=1)) is not None


def test_a_record_that_is_not_there(tmp_path: Path) -> None:
    """Users are led nowhere by half a switch: nothing is changed."""
    route53 = Route53(records=[_alias("primary", 100)])
    with pytest.raises(StoppedError, match=r"no weighted record for: recovery\. Nothing was changed"):
        switch(route53, NAME, Notes(tmp_path))
    assert route53.changes == []
    assert "the recovery region has no record, not 100" in observe(route53, NAME)[0]


def _note(notes: Notes, age: timedelta) -> None:
    notes.write(SWITCHED, NAME)
    content = {"at": (datetime.now(UTC) - age).isoformat(), "text": NAME}
    notes.path(SWITCHED).write_text(json.dumps(content), encoding="utf-8")


def _leads(*addresses: str, balancer: tuple[str, ...] = ("10.0.0.1", "10.0.0.2")) -> Any:
    return lambda name: frozenset(balancer if name == BALANCER else addresses)


def test_drained(tmp_path: Path) -> None:
    """The name leads to the recovery region's load balancer alone, and older answers are expired."""
    notes = Notes(tmp_path)
    _note(notes, TTL * 2)
    leads = _leads("10.0.0.1")
    drain(NAME, BALANCER, notes, addresses=leads)
    assert observe_drained(NAME, BALANCER, notes, addresses=leads) == []


@pytest.mark.parametrize(
    ("addresses", "told"),
    [((), "leads nowhere"), (("10.0.0.1", "10.9.9.9"), r"leads to 10\.9\.9\.9, which is not recovery")],
)
def test_led_elsewhere(addresses: tuple[str, ...], told: str, tmp_path: Path) -> None:
    """An address of the old region is told."""
    notes = Notes(tmp_path)
    _note(notes, TTL * 2)
    (missing,) = observe_drained(NAME, BALANCER, notes, addresses=_leads(*addresses))
    assert told.replace("\\", "") in missing


def test_answers_of_before_live_on(tmp_path: Path) -> None:
    """Right after the switch others are still led elsewhere, whatever is resolved here."""
    notes = Notes(tmp_path)
    _note(notes, timedelta(0))
    (missing,) = observe_drained(NAME, BALANCER, notes, addresses=_leads("10.0.0.1"))
    assert "s more" in missing


def test_a_switch_that_nobody_noted(tmp_path: Path) -> None:
    """Another operator's host switched, or that of another day: the time is not taken to be over."""
    notes = Notes(tmp_path)
    (missing,) = observe_drained(NAME, BALANCER, notes, addresses=_leads("10.0.0.1"))
    assert "not noted here" in missing
    _note(notes, timedelta(days=3))
    assert observe_drained(NAME, BALANCER, notes, addresses=_leads("10.0.0.1")) == [missing]


def test_the_load_balancer_is_that_of_the_recovery_region() -> None:
    """By its name, as Terraform gives it."""

    class Elbv2:
        def describe_load_balancers(self, Names: list[str]) -> dict[str, Any]:  # noqa: N803
            assert Names == ["meqenet"]
            return {"LoadBalancers": [{"DNSName": BALANCER}]}

    assert read_load_balancer(Elbv2()) == BALANCER
