"""Control planes that are lost while what they made serves on: what is taken away, and who sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drdrill.core.errors import UsageError
from drdrill.core.waiting import wait_until
from drdrill.environment.port import FaultRequest, Injection, StoreRole
from drdrill.mirror.control_plane_faults import (
    ControlPlaneFaults,
    judge_effect,
    judge_healed,
    name_asked,
)
from drdrill.mirror.control_planes import ControlPlanes
from drdrill.mirror.embedded import Embedded
from drdrill.plan import load_plan
from tests.faults.fakes import ManualClock
from tests.mirror.standing import EVERY, INSTANCE, REGION, WITHIN, Standing, copy_repository

if TYPE_CHECKING:
    from collections.abc import Iterator

OTHER, GLOBAL = "eu-central-1", "us-east-1"
REGION_LOSS, ROUTE53_LOSS = "region_control_plane_loss", "route53_control_plane_loss"
SERVICES = {REGION: {"rds", "eks", "s3", "sts", "kms"}, OTHER: {"rds"}, GLOBAL: {"route53", "sts"}}
DATABASES = ((REGION, "one.rds"), (OTHER, "two.rds"))


@pytest.fixture
def faults() -> ControlPlaneFaults:
    """Return the faults of two regions and of Route 53."""
    planes = ControlPlanes(lambda *_: [], lambda region, service: service in SERVICES[region])
    return ControlPlaneFaults(
        planes, [REGION, OTHER], ManualClock(), services_of=SERVICES.__getitem__, databases=lambda: DATABASES,
        names=lambda: {"api.shop.example"}, global_region=GLOBAL,
    )  # fmt: skip


def test_a_region_loses_what_orders_and_not_what_serves(faults: ControlPlaneFaults) -> None:
    """All APIs of the region are away but those that applications call while they serve; it says which, and how."""
    perform = faults.table()["inject_control_planes"]
    answer = perform(kind=REGION_LOSS, resource=REGION, amount="throttled")
    assert answer["resource"] == REGION
    assert answer["details"] == {"region": REGION, "services": ["eks", "kms", "rds"], "how": "throttled"}


def test_route53_is_lost_where_its_control_plane_is(faults: ControlPlaneFaults) -> None:
    """Its API alone is away, in its own region, refused where nothing else was said."""
    answer = faults.inject(ROUTE53_LOSS, "route53", "")
    assert answer["details"] == {"region": GLOBAL, "services": ["route53"], "how": "refused"}
    for _ in range(2):
        assert faults.heal(ROUTE53_LOSS, "route53") == {"region": GLOBAL, "services": ["route53"]}


@pytest.mark.parametrize(
    ("kind", "name"), [(REGION_LOSS, "eu-north-1"), (REGION_LOSS, "route53"), (ROUTE53_LOSS, REGION)]
)
def test_what_has_no_control_planes(faults: ControlPlaneFaults, kind: str, name: str) -> None:
    """Another region, Route 53 as a region and a region as Route 53 are said to be none."""
    with pytest.raises(UsageError, match=f"no control planes of `{name}`"):
        faults.inject(kind, name, "")


def test_what_serves_beside(faults: ControlPlaneFaults) -> None:
    """Of a region its own databases have to answer, of Route 53 all; hosted names have to lead somewhere."""
    name = {"name": "api.shop.example", "port": 443, "answers": False}
    one = {"name": "one.rds", "port": 5432, "answers": True}
    assert faults.served_beside(REGION_LOSS, REGION)["names"] == [one, name]
    assert faults.served_beside(ROUTE53_LOSS, "route53")["names"] == [one, {**one, "name": "two.rds"}, name]


BESIDE = [
    {"name": "one.rds", "answers": True, "addresses": {"10.20.0.1": True}},
    {"name": "api.shop.example", "answers": False, "addresses": {"10.20.0.9": False}},
]
ASKED, SERVING = name_asked(REGION_LOSS)
REFUSED = {**dict.fromkeys(ASKED, "ServiceUnavailable"), **dict.fromkeys(SERVING, "")}


def test_apis_that_refuse_beside_what_serves() -> None:
    """Refused APIs, S3 and STS that answer, and who is found by name: that is the fault, and who saw it is said."""
    seen = judge_effect("refused", REGION_LOSS, REFUSED, BESIDE, "the users' host")
    assert (seen["effective"], seen["observer"]) == (
        True,
        "programs on the operators' host, and the users' host",
    )
    assert judge_healed(REGION_LOSS, REFUSED, BESIDE, "")["healed"] is False
    assert judge_healed(REGION_LOSS, dict.fromkeys(REFUSED, ""), BESIDE, "")["healed"] is True


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("error", ["", "Throttling", "ConnectTimeoutError"])
def test_one_api_that_is_not_lost_so(asked: str, error: str) -> None:
    """One that answers, or is lost in another way, such as with its region's power, is another fault."""
    said = {**REFUSED, asked: error}
    assert judge_effect("refused", REGION_LOSS, said, BESIDE, "")["effective"] is False


def test_what_does_not_serve_on_is_another_fault() -> None:
    """Nobody who serves, a database that does not answer, a name that leads nowhere, S3 away: none is this fault."""
    dead = [{**BESIDE[0], "addresses": {"10.20.0.1": False}}, BESIDE[1]]
    nowhere = [BESIDE[0], {**BESIDE[1], "addresses": {}}]
    for beside in ([], dead, nowhere):
        assert judge_effect("refused", REGION_LOSS, REFUSED, beside, "")["effective"] is False
    said = {**REFUSED, SERVING[0]: "ServiceUnavailable"}
    assert judge_effect("refused", REGION_LOSS, said, BESIDE, "")["effective"] is False


# -- in a mirror -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    """Bring a mirror up for this module and take it down, whatever happens."""
    root = copy_repository(tmp_path_factory.mktemp("repository"))
    with Embedded(root, load_plan(root / "scenarios" / "plan.yaml")) as environment:
        standing = Standing(environment)
        standing.await_status(INSTANCE, "available")
        yield standing


def _require_effect(mirror: Standing, injection: Injection) -> None:
    faults = mirror.environment.faults
    assert faults.observe_healed(injection)["healed"] is False
    wait_until(
        lambda: faults.observe_effect(injection)["effective"], what="the effect", within=WITHIN, every=EVERY
    )


def _heal_twice(mirror: Standing, injection: Injection) -> None:
    faults = mirror.environment.faults
    for _ in range(2):
        faults.heal(injection)
    wait_until(
        lambda: faults.observe_healed(injection)["healed"], what="the healing", within=WITHIN, every=EVERY
    )


@pytest.mark.drill
@pytest.mark.parametrize("how", ["", "throttled", "silent"])
def test_a_region_without_its_control_planes(mirror: Standing, how: str) -> None:
    """Its APIs do nothing, the other region's do; the database takes a write, and the secret in use is read on."""
    secret = mirror.ask_aws("create_secret", service="secretsmanager", Name=f"s{how}", SecretString="known")
    assert "error" not in secret, secret
    faults = mirror.environment.faults
    injection = faults.inject(FaultRequest(REGION_LOSS, REGION, REGION, StoreRole.PRIMARY, how))
    try:
        _require_effect(mirror, injection)
        read = mirror.ask_aws("get_secret_value", service="secretsmanager", SecretId=f"s{how}")
        assert read["SecretString"] == "known"
        assert "error" not in mirror.ask_aws("describe_db_instances", region=OTHER)
        mirror.query(f"create table t{how or 'refused'} (said text)")
    finally:
        _heal_twice(mirror, injection)
    assert mirror.describe()["DBInstanceStatus"] == "available"


@pytest.mark.drill
def test_route53_without_its_control_plane(mirror: Standing) -> None:
    """Route 53 does nothing that it is asked for, a name is answered, and the region's own APIs do what they did."""
    faults = mirror.environment.faults
    injection = faults.inject(FaultRequest(ROUTE53_LOSS, "route53", "route53", StoreRole.PRIMARY))
    try:
        _require_effect(mirror, injection)
        assert mirror.describe()["DBInstanceStatus"] == "available"
    finally:
        _heal_twice(mirror, injection)


@pytest.mark.drill
def test_a_fault_whose_injector_was_killed_is_healed(mirror: Standing) -> None:
    """Of an injection that never came back only the request is known: that is enough to mend all of it."""
    faults = mirror.environment.faults
    request = FaultRequest(REGION_LOSS, REGION, REGION, StoreRole.PRIMARY)
    injection = faults.inject(request)
    unknown = Injection(REGION_LOSS, REGION, injection.before_ns, injection.before_ns, {"unconfirmed": True})
    _heal_twice(mirror, unknown)
