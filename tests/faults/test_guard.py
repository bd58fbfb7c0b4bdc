"""The guard refuses everything that plan and environment do not both allow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from drdrill.core.errors import ControlLostError, RefusedError
from drdrill.environment.port import Identity, StoreRole
from drdrill.faults import guard
from drdrill.faults.catalogue import FaultKind
from tests.faults.fakes import IDENTITY, PLAN_TEXT, REQUEST, FakePort, write_plan

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.environment.port import FaultRequest
    from drdrill.faults.guard import PlanSource
    from drdrill.plan import Plan


@dataclass(frozen=True)
class Ask:
    """A question to the guard that it would answer with yes."""

    plan: PlanSource
    port: FakePort
    store: str = "accounts"
    environment: str = "embedded"
    instance: str | None = "m1"

    def put(self) -> FaultRequest:
        """Ask."""
        return guard.allow(
            FaultKind.HOST_POWER_LOSS,
            self.store,
            StoreRole.PRIMARY,
            plan=self.plan,
            environment=self.environment,
            instance=self.instance,
            port=self.port,
        )


@pytest.fixture
def ask(plan: Plan, port: FakePort) -> Ask:
    """Return a question that is allowed."""
    return Ask(plan, port)


def refusal(ask: Ask) -> str:
    """Return why it was refused, and check that nothing was touched."""
    with pytest.raises(RefusedError) as refused:
        ask.put()
    assert set(ask.port.calls) <= {"read_identity"}
    assert "nothing was touched" in str(refused.value)
    return str(refused.value)


def test_allowed(ask: Ask) -> None:
    """What plan and environment allow comes back as a request that carries the API's name of the store."""
    assert ask.put() == REQUEST


def test_plan_by_path(ask: Ask, tmp_path: Path) -> None:
    """The plan may be a file."""
    assert replace(ask, plan=write_plan(tmp_path)).put() == REQUEST


def test_instance_not_given(ask: Ask) -> None:
    """Without an instance that the drill started, any expendable one will do."""
    assert replace(ask, instance=None).put() == REQUEST


def test_no_plan(ask: Ask) -> None:
    """Without a plan nothing is allowed."""
    assert "DRDRILL_PLAN" in refusal(replace(ask, plan=None))


def test_plan_missing(ask: Ask, tmp_path: Path) -> None:
    """A plan that is not there is named."""
    assert "nowhere.yaml cannot be read" in refusal(replace(ask, plan=tmp_path / "nowhere.yaml"))


@pytest.mark.parametrize("text", ["", "version: [", PLAN_TEXT.replace("targets: [accounts]", "target: []")])
def test_plan_unreadable(ask: Ask, tmp_path: Path, text: str) -> None:
    """A plan that is empty, broken or mistyped allows nothing."""
    path = tmp_path / "broken.yaml"
    path.write_text(text, encoding="utf-8")
    assert "broken.yaml cannot be read" in refusal(replace(ask, plan=path))


def test_environment_not_in_plan(ask: Ask) -> None:
    """An environment that the plan does not name is refused, even if it calls itself expendable."""
    ask.port.identity = replace(IDENTITY, environment="aws")
    assert "does not name the environment `aws`" in refusal(replace(ask, environment="aws"))


def test_target_not_in_plan(ask: Ask) -> None:
    """A store that safety.targets does not name is refused, though the plan knows it."""
    assert "safety.targets does not name `letters`" in refusal(replace(ask, store="letters"))


def test_target_mistyped(ask: Ask) -> None:
    """A mistyped store gets the nearest one that is allowed."""
    assert "Did you mean `accounts`?" in refusal(replace(ask, store="acounts"))


def test_target_is_no_store(ask: Ask, tmp_path: Path) -> None:
    """A target that is no store is refused: this guard knows the API's names of stores only."""
    path = tmp_path / "zones.yaml"
    path.write_text(PLAN_TEXT.replace("targets: [accounts]", "targets: [eu-west-1a]"), encoding="utf-8")
    assert "has no store `eu-west-1a`" in refusal(replace(ask, plan=path, store="eu-west-1a"))


@pytest.mark.parametrize("error", [ControlLostError("gone"), OSError("no socket"), ValueError("not JSON")])
def test_identity_unreadable(ask: Ask, error: Exception) -> None:
    """Whatever keeps the identity from being read, the answer is no."""
    ask.port.failures["read_identity"] = error
    assert f"identity cannot be read: {error}" in refusal(ask)


def test_identity_nonsense(ask: Ask) -> None:
    """An answer that is no identity is no answer."""
    ask.port.identity = {"environment": "embedded", "instance": "m1", "expendable": True}
    assert "identity cannot be read" in refusal(ask)


@pytest.mark.parametrize(
    ("identity", "reason"),
    [
        (replace(IDENTITY, environment="aws"), "says that it is `aws`, not `embedded`"),
        (replace(IDENTITY, expendable=False), "does not say that it is expendable"),
        (Identity("embedded", "m1", expendable="yes"), "does not say that it is expendable"),  # type: ignore[arg-type]
        (replace(IDENTITY, instance="m2"), "this is the instance `m2`, and the drill started `m1`"),
    ],
)
def test_identity_of_another(ask: Ask, identity: Identity, reason: str) -> None:
    """Another environment, one that is not expendable, and another instance are refused."""
    ask.port.identity = identity
    assert reason in refusal(ask)


def test_instance_empty(ask: Ask) -> None:
    """An instance that was given and is empty is not the one that the drill started."""
    assert "the drill started ``" in refusal(replace(ask, instance=""))


PLACES = PLAN_TEXT.replace("targets: [accounts]", "targets: [accounts, eu-west-1, eu-west-1a, route53]")


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (FaultKind.REGION_POWER_LOSS, "eu-west-1"),
        (FaultKind.REGION_ISOLATION, "eu-west-1"),
        (FaultKind.REGION_FLAPPING, "eu-west-1"),
        (FaultKind.ZONE_POWER_LOSS, "eu-west-1a"),
        (FaultKind.REGION_CONTROL_PLANE_LOSS, "eu-west-1"),
        (FaultKind.ROUTE53_CONTROL_PLANE_LOSS, "route53"),
    ],
)
def test_a_place_is_allowed_by_its_name(tmp_path: Path, port: FakePort, kind: FaultKind, name: str) -> None:
    """A region, a zone and Route 53 are targets like any other: what the plan names may be broken, and is called so."""
    path = tmp_path / "plan.yaml"
    path.write_text(PLACES, encoding="utf-8")
    request = guard.allow(
        kind, name, StoreRole.PRIMARY, plan=path, environment="embedded", instance="m1", port=port
    )
    assert (request.kind, request.store, request.resource) == (kind, name, name)


@pytest.mark.parametrize(
    ("kind", "name", "said"),
    [
        (FaultKind.REGION_POWER_LOSS, "eu-central-1", "does not name `eu-central-1`"),
        (FaultKind.REGION_POWER_LOSS, "eu-west-1a", "the plan has no region `eu-west-1a`"),
        (FaultKind.REGION_ISOLATION, "eu-west-1a", "the plan has no region `eu-west-1a`"),
        (FaultKind.REGION_FLAPPING, "accounts", "the plan has no region `accounts`"),
        (FaultKind.ZONE_POWER_LOSS, "eu-west-1", "the plan has no zone `eu-west-1`"),
        (FaultKind.HOST_POWER_LOSS, "eu-west-1", "the plan has no store `eu-west-1`"),
        (FaultKind.REGION_CONTROL_PLANE_LOSS, "route53", "the plan has no region `route53`"),
        (FaultKind.ROUTE53_CONTROL_PLANE_LOSS, "eu-west-1", "the plan has no global service `eu-west-1`"),
    ],
)
def test_a_place_that_the_plan_does_not_give_up(
    tmp_path: Path, port: FakePort, kind: FaultKind, name: str, said: str
) -> None:
    """Another region, a zone as a region, a region as a store: refused, and nothing is touched."""
    path = tmp_path / "plan.yaml"
    path.write_text(PLACES, encoding="utf-8")
    with pytest.raises(RefusedError, match=said):
        guard.allow(
            kind, name, StoreRole.PRIMARY, plan=path, environment="embedded", instance="m1", port=port
        )
    assert set(port.calls) <= {"read_identity"}
